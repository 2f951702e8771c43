"""deploy/systemd: units for one machine."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from registry.cli import _parser
from registry.config.settings import Config
from tests.clients.programs import require
from tests.deploy.files import DEPLOY
from tests.deploy.page import PAGE

FOLDER = DEPLOY / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir())


def values(unit: str, section: str) -> dict[str, list[str]]:
    """The settings of a section; each may be there more than once."""
    found: dict[str, list[str]] = {}
    text = (FOLDER / unit).read_text().partition(f"[{section}]\n")[2].partition("\n[")[0]
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    """The units are what systemd understands."""
    require("systemd-analyze")
    for unit in UNITS:
        text = (FOLDER / unit).read_text()
        # Berth is not installed there on this machine.
        (tmp_path / unit).write_text(text.replace("/opt/berth/bin/berth", shutil.which("true") or ""))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *UNITS],
        cwd=tmp_path,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("unit", ["berth.service", "berth-backup.service"])
def test_commands_are_berths(unit: str) -> None:
    """What is started is what the command line takes."""
    for command in values(unit, "Service")["ExecStart"]:
        program, *words = shlex.split(command)
        assert program == "/opt/berth/bin/berth"
        assert _parser(words).parse_args(words).run is not None


def test_stop_waits_for_the_drain() -> None:
    """Systemd waits longer for the daemon than the daemon, as it is by default, for its requests."""
    service = values("berth.service", "Service")
    assert int(service["TimeoutStopSec"][0]) > Config().server.drain_timeout + 10
    assert service["KillMode"] == ["mixed"]


def test_backup_may_write_where_it_has_to() -> None:
    """The file system is read-only for the backup, but for the data folder and the disk that it goes to."""
    service, daemon = values("berth-backup.service", "Service"), values("berth.service", "Service")
    target = shlex.split(service["ExecStart"][0])[2]
    places = service["ReadWritePaths"][0].split()
    assert f"/var/lib/{daemon['StateDirectory'][0]}" in places
    assert any(Path(target).is_relative_to(place) for place in places)
    assert service["User"] == daemon["User"]


def test_page_names_the_units() -> None:
    """What the page enables is there."""
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith("systemctl enable")]
    for name in line.split()[3:]:
        assert (name if "." in name else f"{name}.service") in UNITS
