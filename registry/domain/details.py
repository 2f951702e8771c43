"""What the audit log says of a change: few words, always in the same form, since people search for them.

Descriptions are said to have changed, not how: they are long, and nobody knows what is in them.
"""

from __future__ import annotations

from storage.metadata.principals import RobotRow, UserRow

_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def listed(*words: str) -> str | None:
    """Those that are not empty, such as `role reader -> owner, disabled`; None when nothing was changed."""
    return ", ".join(filter(None, words)) or None


def moved(before: object | None, after: object) -> str:
    """`reader -> owner`; `owner` where there was nothing before, and empty where it stays the same."""
    if before == after:
        return ""
    return str(after) if before is None else f"{before} -> {after}"


def role_moved(word: str, before: str | None, after: str | None) -> str:
    """As `moved`, after that word, for a role that one can be without."""
    return "" if before == after else f"{word} {moved(before or 'none', after or 'none')}"


def lasting(length_ms: int | None) -> str:
    """A length of time as registries have them: `30d`, `never` for 0, `default` for None, which is as configured."""
    if not length_ms:
        return "default" if length_ms is None else "never"
    unit, size = next((unit, size) for unit, size in _UNITS.items() if length_ms % size == 0)
    return f"{length_ms // size}{unit}"


def length_moved(word: str, before: int | None, after: int | None) -> str:
    """As `moved`, after that word, for a length of time."""
    return "" if before == after else f"{word} {lasting(before)} -> {lasting(after)}"


def switched(before: UserRow | RobotRow, after: UserRow | RobotRow) -> str:
    """Whether the account was disabled, or enabled."""
    if before.disabled == after.disabled:
        return ""
    return "disabled" if after.disabled else "enabled"


def described(before: str, after: str) -> str:
    """Whether the description was changed."""
    return "" if before == after else "description"
