"""deploy/Containerfile, as far as it can be judged without a build."""

import re
from pathlib import Path

from tests.deploy.files import DEPLOY, settings_in
from tests.deploy.page import ROOT
from tests.unit.test_packaging import PROJECT

TEXT = (DEPLOY / "Containerfile").read_text()
STEPS = re.findall(r"^([A-Z]+) (.*)$", TEXT, re.MULTILINE)


def test_base_is_pinned() -> None:
    """All stages begin with one image, named without a host and by a whole version of a Python that is supported."""
    (base,) = [value for word, value in STEPS if word == "ARG"]
    version = re.fullmatch(r"BASE=python:3\.(\d+)\.\d+-slim-\w+", base)
    assert version
    assert int(version[1]) >= int(PROJECT["project"]["requires-python"].removeprefix(">=3."))
    assert {value.split()[0] for word, value in STEPS if word == "FROM"} == {"${BASE}"}


def test_all_of_berth_is_in_it() -> None:
    """Every package, and what the build needs besides, is copied; and everything that is copied is there."""
    sources = [value.split()[:-1] for word, value in STEPS if word == "COPY" and not value.startswith("--")]
    copied = {name for names in sources for name in names}
    project = PROJECT["project"]
    assert copied > set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert copied >= {"pyproject.toml", "requirements.txt", project["readme"], *project["license-files"]}
    assert all((ROOT / name).exists() for name in copied)


def test_it_does_not_run_as_root() -> None:
    """The user is a number, so that others can see that it is not root, and owns the data folder."""
    (user,) = [value for word, value in STEPS if word == "USER"]
    uid, _, gid = user.partition(":")
    assert int(uid) > 0 < int(gid)
    assert f"chown {user} /var/lib/berth" in TEXT


def test_its_settings_are_those_of_a_container(tmp_path: Path) -> None:
    """By itself it listens where others reach it, and keeps its data in the volume; one file replaced changes that."""
    (printed,) = re.findall(r"printf '(.+)' > (\S+)", TEXT)
    config = settings_in(printed[0].replace("\\n", "\n"), tmp_path / "berth.toml")
    assert (str(config.server.listen), str(config.storage.data)) == ("0.0.0.0:5000", "/var/lib/berth")
    assert f"BERTH_CONFIG={printed[1]}\n" in TEXT
    assert ("VOLUME", "/var/lib/berth") in STEPS
    assert ("EXPOSE", "5000") in STEPS
