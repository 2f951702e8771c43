"""`berth conformance`: what it takes, what it tells, and what it leaves behind."""

import json
import re
import shlex
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import cli as conformance_cli
from conformance.requirement import Version
from registry.cli import _parser
from tests.clients.accounts import ADMIN_PASSWORD, Accounts
from tests.conformance.judging import pushed, scope
from tests.daemon import PROGRAM, Daemon
from tests.server.commands import Commands, Ending
from tests.server.test_cli_help import help_of
from tests.server.test_tls import make_certificate

PASSWORD, OTHER_PASSWORD = "CONFORMANCE_PASSWORD", "CONFORMANCE_OTHER_PASSWORD"
NOWHERE = "http://127.0.0.1:9"


class SecureDaemon(Daemon):
    """Berth with TLS, and a certificate that nobody knows."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = make_certificate(folder, "berth")
        settings = {"BERTH_SERVER__TLS_CERTIFICATE": str(self.certificate), "BERTH_SERVER__TLS_KEY": str(key)}
        super().__init__(folder / "data", "--workers", "1", environment=settings)
        self.url = f"https://{self.address}"

    def _ready(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2, context=context) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """The accounts of a daemon with login."""
    data = tmp_path_factory.mktemp("judged") / "data"
    with Daemon(data, auth="builtin", environment={"BERTH_ADMIN_PASSWORD": ADMIN_PASSWORD}) as daemon:
        yield Accounts(daemon)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureDaemon]:
    """A daemon with TLS."""
    with SecureDaemon(tmp_path_factory.mktemp("secure")) as daemon:
        yield daemon


@pytest.fixture
def run(tmp_path: Path, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> "Runner":
    """Runs the command as a user who may push and delete."""
    return Runner(accounts, Commands(tmp_path), monkeypatch)


class Runner:
    """`berth conformance`, as a user of `accounts`."""

    def __init__(self, accounts: Accounts, commands: Commands, environment: pytest.MonkeyPatch) -> None:
        self._url, self._commands, self._environment = accounts.daemon.url, commands, environment
        self.user = accounts.new_user("maintainer")
        environment.setenv(PASSWORD, self.user.secret)

    def __call__(self, *words: str, user: str = "") -> Ending:
        """Run it on the daemon with login."""
        return self.at(self._url, "--user", user or self.user.name, *words)

    def at(self, *words: str) -> Ending:
        """Run it with these arguments."""
        return self._commands.run("conformance", *words)

    def refused(self, *words: str) -> str:
        """The line that says why nothing is judged."""
        ending = self.at(*words)
        assert (ending.code, ending.out) == (2, "")
        assert ending.error.startswith("berth: ")
        assert ending.error.count("\n") == 1
        return ending.error

    def password(self, value: str) -> None:
        self._environment.setenv(PASSWORD, value)


def test_berth_starts_without_it() -> None:
    """What judges registries is imported only when it is wanted."""
    script = "import sys, registry.cli as c; c._parser(['serve']); sys.exit('conformance' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=30).returncode == 0


def test_help_names_the_right_program(capsys: pytest.CaptureFixture[str]) -> None:
    """The examples are such that one can type them, of both programs, and fit on a screen."""
    with pytest.raises(SystemExit):
        conformance_cli.main(["--help"])
    for program, text in (
        ("berth conformance", help_of("conformance")),
        ("python -m conformance", capsys.readouterr().out),
    ):
        shown = text.partition("examples:\n")[2].partition("\n\n")[0]
        lines = [re.split(r"  +\(", line.strip())[0] for line in shown.splitlines()]
        assert len(lines) >= 4
        assert all(line.startswith(f"{program} http") for line in lines)
        for line in lines:
            words = ["conformance", *shlex.split(line.removeprefix(program))]
            assert _parser(words).parse_args(words).run is not None
        assert max(map(len, text.splitlines())) <= 120


def test_run_with_every_report(run: Runner, tmp_path: Path) -> None:
    """The checks that were chosen pass; each report can be read, and the output is plain where no terminal is."""
    names = {kind: tmp_path / f"report.{kind}" for kind in ("json", "junit", "html", "badge")}
    flags = [word for kind, path in names.items() for word in (f"--{kind}", str(path))]
    ending = run("--spec", "1.2-dev", "--filter", "push.blob", "--jobs", "2", *flags)
    assert (ending.code, ending.error) == (0, "")
    assert re.search(r"All \d+ MUSTs that could be judged hold\.\n$", ending.out)
    assert all(one.isprintable() or one == "\n" for one in ending.out)
    document = json.loads(names["json"].read_text())
    assert (document["version"], document["conforms"], document["complete"]) == ("1.2-dev", True, False)
    ids = {one["id"] for one in document["results"]}
    assert len(ids) > 5
    assert all("push.blob" in name for name in ids)
    assert int(ET.parse(names["junit"]).getroot().attrib["tests"]) == len(ids)
    assert "<h1>" in names["html"].read_text()
    assert "checks hold" in names["badge"].read_text()


@pytest.mark.parametrize(
    ("flags", "begins"),
    [
        (["--group", "auth"], "auth."),
        (["--category", "management", "--group", "spec", "--filter", "delete"], "delete."),
        (["--filter", "tags.n.zero"], "tags.n.zero"),
    ],
)
def test_list_shows_what_would_run(run: Runner, flags: list[str], begins: str) -> None:
    """Nothing is sent, so that no registry has to be there."""
    ending = run.at(NOWHERE, "--list", *flags)
    assert (ending.code, ending.error) == (0, "")
    lines = ending.out.splitlines()
    assert len(lines) > 1
    assert all(re.match(rf"(MUST|SHOULD|MAY) +{re.escape(begins)}\S* +\S", line) for line in lines)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["registry.example"], "'registry.example' is no URL of a registry"),
        (["ftp://registry.example"], "is no URL of a registry"),
        (["http://registry.example:port"], "is no URL of a registry"),
        (["http://a:b@registry.example"], "the URL must not hold a password"),
        (["http://registry.example/docker"], "a registry has no path"),
        ([NOWHERE, "--filter", "there-is-no-such-check"], "there is no such check"),
        ([NOWHERE, "--read-only"], "--read-only needs --repository"),
        ([NOWHERE, "--repository", "Upper"], "'Upper' is no name of a repository"),
        ([NOWHERE, "--other-user", "somebody"], f"the password of somebody is expected in {OTHER_PASSWORD}"),
        ([NOWHERE, "--ca", "/there/is/no/file"], "--ca /there/is/no/file cannot be used: No such file or directory"),
        ([NOWHERE, "--html", "/there/is/no/folder/report.html"], "cannot be written: No such file or directory"),
        ([NOWHERE], "127.0.0.1:9 cannot be reached: Connection refused"),
        (["http://no-such-host.invalid"], "there is no host no-such-host.invalid"),
    ],
)
def test_what_cannot_be_judged_is_told_at_once(run: Runner, words: list[str], told: str) -> None:
    """One line says what is wrong, before anything is pushed; the exit code is 2."""
    assert told in run.refused(*words)


def test_unwritable_report_is_told_before_the_run(run: Runner, tmp_path: Path) -> None:
    """A folder is no file; and a report that can be written is not there before it is."""
    assert f"{tmp_path} cannot be written" in run.refused(NOWHERE, "--junit", str(tmp_path))
    report = tmp_path / "report.html"
    run.refused(NOWHERE, "--html", str(report))
    assert not report.exists()


@pytest.mark.parametrize("flags", [["--jobs", "0"], ["--jobs", "many"], ["--timeout", "0"], ["--spec", "2"]])
def test_arguments_that_make_no_sense(run: Runner, flags: list[str]) -> None:
    """The parser tells of them, and the exit code is 2."""
    ending = run.at(NOWHERE, *flags)
    assert (ending.code, ending.out) == (2, "")
    assert f"argument {flags[0]}" in ending.error


def test_login_is_tried_first(run: Runner, accounts: Accounts) -> None:
    """A wrong password, nobody at all, and somebody who may not push are told of in a line each."""
    url, name = accounts.daemon.url, run.user.name
    assert "the registry asks for a login: name a user with --user" in run.refused(url)
    run.password("not the password")
    assert f"the registry does not let {name} in: GET /token" in run.refused(url, "--user", name)
    run.password("")
    assert f"the password of {name} is expected in {PASSWORD}" in run.refused(url, "--user", name)
    run.password(accounts.reader.secret)
    refused = run.refused(url, "--user", accounts.reader.name)
    assert f"{accounts.reader.name} may not push to conformance-" in refused
    assert "--read-only" in refused


def test_what_cannot_be_removed_is_told(run: Runner, accounts: Accounts) -> None:
    """Who may push and not delete leaves something behind, and hears of it."""
    run.password(accounts.developer.secret)
    ending = run("--filter", "push.blob.post-put", user=accounts.developer.name)
    assert ending.code == 0
    assert re.fullmatch(r"\d+ blobs could not be removed: .*\n", ending.error)


def test_read_only(run: Runner, accounts: Accounts, tmp_path: Path) -> None:
    """Given content is judged by who may only read; nothing is pushed."""
    where, report = scope(Version.V1_1, run.user), tmp_path / "report.json"
    image = pushed(accounts.daemon.url, where)
    given = ["--tag", "1", "--manifest", image.digest, "--blob", image.blobs[0].digest]
    run.password(accounts.reader.secret)
    flags = ["--read-only", "--repository", where.repository, *given, "--group", "spec", "--verbose"]
    ending = run(*flags, "--json", str(report), user=accounts.reader.name)
    assert ending.code == 0, ending.out
    assert "PASSED      MUST   pull.blob.get\n" in ending.out
    exchanges = [one for result in json.loads(report.read_text())["results"] for one in result["exchanges"]]
    assert {one["request"].split()[0] for one in exchanges if one["status"] < 400} == {"GET", "HEAD"}


def test_tls(run: Runner, secure: SecureDaemon) -> None:
    """A certificate has to be trusted: by the system, by --ca, or by nobody, with --insecure."""
    refused = run.refused(secure.url)
    assert f"the certificate of {secure.address} is not trusted (self-signed certificate): see --ca" in refused
    refused = run.refused(secure.url, "--ca", str(make_certificate(secure.data.parent, "other")[0]))
    assert "is not trusted" in refused
    assert f"is it https://{secure.address}?" in run.refused(f"http://{secure.address}")
    for flags in (["--ca", str(secure.certificate)], ["--insecure"]):
        ending = run.at(secure.url, "--filter", "pull.blob.get", *flags)
        assert (ending.code, ending.error) == (0, "")
        assert "4 checks" in ending.out or "3 checks" in ending.out


def test_plain_http_is_taken_for_tls(run: Runner, accounts: Accounts) -> None:
    """Who mistypes the scheme is told."""
    refused = run.refused(f"https://{accounts.daemon.address}")
    assert f"is it http://{accounts.daemon.address}?" in refused


def test_ctrl_c_cleans_up(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever breaks it off keeps nothing of it, and the exit code is that of an interrupt."""
    user, before = accounts.new_user("maintainer"), stored(accounts.daemon)
    monkeypatch.setenv(PASSWORD, user.secret)
    words = ["conformance", accounts.daemon.url, "--user", user.name, "--group", "spec", "--repository", "broken/off"]
    program = subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while "/v2/broken/off/manifests/" not in accounts.daemon.log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    out, error = program.communicate(timeout=30)
    assert (program.returncode, out) == (130, "")
    assert error == "interrupted: removing what was pushed, unless you interrupt once more\n"
    assert stored(accounts.daemon) == before


def stored(daemon: Daemon) -> list[int]:
    """How much there is, besides what can only be brought back. What was pushed lately the collector lets alone."""
    daemon.command("gc", "--forget-deleted")
    found = json.loads(daemon.command("check", "--json"))
    return [found[kind] for kind in ("manifests", "tags", "blobs")]
