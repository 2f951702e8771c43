"""What other registries learned about content, each lesson as a test.

The advisories, where there are any, are named in the docstrings.
"""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from auth.actor import OPERATING
from auth.roles import Role
from registry.app.services import build_services
from storage.digest import parse_digest
from storage.metadata import blobs
from tests.api.content import (
    CONFIG,
    EMPTY,
    INDEX,
    LAYER,
    LAYER_TYPE,
    Document,
    artifact,
    descriptor,
    digest_of,
    document,
    image,
    index,
)
from tests.api.content import IMAGE as IMAGE_TYPE
from tests.api.lessons.tenancy import IMAGE, MAIN, Tenancy
from tests.api.server import configured, running

SECRET = b"what only the vault should know"
MIB = 1024 * 1024
BAD_NAMES = [
    *["..", "vault/..", "../vault", "vault/../vault", "%2e%2e", "vault%2Fapp", "vault%252Fapp", "vault/app%00"],
    *["Vault/app", "vault//app", "/vault/app", "vault/app/", "vault\\app", "vault/.app", "vault/app.", "vault/%0aapp"],
]


@pytest.mark.parametrize("pieces", [1, 9], ids=["announced", "chunked"])
async def test_manifest_body_is_bounded(tenancy: Tenancy, pieces: int) -> None:
    """A manifest beyond the limit is refused, whether its length is told or not (CVE-2017-11468)."""
    body = b"x" * (4 * MIB + 1) if pieces == 1 else tuple(b"x" * MIB for _ in range(pieces))
    headers = {"Content-Type": IMAGE_TYPE}
    answer = await tenancy.ask("carol", "PUT", "/v2/vault/app/manifests/big", body=body, headers=headers)
    assert (answer.status, answer.codes()) == (413, ["MANIFEST_INVALID"])


async def test_image_and_index_are_not_the_same_bytes(tenancy: Tenancy) -> None:
    """What could be read as an image and as an index is refused as either (CVE-2021-41190)."""
    fields = json.loads(IMAGE.content) | {"manifests": []}
    for media_type in (IMAGE_TYPE, INDEX):
        both = document(media_type, fields | {"mediaType": media_type})
        assert (await tenancy.put("carol", "vault/app", "both", both)).codes() == ["MANIFEST_INVALID"]
    for lie in (Document(IMAGE.content, INDEX), Document(index([]).content, IMAGE_TYPE)):
        assert (await tenancy.put("carol", "vault/app", "lie", lie)).codes() == ["MANIFEST_INVALID"]


@pytest.mark.parametrize("count", ["10001", "9223372036854775808", "9" * 4000])
async def test_catalog_count_is_clamped(tenancy: Tenancy, count: str) -> None:
    """However many entries are asked for, nothing is set aside for them (CVE-2023-2253)."""
    for path in ("/v2/_catalog", "/v2/vault/app/tags/list"):
        assert (await tenancy.ask("alice", "GET", f"{path}?n={count}")).status == 200


async def test_deleted_blob_does_not_come_back(tenancy: Tenancy) -> None:
    """What was deleted from a repository stays away when it is read through another one (CVE-2026-35172)."""
    here = await tenancy.push_blob("alice", "vault/app", SECRET)
    there = await tenancy.push_blob("bob", "berth/app", SECRET)
    assert (await tenancy.ask("rita", "GET", here)).body == SECRET
    assert (await tenancy.ask("alice", "DELETE", here)).status == 202
    for _ in range(2):
        assert (await tenancy.ask("bob", "GET", there)).body == SECRET
        assert (await tenancy.ask("bob", "HEAD", there)).status == 200
        for method in ("GET", "HEAD"):
            assert (await tenancy.ask("rita", method, here)).status == 404


async def test_one_switch_for_every_way_to_delete() -> None:
    """What is switched off cannot be deleted by anybody, in any way (CVE-2026-41888)."""
    off = {"delete.tags": False, "delete.manifests": False, "delete.blobs": False}
    config = configured({"storage.ephemeral": True, "auth.mode": "open", **off})
    async with running(config) as registry:
        for path in (f"manifests/{IMAGE.digest}", "manifests/v1", f"blobs/{digest_of(LAYER)}"):
            answer = await registry.ask("DELETE", f"/v2/app/{path}")
            assert (answer.status, answer.codes()) == (405, ["UNSUPPORTED"])


async def test_deleting_a_tag_needs_the_right_to_delete(tenancy: Tenancy) -> None:
    """Who may push, and so move a tag, may not take it away (CVE-2026-41888)."""
    assert (await tenancy.ask("carol", "DELETE", "/v2/vault/app/manifests/v1")).codes() == ["DENIED"]
    assert await tenancy.tags("vault/app") == ["v1"]


async def test_mount_needs_the_right_to_read_the_source(tenancy: Tenancy) -> None:
    """A mount from where one may not read begins an upload, as if there was nothing (GHSA-55r9-5mx9-qq7r)."""
    await tenancy.push_blob("alice", "vault/app", SECRET)
    start = "/v2/berth/app/blobs/uploads/"
    for digest in (digest_of(SECRET), digest_of(b"nobody has this")):
        for source in ("&from=vault/app", "&from=vault/none", ""):
            answer = await tenancy.ask("bob", "POST", f"{start}?mount={digest}{source}")
            assert answer.status == 202
            assert answer.headers["Range"] == "0-0"
    assert (await tenancy.ask("bob", "GET", f"/v2/berth/app/blobs/{digest_of(SECRET)}")).status == 404


async def test_mount_without_source_finds_what_one_may_read(tenancy: Tenancy) -> None:
    """Where no source is named, only repositories are searched that the client may read, and names the token."""
    await tenancy.push_blob("alice", "vault/app", SECRET)
    start = f"/v2/vault/copy/blobs/uploads/?mount={digest_of(SECRET)}"
    narrow = await tenancy.token("carol", "repository:vault/copy:pull,push")
    assert (await tenancy.ask(narrow, "POST", start)).status == 202
    assert (await tenancy.ask("carol", "POST", start)).status == 201


async def test_mount_asks_for_the_rights_of_now(tenancy: Tenancy) -> None:
    """A token that once could read the source mounts nothing when its holder may no longer."""
    await tenancy.join("vault", bob=Role.READER)
    await tenancy.push_blob("alice", "vault/app", SECRET)
    token = await tenancy.token("bob", "repository:berth/app:pull,push", "repository:vault/app:pull")
    start = f"/v2/berth/app/blobs/uploads/?mount={digest_of(SECRET)}&from=vault/app"
    await tenancy.ask("alice", "DELETE", "/v1/projects/vault/members/user:bob")
    await tenancy.token(None)
    assert (await tenancy.ask(token, "POST", start)).status == 202


async def test_a_digest_is_no_permission(tenancy: Tenancy) -> None:
    """Knowing a digest gives nothing: neither the blob nor a manifest that needs it, nor an upload without bytes."""
    await tenancy.push_blob("alice", "vault/app", SECRET)
    stolen = image(layers=[descriptor(SECRET, LAYER_TYPE)])
    for content in (CONFIG, LAYER, EMPTY):
        await tenancy.push_blob("bob", "berth/app", content)
    assert (await tenancy.put("bob", "berth/app", "v1", stolen)).codes() == ["MANIFEST_BLOB_UNKNOWN"]
    parent = index([IMAGE.descriptor()])
    assert (await tenancy.put("bob", "berth/app", "v1", parent)).codes() == ["MANIFEST_BLOB_UNKNOWN"]
    started = await tenancy.ask("bob", "POST", "/v2/berth/app/blobs/uploads/")
    finish = f"{started.headers['Location']}?digest={digest_of(SECRET)}"
    for method, path in (("PUT", finish), ("POST", f"/v2/berth/app/blobs/uploads/?digest={digest_of(SECRET)}")):
        assert (await tenancy.ask("bob", method, path)).codes() == ["DIGEST_INVALID"]
    assert (await tenancy.ask("bob", "HEAD", f"/v2/berth/app/blobs/{digest_of(SECRET)}")).status == 404


async def test_referrers_are_those_of_the_repository(tenancy: Tenancy) -> None:
    """Who names a foreign manifest as a subject does not learn whether it is there, nor what refers to it."""
    await tenancy.push_blob("alice", "vault/app", EMPTY)
    await tenancy.put("alice", "vault/app", artifact(IMAGE.descriptor()).digest, artifact(IMAGE.descriptor()))
    await tenancy.push_blob("bob", "berth/app", EMPTY)
    answers = []
    for subject in (IMAGE, image(annotations={"nobody": "has this"})):
        mine = artifact(subject.descriptor(), "application/vnd.example.mine")
        assert (await tenancy.put("bob", "berth/app", mine.digest, mine)).status == 201
        found = await tenancy.ask("bob", "GET", f"/v2/berth/app/referrers/{subject.digest}")
        answers.append([entry["artifactType"] for entry in found.json()["manifests"]])
    assert answers == [["application/vnd.example.mine"]] * 2


async def test_wrong_digest_stores_nothing(tenancy: Tenancy) -> None:
    """Every way of uploading compares the digest with the bytes before there is a blob."""
    wrong, start = digest_of(b"something else"), "/v2/vault/app/blobs/uploads/"
    assert (await tenancy.ask("carol", "POST", f"{start}?digest={wrong}", body=b"x")).codes() == ["DIGEST_INVALID"]
    upload = (await tenancy.ask("carol", "POST", start)).headers["Location"]
    await tenancy.ask("carol", "PATCH", upload, body=b"x")
    assert (await tenancy.ask("carol", "PUT", f"{upload}?digest={wrong}")).codes() == ["DIGEST_INVALID"]
    assert (await tenancy.ask("carol", "GET", f"/v2/vault/app/blobs/{wrong}")).status == 404
    assert await blobs.find(tenancy.registry.storage.store, parse_digest(wrong)) is None


async def test_upload_is_for_whoever_began_it(tenancy: Tenancy) -> None:
    """The id of an upload opens it neither to others nor in another repository (CVE-2026-32589)."""
    start, digest = "/v2/vault/app/blobs/uploads/", digest_of(b"mine")
    upload = (await tenancy.ask("carol", "POST", start)).headers["Location"]
    await tenancy.ask("carol", "PATCH", upload, body=b"mine")
    elsewhere = upload.replace("vault/app", "vault/other")
    for who, path in (("alice", upload), ("admin", upload), ("carol", elsewhere)):
        for method, query in (("GET", ""), ("PATCH", ""), ("PUT", f"?digest={digest}"), ("DELETE", "")):
            answer = await tenancy.ask(who, method, path + query)
            assert (answer.status, answer.codes()) == (404, ["BLOB_UPLOAD_UNKNOWN"])
    assert (await tenancy.ask("carol", "PUT", f"{upload}?digest={digest}")).status == 201


@pytest.mark.parametrize("tag", ["latest", "v1", "main"])
async def test_no_tag_is_special(tenancy: Tenancy, tag: str) -> None:
    """A tag moves for who may push and for nobody else, whatever it is called (CVE-2026-31801)."""
    await tenancy.push("alice", "vault/app", tag)
    assert (await tenancy.put("rita", "vault/app", tag, IMAGE)).codes() == ["DENIED"]
    await tenancy.management.immutable_tags.create(OPERATING, "vault", "main", "**", "*")
    other = image(annotations={"an": "other"})
    assert (await tenancy.put("carol", "vault/app", tag, other)).codes() == ["DENIED"]


async def test_every_tag_of_a_push_is_decided_about(tenancy: Tenancy) -> None:
    """One immutable tag among the parameters of a push by digest lets none of the others move."""
    await tenancy.send("alice", "POST", f"{MAIN}/immutable-tags", "immutable-tags", repositories="**", tags="v*")
    other = image(annotations={"an": "other"})
    answer = await tenancy.put("carol", "vault/app", f"{other.digest}?tag=fresh&tag=v1&tag=edge", other)
    assert answer.codes() == ["DENIED"]
    assert await tenancy.tags("vault/app") == ["v1"]
    assert (await tenancy.ask("carol", "GET", f"/v2/vault/app/manifests/{other.digest}")).status == 404


async def test_immutable_tag_stays_when_its_digest_is_deleted(tenancy: Tenancy) -> None:
    """The manifest behind an immutable tag cannot be deleted from under it, by an owner neither (PROJQUAY-10504)."""
    await tenancy.send("alice", "POST", f"{MAIN}/immutable-tags", "immutable-tags", repositories="**", tags="v*")
    for reference in (IMAGE.digest, "v1"):
        answer = await tenancy.ask("alice", "DELETE", f"/v2/vault/app/manifests/{reference}")
        assert answer.codes() == ["DENIED"]
    for path in (f"manifests/{IMAGE.digest}", "manifests/v1", f"blobs/{digest_of(LAYER)}"):
        assert (await tenancy.ask("rita", "GET", f"/v2/vault/app/{path}")).status == 200
    assert (await tenancy.ask("alice", "DELETE", f"/v2/vault/app/blobs/{digest_of(LAYER)}")).status == 405
    assert (await tenancy.ask("alice", "DELETE", MAIN)).status == 409


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_names_lead_nowhere_else(tenancy: Tenancy, name: str) -> None:
    """What is not a name by the grammar is refused before anything is looked up, decoded or not."""
    for path in ("tags/list", "manifests/v1", f"blobs/{digest_of(LAYER)}"):
        answer = await tenancy.ask("admin", "GET", f"/v2/{quote(name, safe='/%')}/{path}")
        assert answer.status in {400, 404}
        assert answer.codes() != ["UNKNOWN"]


@pytest.mark.parametrize("digest", ["sha256:" + "a" * 63, "sha256:" + "a" * 65, "sha256:../../x", "sha256:" + "A" * 64])
async def test_digests_lead_nowhere_else(tenancy: Tenancy, digest: str) -> None:
    """A digest has as many digits as its algorithm gives, and no others."""
    for path in (f"blobs/{digest}", f"manifests/{digest}", f"referrers/{digest}"):
        assert (await tenancy.ask("admin", "GET", f"/v2/vault/app/{path}")).status in {400, 404}


async def test_reaper_survives_odd_entries(tenancy: Tenancy) -> None:
    """What lies among the uploads and is none does not keep the others from being dropped (distribution#4713)."""
    registry = tenancy.registry
    (folder,) = [path for path in registry.config.storage.data.rglob("uploads") if path.is_dir()]
    for name in ("notes.txt", ".hidden", "0" * 31, "\u00fc", "a b"):
        (folder / name).write_bytes(b"")
    (folder / "folder").mkdir()
    (folder / "broken").symlink_to(folder / "nowhere")
    odd = set(folder.iterdir())
    (folder / ("0" * 32)).mkdir()
    for digit in "123":
        (folder / (digit * 32)).write_bytes(b"of no session")
    await build_services(registry.config, registry.storage).uploads.expire_idle()
    assert set(folder.iterdir()) - {folder / ("0" * 32)} == odd
