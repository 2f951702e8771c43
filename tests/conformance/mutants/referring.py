"""What registries do wrong when they list what refers to a manifest."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import first_answer
from tests.conformance.mutants.rules import (
    Mutant,
    Then,
    answers,
    asks,
    document,
    header,
    on,
    refuses,
    status,
    with_query,
    without,
)

_LIST = on("referrers", "GET", 200)
_FILTERED = on("referrers", "GET", 200, with_query("artifactType"))


def _entries(change: Any) -> Then:
    """Change the list of entries."""
    return document(lambda found: found.update(manifests=change(found["manifests"])))


def _each(change: Any) -> Then:
    return document(lambda found: [change(one) for one in found["manifests"]])


def _from_everywhere() -> Handler:
    """What was pushed to any repository is listed in each."""
    known: dict[str, dict[str, Any]] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if _LIST(request, reply):
            _entries(lambda entries: _merged(known.setdefault(request.reference, {}), entries))(request, reply)
        return reply

    async def learn(request: Request, proxy: Proxy) -> Reply:
        answer = await handle(request, proxy)
        if request.route == "manifest" and answer.status == 201 and b'"subject"' in request.body:
            subject = json.loads(request.body)["subject"]["digest"]
            there = await proxy.ask(request.to(f"/v2/{request.name}/referrers/{subject}", "GET", b""))
            if there.status == 200:
                known.setdefault(subject, {}).update(
                    {one["digest"]: one for one in json.loads(there.body)["manifests"]}
                )
        return answer

    return learn


def _merged(known: dict[str, Any], entries: list[Any]) -> list[Any]:
    return list({**known, **{one["digest"]: one for one in entries}}.values())


def _deleted_stay() -> Handler:
    """A referrer that was deleted is listed for ever."""
    listed: dict[str, dict[str, Any]] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "manifest" and request.method == "DELETE":
            await _learn(request, proxy, listed)
        reply = await proxy.ask(request)
        if _LIST(request, reply):
            _entries(lambda entries: _merged(listed.get(request.path, {}), entries))(request, reply)
        return reply

    return handle


async def _learn(request: Request, proxy: Proxy, listed: dict[str, dict[str, Any]]) -> None:
    """Remember the list that the manifest is in."""
    found = await proxy.ask_as_owner(request.to(request.target, "GET"))
    subject = json.loads(found.body).get("subject") if found.status == 200 else None
    if subject is not None:
        path = f"/v2/{request.name}/referrers/{subject['digest']}"
        answer = await proxy.ask_as_owner(request.to(path, "GET"))
        listed[path] = {one["digest"]: one for one in json.loads(answer.body)["manifests"]}


def _as_config(entry: dict[str, Any]) -> None:
    entry["artifactType"] = "application/vnd.oci.image.config.v1+json"


def _without_type(entry: dict[str, Any]) -> None:
    if "config" in entry.get("artifactType", "") or "signature" in entry.get("artifactType", ""):
        entry.pop("artifactType")


REFERRING = (
    Mutant(
        "no-referrers-is-not-found",
        {
            "referrers.none": "answered 404, expected 200",
            "referrers.none.subject": "answered 404, expected 200",
            "referrers.unknown-repository": "answered 404",
            "support.referrers": "answered 404",
        },
        answers(on("referrers", "GET", 200), lambda _, reply: _not_found(reply)),
        spared=["referrers.image"],
    ),
    Mutant(
        "unknown-repository-has-no-referrers",
        {"referrers.unknown-repository": "answered 404"},
        refuses(asks("referrers", "GET", lambda request: request.name.count("/") > 1), 404, "NAME_UNKNOWN"),
        spared=["referrers.none"],
    ),
    Mutant(
        "referrers-are-json",
        {"referrers.content-type": "application/json"},
        answers(_LIST, header("Content-Type", "application/json")),
        spared=["referrers.image"],
    ),
    Mutant(
        "no-referrers-are-null",
        {"referrers.index": "are None", "referrers.none": "are None"},
        answers(_LIST, _entries(lambda entries: entries or None)),
        spared=["referrers.image"],
    ),
    Mutant(
        "referrers-are-a-docker-list",
        {"referrers.index": "mediaType is"},
        answers(
            _LIST,
            document(lambda found: found.update(mediaType="application/vnd.docker.distribution.manifest.list.v2+json")),
        ),
    ),
    Mutant(
        "referrers-end-at-twenty",
        {"referrers.all": "10 of 30 referrers are not listed"},
        answers(_LIST, _entries(lambda entries: entries[:20])),
        spared=["referrers.new"],
    ),
    Mutant(
        "referrers-are-stale",
        {"referrers.new": "expected", "referrers.deleted": "the list is", "concurrency.referrers.many": "lack"},
        first_answer(asks("referrers", "GET")),
        spared=["referrers.image"],
    ),
    Mutant(
        "deleted-referrer-is-listed",
        {"referrers.deleted": "the list is"},
        _deleted_stay,
        spared=["referrers.image", "delete.manifest.gone"],
    ),
    Mutant(
        "referrers-are-listed-twice",
        {"referrers.once": "is listed 2 times", "referrers.image": "is listed 2 times"},
        answers(_LIST, _entries(lambda entries: entries * 2)),
    ),
    Mutant(
        "artifact-type-is-that-of-the-config",
        {
            "referrers.artifact-type": "expected 'application/vnd.example.sbom",
            "referrers.artifact-type.empty-config": "expected",
        },
        answers(_LIST, _each(_as_config)),
        spared=["referrers.descriptor"],
    ),
    Mutant(
        "config-is-no-artifact-type",
        {"referrers.artifact-type.config": "is None", "referrers.artifact-type.empty": "is None"},
        answers(_LIST, _each(_without_type)),
        spared=["referrers.artifact-type"],
    ),
    Mutant(
        "index-has-an-empty-artifact-type",
        {"referrers.artifact-type.index.omitted": "the artifactType is ''"},
        answers(_LIST, _each(lambda entry: entry.setdefault("artifactType", ""))),
        spared=["referrers.artifact-type.index"],
    ),
    Mutant(
        "entries-have-no-annotations",
        {
            "referrers.annotations": "the annotations are None",
            "referrers.annotations.index": "the annotations are None",
        },
        answers(_LIST, _each(lambda entry: entry.pop("annotations", None))),
        spared=["referrers.descriptor"],
    ),
    Mutant(
        "entries-have-another-size",
        {"referrers.descriptor": "'size': 1"},
        answers(_LIST, _each(lambda entry: entry.update(size=1))),
        spared=["referrers.annotations"],
    ),
    Mutant(
        "filter-is-told-and-not-applied",
        {
            "referrers.filter": "expected",
            "referrers.filter.header": "nothing was filtered",
            "referrers.filter.none": "expected none",
        },
        lambda: _filters_nothing,
    ),
    Mutant(
        "filter-is-applied-and-not-told",
        {"referrers.filter.header": "without the header OCI-Filters-Applied"},
        answers(_FILTERED, without("OCI-Filters-Applied")),
        spared=["referrers.filter"],
    ),
    Mutant(
        "filter-is-told-always",
        {"referrers.no-filter.header": "but no filter was asked for"},
        answers(_LIST, header("OCI-Filters-Applied", "artifactType")),
        spared=["referrers.filter.header"],
    ),
    Mutant(
        "filter-is-called-otherwise",
        {"referrers.filter.header": "expected artifactType"},
        answers(_FILTERED, header("OCI-Filters-Applied", "artifact-type")),
        spared=["referrers.filter"],
    ),
    Mutant(
        "plus-is-a-space",
        {"referrers.filter.plus": "expected"},
        answers(on("referrers", "GET", 200, lambda request: "+" in request.target), _entries(lambda _: [])),
        spared=["referrers.filter"],
    ),
    Mutant(
        "filter-looks-not-at-the-config",
        {"referrers.filter.config": "expected"},
        answers(
            on("referrers", "GET", 200, lambda request: "signature" in request.query.get("artifactType", "")),
            _entries(lambda _: []),
        ),
        spared=["referrers.filter"],
    ),
    Mutant(
        "referrers-of-other-repositories",
        {"referrers.own": "but the referrer is in", "security.isolation.referrers": "show what was pushed to"},
        _from_everywhere,
        spared=["referrers.image"],
    ),
    Mutant(
        "sha512-has-no-referrers",
        {"referrers.subject-sha512": "is listed 0 times"},
        answers(on("referrers", "GET", 200, lambda r: r.reference.startswith("sha512")), _entries(lambda _: [])),
        spared=["referrers.image"],
    ),
    Mutant(
        "malformed-digest-has-no-referrers",
        {"referrers.malformed-digest": "answered 200, expected 400"},
        answers(on("referrers", "GET", 400), status(200)),
    ),
    Mutant(
        "tag-schema-is-not-for-clients",
        {"referrers.fallback.kept": "answered 404"},
        answers(on("manifest", "GET", 200, lambda request: request.reference.startswith("sha256-")), status(404)),
    ),
)


async def _filters_nothing(request: Request, proxy: Proxy) -> Reply:
    """What was asked for is told, and all are listed."""
    if not asks("referrers", "GET", with_query("artifactType"))(request):
        return await proxy.ask(request)
    reply = await proxy.ask(request.to(request.path))
    reply.set("OCI-Filters-Applied", "artifactType")
    return reply


def _not_found(reply: Reply) -> None:
    if not json.loads(reply.body)["manifests"]:
        reply.status, reply.body = 404, b"404 page not found"
