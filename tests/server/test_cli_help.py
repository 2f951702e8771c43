"""What is said about the commands of the form `berth NOUN VERB`: their help, and docs/commands.md."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from registry.cli import NOUNS, _parser, main
from tests.api.content import index
from tests.server.commands import Commands
from tests.server.content import delete, push

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def help_of(*words: str) -> str:
    """What `berth … --help` prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return out.getvalue()


def verbs(noun: str) -> list[str]:
    """The commands of the noun."""
    return re.findall(r"^    (\w+) +\S", help_of(noun), re.MULTILINE)


def examples() -> list[list[str]]:
    """The command lines of the page, each as its words, without the comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_verb_explains_itself(noun: str) -> None:
    """The help of each verb has examples of itself that make sense, and says where settings come from."""
    for verb in verbs(noun):
        text = help_of(noun, verb)
        _, _, shown = text.partition("examples:\n")
        lines = [line for line in shown.splitlines() if line]
        assert any(line.startswith(f"  berth {noun} {verb}") for line in lines)
        for line in lines:
            words = shlex.split(re.split(r"[<>]|\$\(", line)[-1 if "$(" in line else 0].rstrip(")"))[1:]
            assert _parser(words).parse_args(words).run is not None
        assert "BERTH_CONFIG" in text
        assert "--json" in text
        assert max(map(len, text.splitlines())) <= 120


def test_page_has_every_command() -> None:
    """There is an example of every command on the page."""
    shown = {tuple(words[1:3]) for words in examples()}
    assert {(noun, verb) for noun in NOUNS for verb in verbs(noun)} <= shown
    commands = re.findall(r"^    (\w+) +\S", help_of(), re.MULTILINE)
    assert set(commands) <= {words[0] for words in shown}


def test_examples_of_the_page_work(berth: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example succeeds, in the order in which they are there."""
    monkeypatch.chdir(tmp_path)
    empty, other = index([]), index([], annotations={"n": "2"})
    push(berth.data, "app", empty, "1")
    push(berth.data, "app", other, "latest")
    delete(berth.data, "app", empty.digest)
    for words in examples():
        if words[0] == "berth" and words[1] != "serve":
            run(berth, words[1:])
        elif words[0] == "echo":
            Path(words[3]).write_text(f"{words[1]}\n")
    assert re.fullmatch(r"berth_robot_\w+\n", Path("token.txt").read_text())
    assert berth("user", "list", "--quiet") == "admin\nalice\n"


def run(berth: Commands, words: list[str]) -> None:
    """Run a command with what a shell would do about `<` and `>`."""
    *plain, sign, path = words if {"<", ">"} & set(words) else [*words, "", ""]
    ending = berth.run(*plain, stdin=Path(path).read_bytes() if sign == "<" else b"")
    assert ending.code == 0, (words, ending.error)
    if sign == ">":
        Path(path).write_text(ending.out)
