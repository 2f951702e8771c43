"""Listing tags while they come and go."""

from __future__ import annotations

from functools import partial
from typing import Any

from conformance.content import Manifest, new_image
from conformance.parallel import at_once
from conformance.requirement import Category, Checklist, Failed, Group, Level
from conformance.session import Session, expect, manifest_path
from conformance.wire import Answer

LISTS = Checklist(Group.CONCURRENCY, Category.DISCOVERY, "Listing Tags")

_PAGES_MAX = 40
_STAYING = ("a-stays", "m-stays", "z-stays")


def listed_tags(answer: Answer) -> list[str]:
    """The tags in a list, none of a repository that is not there."""
    document: Any = answer.expect(200, 404).json()
    tags = document.get("tags") if isinstance(document, dict) and answer.status == 200 else []
    return [tag for tag in tags or [] if isinstance(tag, str)]


def _busy(session: Session, name: str) -> Manifest:
    """Tags that stay in a repository, on an image that others are put on and taken from."""
    image = new_image()
    for tag in _STAYING:
        session.manifest(image, tag, name)
    return image


def _come_and_go(session: Session, name: str, image: Manifest, letter: str) -> None:
    for number in range(6):
        tag = f"{letter}-{number}"
        session.put_manifest(image, tag, name).expect(201)
        if number % 2:
            session.send("DELETE", manifest_path(name, tag))


def _expect_list(tags: list[str]) -> None:
    expect(len(tags) == len(set(tags)), f"a tag is listed twice: {tags}")
    orders = (sorted(tags), sorted(tags, key=str.lower))
    expect(tags in orders, f"the tags are in no lexical order: {tags}")
    for tag in _STAYING:
        expect(tag in tags, f"the tag {tag}, which is there all the time, is missing: {tags}")


@LISTS.check(
    "concurrency.tags.list",
    Level.MUST,
    "A list of tags that is read while tags come and go is in order, without doubles, and has all that stay",
)
def listed(session: Session) -> None:
    name = session.new_name()
    image = _busy(session, name)

    def read() -> None:
        for _ in range(10):
            _expect_list(listed_tags(session.tags(name).expect(200)))

    at_once(session, [partial(_come_and_go, session, name, image, letter) for letter in "bn"] + [read])


@LISTS.check(
    "concurrency.tags.pages",
    Level.SHOULD,
    "Pages of tags that are read while tags come and go have no doubles, and all that stay",
)
def paged(session: Session) -> None:
    name = session.new_name()
    image = _busy(session, name)

    def read() -> None:
        for _ in range(3):
            found: list[str] = []
            query = "?n=2"
            for _ in range(_PAGES_MAX):
                page = listed_tags(session.tags(name, query).expect(200))
                found += page
                if len(page) < 2:
                    break
                query = f"?n=2&last={page[-1]}"
            else:
                raise Failed(f"the pages of tags do not end: {found}")
            _expect_list(found)

    at_once(session, [partial(_come_and_go, session, name, image, letter) for letter in "bn"] + [read])
