"""What docs/operations.md says beside its commands."""

import re
from pathlib import Path

import yaml

from registry.cli import COMMANDS, NOUNS, TOOLS
from registry.config.table import SECTIONS, SETTINGS
from tests.deploy.files import connections, settings_in
from tests.deploy.page import PAGE, ROOT, blocks

TEXT = PAGE.read_text()


def test_settings_exist() -> None:
    """Every setting that is named is one."""
    named = set(re.findall(rf"`((?:{'|'.join(SECTIONS)})\.[a-z_]+)\b", TEXT))
    assert len(named) > 20
    assert named <= set(SETTINGS)


def test_commands_exist() -> None:
    """Every command that is named is one."""
    named = set(re.findall(r"(?:^|`|/)berth ([a-z]+)", TEXT, re.MULTILINE))
    assert len(named) > 5
    assert named <= {command.__name__.rpartition(".")[2] for command in COMMANDS} | set(NOUNS) | set(TOOLS)


def test_examples_are_understood(tmp_path: Path) -> None:
    """The settings for several daemons are a configuration, and the example for Prometheus is YAML."""
    (settings,) = blocks("Several daemons", "toml")
    assert connections(settings_in(settings, tmp_path / "berth.toml")) == 12
    (scraped,) = blocks("Monitoring", "yaml")
    assert yaml.safe_load(scraped)["scrape_configs"][0]["job_name"] == "berth"


def test_files_exist() -> None:
    """What is linked, and what is named of deploy/, is there."""
    made = {ROOT / "deploy/compose/.env"}
    named = {ROOT / name for name in re.findall(r"deploy/[\w./-]*[\w/]", TEXT.replace("systemd/berth*", "systemd/"))}
    linked = {(PAGE.parent / name).resolve() for name in re.findall(r"\]\(([^):]+)\)", TEXT)}
    assert {path for path in named - made | linked if not path.exists()} == set()
