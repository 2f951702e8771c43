"""Write settings as TOML: the example file, and the configuration in effect."""

import textwrap
from collections.abc import Iterable

from registry.config.settings import Config
from registry.config.table import SECTIONS, SETTINGS, Setting

_INTRODUCTION = """\
# Every setting of Berth, with its meaning and its default. Copy this file and uncomment what you change.
#
# The environment overrides the file, and flags override both: listen in [server] is BERTH_SERVER__LISTEN.
# A size is a number of bytes, or "500MB" (1000 × 1000) or "4MiB" (1024 × 1024) and the like.
# A duration is a number of seconds, or "500ms", "90s", "15m", "24h", "7d" and the like.
"""


def render_example() -> str:
    """Return config.example.toml: every setting with its help and its default, commented out."""
    sections = (
        f"# {type_.__doc__}\n[{name}]\n" + "\n".join(_explained(setting) for setting in _settings(name))
        for name, type_ in SECTIONS.items()
    )
    return "\n".join([_INTRODUCTION, *sections])


def render(config: Config) -> str:
    """Return the whole configuration as TOML, which `load` would take again; secrets are hidden."""
    sections = (
        f"[{name}]\n"
        + "".join(assignment(setting, getattr(getattr(config, name), setting.key)) for setting in _settings(name))
        for name in SECTIONS
    )
    return "\n".join(sections)


def assignment(setting: Setting, value: object) -> str:
    """Return the line that sets a value, or for a secret a comment that does not give it away."""
    return f"# {setting.key} is secret\n" if setting.secret else _line(setting, value)


def _line(setting: Setting, value: object) -> str:
    return f"{setting.key} = {setting.kind.write(value)}\n"


def _explained(setting: Setting) -> str:
    help_lines = textwrap.wrap(setting.help, 100, initial_indent="# ", subsequent_indent="# ")
    return "\n".join([*help_lines, f"#{_line(setting, setting.default)}"])


def _settings(section: str) -> Iterable[Setting]:
    return (setting for setting in SETTINGS.values() if setting.section == section)
