"""Members of a project."""

import pytest

from tests.api.rest.client import attributes_of, codes_of, data_of, done, ids_of, problems_of
from tests.api.rest.world import World

MEMBERS = "/v1/projects/acme/members"


@pytest.mark.parametrize("subject", ["user:outsider", "group:devs", "robot:acme+ci"])
async def test_put(world: World, subject: str) -> None:
    """A user, a group or a robot gets a role, and later another one."""
    path = f"{MEMBERS}/{subject}"
    member = data_of(await world.client("owner").put(path, "members", {"role": "reader"}))
    assert (member["type"], member["id"]) == ("members", f"acme/{subject}")
    assert member["links"] == {"self": path}
    assert member["relationships"] == {
        "project": {"data": {"type": "projects", "id": "acme"}, "links": {"related": "/v1/projects/acme"}}
    }
    assert data_of(await world.client("reader").get(path)) == member
    created_at = member["attributes"].pop("createdAt")
    assert member["attributes"] == {"subject": subject, "role": "reader"}
    again = attributes_of(await world.client("owner").put(path, "members", {"role": "maintainer"}))
    assert again == {"subject": subject, "role": "maintainer", "createdAt": created_at}


async def test_put_counts_at_once(world: World) -> None:
    """Who was given a role by a group may at once what the role allows."""
    assert codes_of(await world.client("outsider").get("/v1/projects/acme"), 404) == ["NOT_FOUND"]
    await world.client("owner").put(f"{MEMBERS}/group:devs", "members", {"role": "developer"})
    assert attributes_of(await world.client("outsider").get("/v1/projects/acme"))["role"] == "developer"


@pytest.mark.parametrize("subject", ["user:outsider", "user%3Aoutsider", "robot:acme+ci", "robot%3Aacme%2Bci"])
async def test_encoded_subjects(world: World, subject: str) -> None:
    """Colon and plus may be encoded or not."""
    path = f"{MEMBERS}/{subject}"
    member = data_of(await world.client("owner").put(path, "members", {"role": "guest"}))
    assert member["links"]["self"] in {f"{MEMBERS}/user:outsider", f"{MEMBERS}/robot:acme+ci"}
    done(await world.client("owner").delete(path))


@pytest.mark.parametrize(
    ("subject", "attributes", "status", "problem"),
    [
        ("user:outsider", {}, 400, ("ROLE_MISSING", "/data/attributes/role")),
        ("user:outsider", {"role": "boss"}, 400, ("ROLE_INVALID", "/data/attributes/role")),
        ("user:outsider", {"role": None}, 400, ("ROLE_INVALID", "/data/attributes/role")),
        (
            "user:outsider",
            {"role": "reader", "subject": "user:x"},
            400,
            ("MEMBER_UNKNOWN", "/data/attributes/subject"),
        ),
        ("user:nobody", {"role": "reader"}, 422, ("SUBJECT_INVALID", "/data/attributes/subject")),
        ("group:none", {"role": "reader"}, 422, ("SUBJECT_INVALID", "/data/attributes/subject")),
        ("robot:default+ci", {"role": "reader"}, 422, ("SUBJECT_INVALID", "/data/attributes/subject")),
        ("everyone", {"role": "reader"}, 422, ("SUBJECT_INVALID", "/data/attributes/subject")),
        ("outsider", {"role": "reader"}, 422, ("SUBJECT_INVALID", "/data/attributes/subject")),
        ("user:", {"role": "reader"}, 422, ("SUBJECT_INVALID", "/data/attributes/subject")),
    ],
)
async def test_put_refused(
    world: World, subject: str, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A member that cannot be is refused, with what is wrong and where."""
    answer = await world.client("owner").put(f"{MEMBERS}/{subject}", "members", attributes)
    assert problems_of(answer, status) == [problem]


async def test_pages(world: World) -> None:
    """Members are listed by subject, a page at a time."""
    await world.client("owner").put(f"{MEMBERS}/group:devs", "members", {"role": "guest"})
    ids: list[str] = []
    link = f"{MEMBERS}?page[size]=3"
    while link:
        answer = await world.client("reader").get(link)
        ids += ids_of(answer)
        link = answer.json()["links"]["next"]
    users = ["developer", "guest", "maintainer", "owner", "reader"]
    assert ids == ["acme/group:devs", "acme/robot:acme+ci", *(f"acme/user:{name}" for name in users)]


async def test_remove(world: World) -> None:
    """Who was removed has no role any more."""
    done(await world.client("owner").delete(f"{MEMBERS}/user:reader"))
    assert codes_of(await world.client("reader").get("/v1/projects/acme"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("owner").delete(f"{MEMBERS}/user:reader"), 404) == ["NOT_FOUND"]


@pytest.mark.parametrize("subject", ["user:nobody", "user:outsider", "group:none", "everyone"])
async def test_remove_who_is_none(world: World, subject: str) -> None:
    """Who is no member cannot be read or removed."""
    assert codes_of(await world.client("owner").get(f"{MEMBERS}/{subject}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("owner").delete(f"{MEMBERS}/{subject}"), 404) == ["NOT_FOUND"]


async def test_remove_without_kind(world: World) -> None:
    """A subject says of what kind it is."""
    for method in ("GET", "DELETE"):
        answer = await world.client("owner").ask(method, f"{MEMBERS}/reader")
        assert problems_of(answer, 422) == [("SUBJECT_INVALID", "/data/attributes/subject")]


@pytest.mark.parametrize("name", ["maintainer", "developer", "reader", "acme+ci"])
async def test_only_owners(world: World, name: str) -> None:
    """Members who do not own a project see who else is in it, and change nothing about that."""
    client = world.client(name)
    assert len(ids_of(await client.get(MEMBERS))) == 6
    assert codes_of(await client.put(f"{MEMBERS}/user:{name}", "members", {"role": "owner"}), 403) == ["DENIED"]
    assert codes_of(await client.delete(f"{MEMBERS}/user:owner"), 403) == ["DENIED"]


async def test_guest(world: World) -> None:
    """Guests are not told who else is in a project."""
    for path in (MEMBERS, f"{MEMBERS}/user:guest", f"{MEMBERS}/user:nobody"):
        assert codes_of(await world.client("guest").get(path), 403) == ["DENIED"]


@pytest.mark.parametrize(("name", "project"), [("chief", "none"), ("outsider", "acme")])
async def test_not_there(world: World, name: str, project: str) -> None:
    """A project that is not there, and one that is not for the caller to know, look alike."""
    client, path = world.client(name), f"/v1/projects/{project}/members"
    for url in (path, f"{path}/user:guest"):
        assert codes_of(await client.get(url), 404) == ["NOT_FOUND"]
    assert codes_of(await client.put(f"{path}/user:guest", "members", {"role": "reader"}), 404) == ["NOT_FOUND"]
    assert codes_of(await client.delete(f"{path}/user:guest"), 404) == ["NOT_FOUND"]
