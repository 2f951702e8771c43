"""`Warning` headers (spec, "Warnings"; RFC 7234, section 5.5)."""

from __future__ import annotations

import re

from registry.api.wire import warning_headers

FORM = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')


def test_form() -> None:
    """A warning has code 299, agent `-`, the quoted text, and no date."""
    assert warning_headers(["this tag goes away in May"]) == ['299 - "this tag goes away in May"']
    assert warning_headers([]) == []


def test_quoting() -> None:
    """Quotes and backslashes are escaped, and what a header cannot hold is replaced."""
    assert warning_headers(['say "no\\yes"']) == ['299 - "say \\"no\\\\yes\\""']
    assert warning_headers(["a\r\nSet-Cookie: x\x00é\x7f"]) == ['299 - "a??Set-Cookie: x???"']


def test_each_once() -> None:
    """The same text is sent once, in the place where it came first."""
    assert warning_headers(["a", "b", "a"]) == ['299 - "a"', '299 - "b"']


def test_4096_bytes() -> None:
    """All warnings together are at most 4096 bytes, and each that is sent is whole."""
    texts = [f"{number} " + "x" * 90 for number in range(100)]
    values = warning_headers(texts)
    assert sum(len(value.encode()) for value in values) <= 4096
    assert 35 < len(values) < 45
    matches = [FORM.fullmatch(value) for value in values]
    assert [match[1] for match in matches if match] == texts[: len(values)]


def test_longest() -> None:
    """A text of the largest size is sent, one of a byte more is not."""
    room = 4096 - len('299 - ""')
    assert warning_headers(["x" * room]) == [f'299 - "{"x" * room}"']
    assert warning_headers(["x" * (room + 1)]) == []
    assert warning_headers(['"' * room]) == []
