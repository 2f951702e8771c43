"""What registries do wrong when they list tags."""

from __future__ import annotations

import re
from typing import Any

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import first_answer
from tests.conformance.mutants.rules import (
    Asked,
    Mutant,
    Then,
    answers,
    asks,
    document,
    header,
    on,
    refuses,
    status,
    takes_for,
    with_query,
    without,
)

_LIST = on("tags", "GET", 200)


def _tags(change: Any) -> Then:
    return document(lambda found: found.update(tags=change(found["tags"])))


def _natural(tags: list[str]) -> list[str]:
    """As people sort: 2 comes before 10."""
    return sorted(tags, key=lambda tag: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", tag)])


def _asking(change: Any) -> Any:
    """Requests with another query."""
    return lambda request: request.to(f"{request.path}?{change(request.target.partition('?')[2])}")


def _n(number: str) -> Asked:
    return lambda request: request.query.get("n") == number


def _with_last() -> Handler:
    """Pages begin with the tag that the one before ended with."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        last = request.query.get("last")
        if request.route == "tags" and reply.status == 200 and last is not None:
            _tags(lambda tags: [last, *tags])(request, reply)
        return reply

    return handle


def _skipping(request: Request, reply: Reply) -> None:
    """The next page begins one tag too late."""
    link = reply.header("Link")
    if link is not None:
        reply.set("Link", re.sub(r"last=([^&>]*)", r"last=\1~", link).replace("~", "z"))


def _endless(request: Request, reply: Reply) -> None:
    reply.set("Link", f'<{request.target}>; rel="next"')


def _with_digests(request: Request, reply: Reply) -> None:
    _tags(lambda tags: [*tags, "sha256-untagged"])(request, reply)


def _twice() -> Handler:
    """A tag is in the list as often as it was pushed."""
    pushed: list[tuple[str, str]] = []

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "manifest" and reply.status == 201:
            pushed.append((request.name, request.reference))
        if _LIST(request, reply):
            _tags(lambda tags: [tag for tag in tags for _ in range(max(1, pushed.count((request.name, tag))))])(
                request, reply
            )
        return reply

    return handle


def _below() -> Handler:
    """The list has the tags of what is below the repository, too."""
    pushed: set[tuple[str, str]] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "manifest" and reply.status == 201 and not request.is_by_digest:
            pushed.add((request.name, request.reference))
        if _LIST(request, reply):
            more = {tag for name, tag in pushed if name.startswith(f"{request.name}/")}
            _tags(lambda tags: sorted({*tags, *more}))(request, reply)
        return reply

    return handle


def _deleted_stay() -> Handler:
    """Tags that were deleted are listed for ever."""
    deleted: set[tuple[str, str]] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "manifest" and request.method == "DELETE" and reply.status == 202:
            deleted.add((request.name, request.reference))
        if _LIST(request, reply):
            more = {reference for name, reference in deleted if name == request.name and ":" not in reference}
            _tags(lambda tags: sorted({*tags, *more}))(request, reply)
        return reply

    return handle


LISTING = (
    Mutant(
        "tags-of-another-name",
        {"tags.format": "the name is"},
        answers(_LIST, document(lambda found: found.update(name="library/other"))),
        spared=["tags.list"],
    ),
    Mutant(
        "no-tags-are-null",
        {"tags.none": "are None", "tags.n.zero": "are None", "tags.last.end": "are None"},
        answers(_LIST, _tags(lambda tags: tags or None)),
        spared=["tags.list"],
    ),
    Mutant("tags-are-text", {"tags.content-type": "text/plain"}, answers(_LIST, header("Content-Type", "text/plain"))),
    Mutant(
        "tags-are-in-no-order",
        {"tags.order": "are not in order", "tags.n.order": "expected", "concurrency.tags.list": "no lexical order"},
        answers(_LIST, _tags(lambda tags: tags[::-1])),
        spared=["tags.list"],
    ),
    Mutant(
        "tags-are-in-the-order-of-people",
        {"tags.last.pages": "b10", "tags.n.order": "expected"},
        answers(_LIST, _tags(_natural)),
        spared=["tags.list"],
    ),
    Mutant(
        "last-is-listed-again",
        {
            "tags.last": "expected",
            "tags.last.n": "expected",
            "tags.last.end": "expected",
            "clients.regclient.tag-ls": "contains",
        },
        _with_last,
        spared=["tags.n"],
    ),
    Mutant(
        "n-is-ignored",
        {
            "tags.n": "expected",
            "tags.n.zero": "expected",
            "tags.last.n": "expected",
            "clients.regclient.tag-ls": "contains",
        },
        takes_for(asks("tags", "GET", with_query("n")), _asking(lambda query: re.sub(r"n=\d+&?", "", query))),
        spared=["tags.last"],
    ),
    Mutant(
        "n-of-zero-is-all",
        {"tags.n.zero": "expected []"},
        takes_for(asks("tags", "GET", _n("0")), _asking(lambda _: "")),
        spared=["tags.n"],
    ),
    Mutant(
        "n-of-zero-has-a-next-page",
        {"tags.n.zero.no-link": "has Link"},
        answers(on("tags", "GET", 200, _n("0")), header("Link", '</v2/>; rel="next"')),
        spared=["tags.n.zero"],
    ),
    Mutant(
        "n-has-a-limit",
        {"tags.n.more-than-all": "answered 400", "clients.renovate.tags": "answered 400", "clients.flux.poll": "400"},
        refuses(asks("tags", "GET", lambda request: len(request.query.get("n", "")) > 3), 400, "UNSUPPORTED"),
        spared=["tags.n"],
    ),
    Mutant(
        "page-lacks-its-last-tag",
        {"tags.n": "expected", "tags.last.n": "expected"},
        answers(on("tags", "GET", 200, with_query("n")), _tags(lambda tags: tags[:-1]), without("Link")),
        spared=["tags.list"],
    ),
    Mutant(
        "last-must-be-there",
        {"tags.last.not-there": "expected"},
        answers(on("tags", "GET", 200, lambda request: request.query.get("last") == "b11"), _tags(lambda _: [])),
        spared=["tags.last"],
    ),
    Mutant(
        "link-is-bare",
        {"tags.link": "is not as RFC 5988 has it"},
        answers(
            _LIST, header("Link", lambda _, reply: (reply.header("Link") or "").strip("<").partition(">")[0] or None)
        ),
        spared=["tags.last.pages"],
    ),
    Mutant(
        "link-has-no-relation",
        {"tags.link": 'has no rel="next"'},
        answers(_LIST, header("Link", lambda _, reply: (reply.header("Link") or "").partition(";")[0] or None)),
    ),
    Mutant("link-skips-a-tag", {"tags.link": "expected"}, answers(_LIST, _skipping), spared=["tags.last.pages"]),
    Mutant(
        "link-has-no-end",
        {"tags.link": "still names a next page after", "tags.link.end": "all tags are listed, and there is Link"},
        answers(on("tags", "GET", 200, with_query("n")), _endless),
    ),
    Mutant(
        "n-of-no-number-is-a-crash",
        {"tags.n.malformed": "answered 500"},
        answers(on("tags", "GET", 400), status(500)),
    ),
    Mutant(
        "tags-of-nothing-are-none",
        {"tags.unknown-repository": "answered 200, expected 404"},
        answers(on("tags", "GET", 404), status(200)),
    ),
    Mutant(
        "list-of-tags-is-stale",
        {"tags.at-once": "expected", "concurrency.delete.tag-and-push": "says otherwise"},
        first_answer(asks("tags", "GET")),
        spared=["tags.list"],
    ),
    Mutant("tags-are-listed-twice", {"tags.at-once": "expected"}, _twice, spared=["tags.list"]),
    Mutant("untagged-is-listed", {"tags.only-tags": "expected ['one']"}, answers(_LIST, _with_digests)),
    Mutant("tags-of-what-is-below", {"tags.own": "expected ['one']"}, _below, spared=["tags.list"]),
    Mutant(
        "deleted-tags-are-listed",
        {"delete.tag.not-listed": "expected ['stays']"},
        _deleted_stay,
        spared=["delete.tag.gone", "tags.list"],
    ),
)
