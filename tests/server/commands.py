"""Runs commands of `berth` on a data folder of their own, in this process or as processes."""

import contextlib
import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.cli import main
from tests.daemon import PROGRAM

ADMIN_PASSWORD = "the first password"


@dataclass(frozen=True)
class Ending:
    """How a command ended, and what it printed."""

    code: int
    out: str
    error: str


class Commands:
    """`berth` on the folder `data`, which the environment names."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __call__(self, *words: str, stdin: bytes = b"") -> str:
        """Run a command that succeeds, and return its standard output."""
        ending = self.run(*words, stdin=stdin)
        assert ending.code == 0, ending.error
        return ending.out

    def json(self, *words: str) -> Any:
        """What the command prints with `--json`."""
        return json.loads(self(*words, "--json"))

    def refused(self, *words: str, code: int = 1, stdin: bytes = b"") -> str:
        """Run a command that ends with this code and prints nothing but an error, and return that."""
        ending = self.run(*words, stdin=stdin)
        assert (ending.code, ending.out) == (code, "")
        return ending.error

    def run(self, *words: str, stdin: bytes = b"") -> Ending:
        """Run a command in this process, which is fast. `stdin` is its standard input, and no terminal."""
        out, error = io.StringIO(), io.StringIO()
        kept, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
                code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            sys.stdin = kept
        return Ending(code, out.getvalue(), error.getvalue())

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command as a process of its own, with pipes. Whoever calls waits for its end."""
        return subprocess.Popen(
            [PROGRAM, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def rows(table: str) -> list[list[str]]:
    """The cells of a table that was printed, its titles first."""
    return [re.split(r" {3,}", line) for line in table.splitlines()]
