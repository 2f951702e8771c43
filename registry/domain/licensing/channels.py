"""Channels: which versions belong to which, and which channels one includes."""

from __future__ import annotations

from registry.domain.licensing.versions import Version
from registry.domain.licensing.words import Channel
from registry.errors import AttributeInvalid

# Who takes what is less ripe takes what is riper, too.
_RIPENESS = (Channel.STABLE, Channel.RC, Channel.BETA, Channel.ALPHA)


def included(channel: Channel) -> tuple[Channel, ...]:
    """The channels whose releases are in this one: itself and all riper ones; dev is by itself."""
    if channel is Channel.DEV:
        return (Channel.DEV,)
    return _RIPENESS[: _RIPENESS.index(channel) + 1]


def channel_of(version: Version) -> Channel | None:
    """The only channel in which the version can be released; None where its prerelease is that of no channel."""
    if version.prerelease is None:
        return Channel.STABLE
    for channel in Channel:
        if channel is not Channel.STABLE and version.prerelease.startswith(channel):
            return channel
    return None


def expect_channel(version: Version, channel: Channel) -> None:
    """Raises `AttributeInvalid` about the version unless it can be released in the channel."""
    if channel_of(version) is channel:
        return
    wanted = "no prerelease" if channel is Channel.STABLE else f"a prerelease that begins with {channel}"
    raise AttributeInvalid("version", f"has to have {wanted} in channel {channel}", "CHANNEL_INVALID")
