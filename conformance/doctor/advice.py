"""What to do about each finding: advice.toml, read, and put in the words of the proxies that were recognised."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from conformance.doctor.proxies import NAMES

_EXAMPLE = "nginx"


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known of a finding.

    `who` suffers, and how; `why` says what is probably wrong; `change` what to do about it, in general; `settings` name
    the setting of each proxy, and `registry` those of registries, where they can be wrong, too.
    """

    who: str
    why: str
    change: str
    registry: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def changes(self, proxies: Sequence[str]) -> list[str]:
        """What to change, where these proxies were recognised; where none was, nginx is an example."""
        known = [proxy for proxy in proxies if proxy in self.settings]
        lines = [self.change]
        lines += [f"{NAMES[proxy]}: {self.settings[proxy]}" for proxy in known]
        if not known and not proxies and _EXAMPLE in self.settings:
            lines.append(f"{NAMES[_EXAMPLE]}, for example: {self.settings[_EXAMPLE]}")
        if self.registry:
            lines.append(f"the registry: {self.registry}")
        return lines


@cache
def all_advice() -> Mapping[str, Advice]:
    """The advice of each finding, by its id."""
    text = resources.files("conformance.doctor").joinpath("advice.toml").read_text(encoding="utf-8")
    return {name: _advice(entry) for name, entry in tomllib.loads(text).items()}


def _advice(entry: Mapping[str, str]) -> Advice:
    known = {"who", "why", "change", "registry"}
    unknown = entry.keys() - known - NAMES.keys()
    if unknown:
        raise ValueError(f"advice.toml: {sorted(unknown)}")
    return Advice(
        entry["who"],
        entry["why"],
        entry["change"],
        entry.get("registry", ""),
        {name: text for name, text in entry.items() if name in NAMES},
    )
