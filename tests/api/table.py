"""Tables of requests and answers: the form in which the API's behaviour is written down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.api.server import Answer, Body, Registry

_NEXT = re.compile(r'<([^>]+)>; rel="next"')


@dataclass(frozen=True)
class Step:
    """One request, and what its answer has to be.

    In URLs and headers `{upload}`, `{location}`, `{etag}`, `{next}` stand for what the last answers said of an
    upload's id, in `Location`, in `ETag`, and in a `Link` to the next page.

    Attributes:
        sees: headers of the answer; None for one that has to be absent.
        error: the code of the error body, or several for a body with as many errors.
        gives: the whole body: bytes, or an object that the JSON has to equal.
        parts: `Content-Range` and content of each part of a multipart answer, in order.
    """

    method: str
    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = b""
    sees: Mapping[str, str | None] = field(default_factory=dict)
    error: str | tuple[str, ...] | None = None
    gives: Any = None
    parts: Sequence[tuple[str, bytes]] | None = None


@dataclass(frozen=True)
class Case:
    """One row: under `config`, after `seed`, the requests of `steps` are answered as they say.

    `spec` is the endpoint's id in the specification, or the word for what lies beyond it.
    """

    spec: str
    name: str
    steps: tuple[Step, ...]
    seed: tuple[Step, ...] = ()
    config: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.spec}: {self.name}"


def case(
    spec: str,
    name: str,
    *steps: Step,
    seed: Sequence[Step] = (),
    config: Mapping[str, object] | None = None,
) -> Case:
    return Case(spec, name, steps, tuple(seed), config or {})


def rows(*tables: list[Case]) -> pytest.MarkDecorator:
    """Run a test once per row."""
    cases = [row for table in tables for row in table]
    names = [str(row) for row in cases]
    assert len(set(names)) == len(names), "two rows have one name"
    return pytest.mark.parametrize("row", cases, ids=names)


async def play(registry: Registry, row: Case) -> None:
    """Ask for every step of the row; AssertionError where an answer is not what the row says."""
    known: dict[str, str] = {}
    for step in (*row.seed, *row.steps):
        headers = {name: _fill(value, known) for name, value in step.headers.items()}
        answer = await registry.ask(step.method, _fill(step.url, known), headers=headers, body=step.body)
        _expect(step, answer, known)
        known |= _learned(answer)


def _fill(text: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _learned(answer: Answer) -> dict[str, str]:
    found = {
        "upload": answer.headers.get("Docker-Upload-UUID"),
        "location": answer.headers.get("Location"),
        "etag": answer.headers.get("ETag"),
    }
    link = _NEXT.fullmatch(answer.headers.get("Link", ""))
    found["next"] = link[1] if link else None
    return {name: value for name, value in found.items() if value is not None}


def _expect(step: Step, answer: Answer, known: Mapping[str, str]) -> None:
    asked = f"{step.method} {step.url}"
    assert answer.status == step.status, f"{asked} gave {answer.status}: {answer.body[:500]!r}"
    now = {**known, **_learned(answer)}
    for name, value in step.sees.items():
        got = ", ".join(answer.headers.getall(name)) if name in answer.headers else None
        assert got == (None if value is None else _fill(value, now)), f"{asked} gave {name}: {got}"
    if step.error is not None:
        wanted = [step.error] if isinstance(step.error, str) else list(step.error)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.codes() == wanted, f"{asked} gave {answer.json()}"
    if isinstance(step.gives, bytes):
        assert answer.body == step.gives
    elif step.gives is not None:
        assert answer.json() == step.gives
    if step.parts is not None:
        assert _parts(answer) == list(step.parts)


def _parts(answer: Answer) -> list[tuple[str, bytes]]:
    kind, _, boundary = answer.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    first, *parts, last = (b"\r\n" + answer.body).split(f"\r\n--{boundary}".encode())
    assert first.strip() == b""
    assert last == b"--\r\n"
    return [_part(part) for part in parts]


def _part(text: bytes) -> tuple[str, bytes]:
    head, _, content = text.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().strip().split("\r\n"))
    return fields["Content-Range"], content
