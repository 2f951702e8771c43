"""Versions of releases: how they are written, which one is newer, and which ones an upgrade may lead to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from registry.errors import AttributeInvalid, ParameterInvalid

# A version is also a tag, and a tag can be no longer.
VERSION_LENGTH_MAX = 128
# The largest whole number that every reader of JSON understands exactly.
NUMBER_MAX = 2**53 - 1

_NUMBER = r"0|[1-9][0-9]{0,15}"
_WORDS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SHAPE = rf"({_NUMBER})(?:\.({_NUMBER})(?:\.({_NUMBER}))?)?(?:-({_WORDS}))?(?:\+({_WORDS}))?"
_VERSION = re.compile(_SHAPE)
_CONSTRAINT = re.compile(rf"(~>|>=|<=|!=|[=~^><])?\s*{_SHAPE}")
_DOWNWARD = {"<", "<=", "!="}
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version. The fields, in this order, are those of the `semver` object in documents."""

    major: int
    minor: int
    patch: int
    prerelease: str | None = None
    build: str | None = None

    def __str__(self) -> str:
        prerelease = "" if self.prerelease is None else f"-{self.prerelease}"
        build = "" if self.build is None else f"+{self.build}"
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{build}"


def parse_version(text: str) -> Version:
    """The version that is written so; `1` and `1.2` are understood as 1.0.0 and 1.2.0. Raises `AttributeInvalid`.

    What is returned, written again, is the form under which a version is kept.
    """
    if len(text) > VERSION_LENGTH_MAX:
        raise AttributeInvalid("version", f"may have at most {VERSION_LENGTH_MAX} characters", "TOO_LONG")
    version = find_version(text)
    if version is None:
        raise AttributeInvalid(
            "version", f"has to be a semantic version such as 1.2.3-beta.1, its numbers at most {NUMBER_MAX}"
        )
    return version


def find_version(text: str) -> Version | None:
    """As `parse_version`, None where it raises."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    major, minor, patch, prerelease, build = match.groups()
    version = Version(int(major), int(minor or 0), int(patch or 0), prerelease, build)
    return version if _fits(version) else None


def _fits(version: Version) -> bool:
    words = [*(version.prerelease or "").split("."), *(version.build or "").split(".")]
    if any(len(word) > len(str(NUMBER_MAX)) for word in words if _is_number(word)):
        return False
    # In a build, 007 is as good as 7.
    prerelease_words = (version.prerelease or "").split(".")
    if any(_is_number(word) and word != str(int(word)) for word in prerelease_words):
        return False
    numbers = [version.major, version.minor, version.patch, *(int(word) for word in words if _is_number(word))]
    return max(numbers) <= NUMBER_MAX and len(str(version)) <= VERSION_LENGTH_MAX


def _is_number(word: str) -> bool:
    return _DIGITS.fullmatch(word) is not None


def sort_key(version: Version) -> str:
    """ASCII text that compares, byte by byte, as versions do; no two versions have the same.

    In this order decide: major, minor, patch; that there is no prerelease, which is more than any; the words of the
    prerelease joined by '.', as text; its first number, of which none is less than any; words and first number of the
    build in the same way. Where all of this is equal, the other numbers do, and at last the text.
    """
    first = "".join(_number_key(number) for number in (version.major, version.minor, version.patch))
    if version.prerelease is None:
        first += "~"
    else:
        first += f"-{_words_key(version.prerelease)}"
    second = _words_key(version.build or "")
    rest = "!".join(_numbers_key(part or "") for part in (version.prerelease, version.build))
    return f"{first}{second}{rest}!{version.prerelease or ''}+{version.build or ''}"


def _number_key(number: int) -> str:
    """Its digits after a letter that says how many there are: of two numbers the longer one is the larger one."""
    digits = str(number)
    return chr(ord("a") + len(digits) - 1) + digits


def _words_key(part: str) -> str:
    """The words, ended by what is less than any character of a word, and the first number; '_' is less than any."""
    words, numbers = _split(part)
    return f"{'.'.join(words)}!{_number_key(numbers[0]) if numbers else '_'}"


def _numbers_key(part: str) -> str:
    return "".join(map(_number_key, _split(part)[1]))


def _split(part: str) -> tuple[list[str], list[int]]:
    pieces = part.split(".") if part else []
    return [piece for piece in pieces if not _is_number(piece)], [int(piece) for piece in pieces if _is_number(piece)]


def tag_of(version: Version) -> str:
    """The tag of the version's manifest. Tags cannot have a '+': it becomes '_', as helm does it.

    No version has a '_' of its own, so `version_of_tag` finds the version again.
    """
    return str(version).replace("+", "_")


def version_of_tag(tag: str) -> Version | None:
    """The version that is pushed under the tag; None where it is another tag.

    Short forms are other tags: `1` and `1.2` are moved from version to version by who pushes images.
    """
    version = find_version(tag.replace("_", "+", 1))
    return version if version is not None and tag_of(version) == tag else None


@dataclass(frozen=True, slots=True)
class Constraint:
    """To which versions an upgrade may lead; None is what was left open."""

    major: int
    minor: int | None = None
    patch: int | None = None
    prerelease: str | None = None
    build: str | None = None

    def allows(self, version: Version) -> bool:
        """Whether the last number given is reached, and all before it are the same, prerelease and build too."""
        low, high = self.key_range
        return (
            low <= sort_key(version) < high
            and self.prerelease in (None, version.prerelease)
            and self.build in (None, version.build)
        )

    @property
    def key_range(self) -> tuple[str, str]:
        """Between which sort keys, the second excluded, the versions are whose numbers are allowed."""
        given = [number for number in (self.major, self.minor, self.patch) if number is not None]
        keys = [_number_key(number) for number in given]
        fixed = keys[:1] if len(keys) == 1 else keys[:-1]
        return "".join(keys), "".join(fixed) + "~"


def parse_constraint(text: str) -> Constraint:
    """`1` allows 1.x, `1.2` allows 1.2 and later 1.x, `1.2.3` allows 1.2.3 and later 1.2.x.

    An operator before it means nothing, but for those that would lead down. Raises `ParameterInvalid`.
    """
    match = _CONSTRAINT.fullmatch(text.strip()) if len(text) <= VERSION_LENGTH_MAX else None
    if match is None or match[1] in _DOWNWARD:
        raise ParameterInvalid("constraint", "has to be the beginning of a version, such as 1, 1.2 or 1.2.3")
    major, minor, patch, prerelease, build = match.groups()[1:]
    constraint = Constraint(int(major), _optional(minor), _optional(patch), prerelease, build)
    if max(constraint.major, constraint.minor or 0, constraint.patch or 0) > NUMBER_MAX:
        raise ParameterInvalid("constraint", f"has to have numbers of at most {NUMBER_MAX}")
    return constraint


def _optional(digits: str | None) -> int | None:
    return None if digits is None else int(digits)
