"""`/v1/repositories`: where tags pointed, what was deleted, and bringing it back."""

import asyncio
import re

import pytest

from tests.api.content import index
from tests.api.rest.client import attributes_of, codes_of, data_of, ids_of, problems_of
from tests.api.rest.world import World, delete_manifest, put_manifest
from tests.api.server import Answer

REPOSITORY = "acme/team/app"
PAST = f"/v1/repositories/{REPOSITORY}"
ONE, TWO = index([]), index([], annotations={"n": "2"})
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def fill(world: World) -> None:
    """Let a tag point to one manifest, then to another, and take the first one and another tag away."""
    owner = world.client("owner")
    for pushed, tag in ((ONE, "latest"), (TWO, "latest"), (ONE, "one")):
        await put_manifest(owner, REPOSITORY, pushed, tag)
    await delete_manifest(owner, REPOSITORY, ONE)


async def test_tag_history(world: World) -> None:
    """Each change of a tag says from where to where, when and by whom, the newest first."""
    await fill(world)
    changes = data_of(await world.client("reader").get(f"{PAST}/tag-history"))
    assert [change["type"] for change in changes] == ["tag-changes"] * 4
    who = {"kind": "user", "principal": "owner", "token": "test"}
    for change in changes:
        assert TIME.fullmatch(change["attributes"].pop("at"))
    assert [change["attributes"] for change in changes] == [
        {"tag": "one", "oldDigest": ONE.digest, "newDigest": None, **who},
        {"tag": "one", "oldDigest": None, "newDigest": ONE.digest, **who},
        {"tag": "latest", "oldDigest": ONE.digest, "newDigest": TWO.digest, **who},
        {"tag": "latest", "oldDigest": None, "newDigest": ONE.digest, **who},
    ]


async def test_tag_history_of_one_tag(world: World) -> None:
    """The history can be that of one tag; the filter goes from page to page."""
    await fill(world)
    first = await world.chief.get(f"{PAST}/tag-history?filter[tag]=latest&page[size]=1")
    assert attributes_of_all(first, "newDigest") == [TWO.digest]
    second = await world.chief.get(first.json()["links"]["next"])
    assert attributes_of_all(second, "newDigest") == [ONE.digest]
    assert second.json()["links"]["next"] is None
    assert ids_of(await world.chief.get(f"{PAST}/tag-history?filter[tag]=none")) == []


@pytest.mark.parametrize(("query", "wrong"), [("filter[tag]=-x", "filter[tag]"), ("filter[at]=1", "filter[at]")])
async def test_refused_filters(world: World, query: str, wrong: str) -> None:
    """A filter that is not understood is refused, and named."""
    await fill(world)
    answer = await world.chief.get(f"{PAST}/tag-history?{query}")
    assert problems_of(answer, 400) == [("PARAMETER_INVALID", wrong)]


async def test_names_are_not_for_strangers(world: World) -> None:
    """Who may pull what is public, and nothing more, is not told who did it."""
    await fill(world)
    await world.chief.patch("/v1/projects/acme/registries/main", "registries", {"visibility": "public"})
    for change in data_of(await world.client("outsider").get(f"{PAST}/tag-history")):
        assert [change["attributes"][name] for name in ("kind", "principal", "token")] == [None, None, None]


async def test_deleted(world: World) -> None:
    """What was deleted is listed for those who may push, with who did it and until when it can come back."""
    await fill(world)
    who = {"kind": "user", "principal": "owner"}
    (tag,) = data_of(await world.client("developer").get(f"{PAST}/deleted-tags"))
    (manifest,) = data_of(await world.client("developer").get(f"{PAST}/deleted-manifests"))
    for found in (tag, manifest):
        for name in ("deletedAt", "restorableUntil"):
            assert TIME.fullmatch(found["attributes"].pop(name))
    assert (tag["type"], tag["id"]) == ("deleted-tags", f"{REPOSITORY}:one")
    assert tag["attributes"] == {"tag": "one", "digest": ONE.digest, **who}
    assert manifest["type"] == "deleted-manifests"
    size = {"mediaType": ONE.media_type, "size": len(ONE.content)}
    assert manifest["attributes"] == {"digest": ONE.digest, **size, **who}


async def test_restoring_a_tag(world: World) -> None:
    """A tag comes back with what it pointed to, and can be pulled."""
    await fill(world)
    answer = await world.client("owner").post(f"{PAST}/restorations", "restorations", {"tags": ["one"]})
    assert attributes_of(answer, 201) == {"digest": ONE.digest, "tags": ["one"], "manifests": [ONE.digest]}
    pulled = await world.registry.ask("GET", f"/v2/{REPOSITORY}/manifests/one", headers=world.client("reader").login())
    assert (pulled.status, pulled.body) == (200, ONE.content)


async def test_restoring_a_manifest(world: World) -> None:
    """A manifest comes back with the tags that are named; one that is there only gets those."""
    await fill(world)
    for manifests in ([ONE.digest], []):
        sent = {"digest": ONE.digest, "tags": ["back", "latest"]}
        answer = await world.client("owner").post(f"{PAST}/restorations", "restorations", sent)
        assert attributes_of(answer, 201) == {**sent, "manifests": manifests}
    assert ids_of(await world.chief.get(f"{PAST}/deleted-manifests")) == []


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({}, 422, "TAGS_INVALID"),
        ({"tags": ["one", "two"]}, 422, "TAGS_INVALID"),
        ({"tags": ["-"]}, 400, "TAGS_INVALID"),
        ({"tags": "one"}, 400, "TAGS_INVALID"),
        ({"digest": "sha256:x"}, 400, "DIGEST_INVALID"),
        ({"digest": None, "tags": ["none"]}, 404, "NOT_FOUND"),
        ({"tags": ["latest"]}, 409, "CONFLICT"),
        ({"digest": index([], annotations={"n": "3"}).digest}, 404, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_restored(world: World, sent: dict[str, object], status: int, code: str) -> None:
    """What cannot be brought back is told with what is wrong."""
    await fill(world)
    assert codes_of(await world.chief.post(f"{PAST}/restorations", "restorations", sent), status) == [code]


async def test_immutable_tags(world: World) -> None:
    """An immutable tag is not moved by this either; who tried is in the audit log."""
    await fill(world)
    rule = {"repositories": "**", "tags": "latest"}
    await world.chief.post("/v1/projects/acme/registries/main/immutable-tags", "immutable-tags", rule)
    sent = {"digest": ONE.digest, "tags": ["latest"]}
    answer = await world.client("owner").post(f"{PAST}/restorations", "restorations", sent)
    assert codes_of(answer, 403) == ["DENIED"]
    entry = await refusal(world)
    assert (entry["principal"], entry["action"], entry["target"]) == ("owner", "manifest.restore", REPOSITORY)
    assert entry["project"] == "acme"


@pytest.mark.parametrize("name", ["none", "acme", "acme/team", "acme//app", "Acme/app", "acme/team/app/tag-history"])
async def test_no_such_repository(world: World, name: str) -> None:
    """Where there is no repository of that name, or cannot be, that is told."""
    await fill(world)
    answer = await world.chief.get(f"/v1/repositories/{name}/tag-history")
    assert codes_of(answer, answer.status) in (["NOT_FOUND"], ["REQUEST_INVALID"])
    assert answer.status in {404, 400}


async def refusal(world: World) -> dict[str, object]:
    """The last refusal in the audit log, where it comes a little later."""
    async with asyncio.timeout(10):
        while not (  # noqa: ASYNC110 - refusals are written in batches
            found := data_of(await world.chief.get("/v1/audit?filter[outcome]=refused"))
        ):
            await asyncio.sleep(0.02)
    attributes: dict[str, object] = found[0]["attributes"]
    return attributes


def attributes_of_all(answer: Answer, name: str) -> list[object]:
    """An attribute of each resource on the page."""
    return [resource["attributes"][name] for resource in data_of(answer)]
