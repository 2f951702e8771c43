"""The settings as a table, each under its dotted path, such as server.listen."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from registry.config.kinds import Kind
from registry.config.settings import Config


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where it is, what it may be, and what is said about it."""

    section: str
    key: str
    default: Any
    kind: Kind[Any]
    help: str
    secret: bool

    @property
    def path(self) -> str:
        """Its name in a file and among flags."""
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """Its name in the environment, such as BERTH_SERVER__LISTEN."""
        return f"BERTH_{self.section}__{self.key}".upper()


def settings_of(section: str, section_type: type[Any]) -> Iterator[Setting]:
    """Yield the settings of a section class, in the order of their declaration."""
    for field in fields(section_type):
        yield Setting(section, field.name, field.default, **field.metadata)


SECTIONS: dict[str, type[Any]] = get_type_hints(Config)
SETTINGS = {setting.path: setting for name, type_ in SECTIONS.items() for setting in settings_of(name, type_)}


def nearest_section(name: str) -> str | None:
    """Return the section that somebody who wrote name may have meant."""
    return next(iter(get_close_matches(name, SECTIONS, n=1)), None)


def nearest_setting(path: str) -> Setting | None:
    """Return the setting that somebody who wrote path may have meant.

    A similar key of the same section comes first, then a similar key anywhere, then a similar path.
    """
    section, _, key = path.rpartition(".")
    everywhere = {setting.key: setting for setting in SETTINGS.values()}
    here = {key: setting for key, setting in everywhere.items() if setting.section == section}
    for wanted, candidates in ((key, here), (key, everywhere), (path, SETTINGS)):
        if close := get_close_matches(wanted, candidates, n=1):
            return candidates[close[0]]
    return None
