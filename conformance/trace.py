"""Traces: what real clients send, as data. `traces/*.toml` has them; each is a sequence of requests.

A file begins with what all of its traces share: `client`, its name; `headers`, which all requests have; `words`, names
for long values; `parts`, sequences of steps that occur more than once. In texts, `{…}` stands for a variable: a word, a
content (`{layer.digest}`), `{name}` and `{other}`, two repositories, `{tag}`, or what a step has saved.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from conformance.requirement import Category, Level, Version

Table = Mapping[str, Any]

_STEP = {"send", "is", "with", "query", "body", "chunked", "has", "gives", "contains", "lacks", "save", "when"}
_STEP |= {"declined"}
_TRACE = {"id", "text", "level", "category", "since", "fresh", "given", "content", "steps"}


@dataclass(frozen=True, slots=True)
class Step:
    """One request, and what has to come back.

    Attributes:
        query: parameters to add to the path.
        body: the name of a content, or a part of it as `name[begin:end]`; `chunked` sends it without its length.
        statuses: which are right; one of `declined` says that the registry does not offer this.
        has: headers of the answer with their values, "" for any.
        gives: the content that the answer's body has to be; of a 206 the parts that it has to bring, in their order.
        contains, lacks: texts that the answer's JSON has to contain, or must not.
        saves: variables, each with the header that it is taken from, or `status`; `Link` gives the next page's URL.
        when: only if a variable has a value, as `variable=value`.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    chunked: bool
    statuses: Sequence[int]
    declined: Sequence[int]
    has: Mapping[str, str]
    gives: Sequence[str]
    contains: Sequence[str]
    lacks: Sequence[str]
    saves: Mapping[str, str]
    when: str


@dataclass(frozen=True, slots=True)
class Given:
    """What is there before the client comes: a content in a repository, a manifest by a tag or by its digest."""

    item: str
    repository: str
    tag: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What a client sends to do one thing. `contents` are described as `content_of` reads them."""

    id: str
    client: str
    text: str
    level: Level
    category: Category
    since: Version
    fresh: bool
    words: Mapping[str, str]
    contents: Mapping[str, Table]
    given: Sequence[Given]
    steps: Sequence[Step]


def traces() -> list[Trace]:
    """All traces, file by file. Raises `ValueError` if something in a file is not known."""
    files = sorted((resources.files("conformance") / "traces").iterdir(), key=lambda file: file.name)
    return [
        trace
        for file in files
        if file.name.endswith(".toml")
        for trace in _read(tomllib.loads(file.read_text(encoding="utf-8")))
    ]


def _read(document: Table) -> Iterator[Trace]:
    parts, headers = document.get("parts", {}), document.get("headers", {})
    for table in document["trace"]:
        _expect_known(table, _TRACE)
        yield Trace(
            id=table["id"],
            client=document["client"],
            text=table["text"],
            level=Level(table.get("level", Level.MUST)),
            category=Category(table["category"]),
            since=Version(table.get("since", Version.V1_0)),
            fresh=table.get("fresh", False),
            words=document.get("words", {}),
            contents=table.get("content", {}),
            given=[Given(one["item"], one.get("in", "{name}"), one.get("as", "")) for one in table.get("given", [])],
            steps=[_step(step, headers) for step in _expanded(table["steps"], parts)],
        )


def _expanded(steps: Sequence[Table], parts: Mapping[str, Sequence[Table]]) -> Iterator[Table]:
    """The steps, with each `do` replaced by the steps of this part; `$item` in them is its content."""
    for step in steps:
        if "do" not in step:
            yield step
            continue
        for one in parts[step["do"]]:
            done = _replaced(one, step.get("item", ""))
            yield {**done, "when": step["when"]} if "when" in step else done


def _replaced(value: Any, item: str) -> Any:
    if isinstance(value, str):
        return value.replace("$item", item)
    if isinstance(value, dict):
        return {key: _replaced(one, item) for key, one in value.items()}
    return [_replaced(one, item) for one in value] if isinstance(value, list) else value


def _step(table: Table, headers: Mapping[str, str]) -> Step:
    _expect_known(table, _STEP)
    method, _, path = table["send"].partition(" ")
    return Step(
        method=method,
        path=path,
        query=table.get("query", {}),
        headers={**headers, **table.get("with", {})},
        body=table.get("body", ""),
        chunked=table.get("chunked", False),
        statuses=_listed(table["is"]),
        declined=_listed(table.get("declined", [])),
        has=table.get("has", {}),
        gives=_listed(table.get("gives", [])),
        contains=_listed(table.get("contains", [])),
        lacks=_listed(table.get("lacks", [])),
        saves=table.get("save", {}),
        when=table.get("when", ""),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _expect_known(table: Table, known: set[str]) -> None:
    if unknown := set(table) - known:
        raise ValueError(f"a trace has the unknown fields {', '.join(sorted(unknown))}: {table}")


_PART = re.compile(r"(\w+)\[(\d*):(\d*)\]")


def part_of(text: str) -> tuple[str, slice]:
    """The content that the body of a step names, and which part of it."""
    found = _PART.fullmatch(text)
    if found is None:
        return text, slice(None)
    name, begin, end = found.groups()
    return name, slice(int(begin or 0), int(end) if end else None)
