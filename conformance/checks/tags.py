"""Lists of tags (spec, "Listing Tags")."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.common import json_object, next_page, pages
from conformance.content import new_image
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable, Version
from conformance.session import Session, expect
from conformance.wire import Answer

TAGS = Checklist(Group.SPEC, Category.DISCOVERY, "Listing Tags")

# Of these, lower-cased and as they are, the order is the same, so either can be what the registry keeps.
_TAGS = ("a", "b1", "b10", "b2", "c", "latest", "v1.0", "v1.0-rc", "v2")


def _tagged(session: Session, tags: Sequence[str] = _TAGS) -> str:
    """A new repository with these tags, which were not pushed in their order."""
    name, manifest = session.new_name(), new_image(layers=[])
    for tag in (*tags[1::2], *tags[::2]):
        session.manifest(manifest, tag, name)
    return name


def listed(answer: Answer) -> list[str]:
    """The tags of a list. Raises `Failed` if that is none."""
    tags = json_object(answer.expect(200)).get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise Failed(f"the tags of {answer.path} are {tags!r}, expected a list of strings")
    return tags


def every_tag(session: Session, name: str, query: str = "") -> list[str]:
    """The tags of all pages."""
    return [tag for answer in pages(session, session.tags(name, query)) for tag in listed(answer)]


def _expect_tags(found: Sequence[str], wanted: Sequence[str]) -> None:
    expect(list(found) == list(wanted), f"the tags are {list(found)}, expected {list(wanted)}")


@TAGS.check("support.discovery", Level.SHOULD, "The registry lists tags", section="Requirements")
def supported(session: Session) -> None:
    session.tags(_tagged(session, ["one"])).expect(200)


@TAGS.check("tags.list", Level.MUST, "GET of the tags of a repository answers 200 with all of them")
def tags_list(session: Session) -> None:
    _expect_tags(sorted(every_tag(session, _tagged(session))), sorted(_TAGS))


@TAGS.check("tags.given", Level.MUST, "GET of the tags of a repository answers 200 with a list", writes=False)
def tags_given(session: Session) -> None:
    if not session.scope.read_only:
        session.manifest(new_image(layers=[]), session.new_tag())
    listed(session.tags())


@TAGS.check("tags.format", Level.MUST, 'A list of tags is JSON: {"name": "<name>", "tags": [...]}')
def tags_format(session: Session) -> None:
    name = _tagged(session, ["one"])
    document = json_object(session.tags(name).expect(200))
    expect(document.get("name") == name, f"the name is {document.get('name')!r}, expected {name!r}")
    expect(document.get("tags") == ["one"], f"the tags are {document.get('tags')!r}, expected ['one']")


@TAGS.check("tags.content-type", Level.SHOULD, "A list of tags has a Content-Type of JSON")
def content_type(session: Session) -> None:
    found = session.tags(_tagged(session, ["one"])).expect(200).expect_header("Content-Type")
    expect("json" in found, f"the Content-Type is {found}, expected application/json")


@TAGS.check("tags.order", Level.MUST, "Tags are in the order of their letters, or in that of ASCII")
def order(session: Session) -> None:
    tags = ["B", "a", "Z", "z1", "10", "9", "_x", "a.b", "a-b", "A1"]
    found = every_tag(session, _tagged(session, tags))
    lower = [tag.lower() for tag in found]
    expect(found == sorted(found) or lower == sorted(lower), f"the tags are not in order: {found}")


@TAGS.check("tags.none", Level.MUST, "A repository without tags has an empty list of tags")
def none(session: Session) -> None:
    name = session.new_name()
    session.manifest(new_image(layers=[]), None, name)
    _expect_tags(listed(session.tags(name)), [])


@TAGS.check(
    "tags.unknown-repository",
    Level.SHOULD,
    "The tags of a repository that is not there answer 404",
    section="Endpoints",
    writes=False,
)
def unknown_repository(session: Session) -> None:
    session.tags(session.new_name()).expect(404)


@TAGS.check("tags.at-once", Level.MUST, "A tag is in the list as soon as it is pushed, and only once")
def at_once(session: Session) -> None:
    name = session.new_name()
    for number in range(3):
        session.manifest(new_image(layers=[]), "same", name)
        session.manifest(new_image(layers=[]), f"t{number}", name)
        _expect_tags(sorted(every_tag(session, name)), ["same", *(f"t{one}" for one in range(number + 1))])


@TAGS.check("tags.only-tags", Level.MUST, "A manifest that is pushed by digest is not in the list of tags")
def only_tags(session: Session) -> None:
    name = _tagged(session, ["one"])
    session.manifest(new_image(), None, name)
    _expect_tags(every_tag(session, name), ["one"])


@TAGS.check("tags.own", Level.MUST, "The list has the tags of this repository, and not those of one below it")
def own(session: Session) -> None:
    name = _tagged(session, ["one"])
    session.manifest(new_image(layers=[]), "two", f"{name}/below")
    _expect_tags(every_tag(session, name), ["one"])


@TAGS.check("tags.n", Level.MUST, "With n the first n tags are listed; fewer only if a Link leads to the next")
def first_n(session: Session) -> None:
    name = _tagged(session)
    for count in (1, 4, len(_TAGS)):
        answer = session.tags(name, f"?n={count}")
        _expect_first(answer, _TAGS[:count])


def _expect_first(answer: Answer, wanted: Sequence[str]) -> None:
    found = listed(answer)
    if len(found) < len(wanted) and next_page(answer) is not None:
        _expect_tags(found, wanted[: len(found)])
    else:
        _expect_tags(found, wanted)


@TAGS.check("tags.n.more-than-all", Level.MUST, "With an n that is more than there are, all tags are listed")
def more_than_all(session: Session) -> None:
    name = _tagged(session)
    for count in (len(_TAGS) + 1, 1000):
        _expect_tags(sorted(every_tag(session, name, f"?n={count}")), _TAGS)


@TAGS.check("tags.n.zero", Level.MUST, "With n=0 the list is empty")
def zero(session: Session) -> None:
    _expect_tags(listed(session.tags(_tagged(session, ["one", "two"]), "?n=0")), [])


@TAGS.check("tags.n.zero.no-link", Level.MUST, "With n=0 there is no Link header")
def zero_no_link(session: Session) -> None:
    found = session.tags(_tagged(session, ["one", "two"]), "?n=0").expect(200).header("Link")
    expect(found is None, f"the answer to n=0 has Link: {found}")


@TAGS.check("tags.n.order", Level.MUST, "With n the tags are in the same order, page by page")
def n_order(session: Session) -> None:
    name = _tagged(session)
    found = listed(session.tags(name, "?n=5"))
    _expect_tags(found, sorted(found))


@TAGS.check("tags.last", Level.MUST, "With last the tags after it are listed, without it")
def last(session: Session) -> None:
    name = _tagged(session)
    for tag in ("a", "b10", "v1.0-rc"):
        _expect_tags(every_tag(session, name, f"?last={tag}"), _TAGS[_TAGS.index(tag) + 1 :])


@TAGS.check("tags.last.end", Level.MUST, "After the last of all tags the list is empty")
def last_end(session: Session) -> None:
    _expect_tags(listed(session.tags(_tagged(session), f"?last={_TAGS[-1]}")), [])


@TAGS.check("tags.last.n", Level.MUST, "With n and last the n tags after last are listed")
def last_n(session: Session) -> None:
    name = _tagged(session)
    for tag, count in (("a", 3), ("b2", 1), ("v1.0", 2)):
        start = _TAGS.index(tag) + 1
        _expect_first(session.tags(name, f"?n={count}&last={tag}"), _TAGS[start : start + count])


@TAGS.check(
    "tags.last.not-there", Level.SHOULD, "last may be a tag that is not there: those after its place are listed"
)
def last_not_there(session: Session) -> None:
    _expect_tags(every_tag(session, _tagged(session), "?last=b11"), _TAGS[3:])


@TAGS.check("tags.last.pages", Level.MUST, "Asking with n, and the last tag of each answer, one gets all tags once")
def last_pages(session: Session) -> None:
    name = _tagged(session)
    found: list[str] = []
    query = "?n=2"
    while page := listed(session.tags(name, query)):
        found += page
        expect(len(found) <= len(_TAGS), f"tags are listed twice: {found}")
        query = f"?n=2&last={found[-1]}"
    _expect_tags(found, _TAGS)


@TAGS.check(
    "tags.link",
    Level.MUST,
    'A Link header is as in RFC 5988, with rel="next", and leads to all tags',
    since=Version.V1_1,
)
def link(session: Session) -> None:
    first = session.tags(_tagged(session), "?n=2").expect(200)
    if first.header("Link") is None:
        raise NotApplicable("there is no Link header, which a registry need not have")
    found = [tag for answer in pages(session, first) for tag in listed(answer)]
    _expect_tags(found, _TAGS)


@TAGS.check("tags.link.offered", Level.MAY, "A Link header leads to the next page of tags", since=Version.V1_1)
def link_offered(session: Session) -> None:
    session.tags(_tagged(session), "?n=2").expect(200).expect_header("Link")


@TAGS.check(
    "tags.link.end", Level.SHOULD, "When all tags are listed there is no Link to a next page", since=Version.V1_1
)
def link_end(session: Session) -> None:
    answer = session.tags(_tagged(session), "?n=100")
    if len(listed(answer)) < len(_TAGS):
        raise NotApplicable("with n=100 not all tags are listed")
    found = answer.header("Link")
    expect(found is None, f"all tags are listed, and there is Link: {found}")


@TAGS.check("tags.n.malformed", Level.SHOULD, "An n that is no number is ignored, or refused with 400")
def malformed(session: Session) -> None:
    name = _tagged(session, ["one"])
    for count in ("-1", "many", "1.5"):
        session.tags(name, f"?n={count}").expect(200, 400)
