"""Channels of releases."""

import pytest

from registry.domain.licensing.channels import channel_of, expect_channel, included
from registry.domain.licensing.versions import parse_version
from registry.domain.licensing.words import Channel
from registry.errors import AttributeInvalid


@pytest.mark.parametrize(
    ("channel", "channels"),
    [
        ("stable", "stable"),
        ("rc", "stable rc"),
        ("beta", "stable rc beta"),
        ("alpha", "stable rc beta alpha"),
        ("dev", "dev"),
    ],
)
def test_included(channel: str, channels: str) -> None:
    """Who asks for a channel gets all riper ones too; dev stands alone."""
    assert included(Channel(channel)) == tuple(map(Channel, channels.split()))


@pytest.mark.parametrize(
    ("version", "channel"),
    [
        ("1.0.0", "stable"),
        ("1.0.0+beta", "stable"),
        ("1.0.0-rc.1", "rc"),
        ("1.0.0-beta.2", "beta"),
        ("2.0.0-alpha1", "alpha"),
        ("1.0.0-dev", "dev"),
        ("1.0.0-nightly", None),
        ("1.0.0-1", None),
        ("1.0.0-stable", None),
        ("1.0.0-Beta", None),
        ("1.0.0-x.beta", None),
    ],
)
def test_channel_of(version: str, channel: str | None) -> None:
    """A version belongs to one channel, the one that its prerelease begins with, and fits no other."""
    parsed = parse_version(version)
    assert channel_of(parsed) == channel
    for other in Channel:
        if other == channel:
            expect_channel(parsed, other)
            continue
        with pytest.raises(AttributeInvalid) as raised:
            expect_channel(parsed, other)
        assert (raised.value.attribute, raised.value.problem) == ("version", "CHANNEL_INVALID")
        assert f"in channel {other}" in str(raised.value)
