"""Resources as clients see them."""

import pytest

from registry.api.jsonapi.resources import Relation, Resource, media_type, path


def test_resource() -> None:
    """A resource says what it is, where it is found, and what belongs to it."""
    relations = {"owner": Relation("/v1/users/a", "users", "a"), "tokens": Relation("/v1/users/a/tokens")}
    assert Resource("things", "1", "/v1/things/1", {"name": "x"}, relations).render() == {
        "type": "things",
        "id": "1",
        "attributes": {"name": "x"},
        "relationships": {
            "owner": {"data": {"type": "users", "id": "a"}, "links": {"related": "/v1/users/a"}},
            "tokens": {"links": {"related": "/v1/users/a/tokens"}},
        },
        "links": {"self": "/v1/things/1"},
    }


def test_resource_without_address() -> None:
    """What has no address of its own has no link to it."""
    assert Resource("things", "1", None, {}).render() == {"type": "things", "id": "1", "attributes": {}}


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        (("users", "alice"), "/v1/users/alice"),
        (("users", "alice@example.com", "tokens", 7), "/v1/users/alice@example.com/tokens/7"),
        (("projects", "p", "members", "robot:p+ci"), "/v1/projects/p/members/robot:p+ci"),
        (("users", "a/b c?d#e%"), "/v1/users/a%2Fb%20c%3Fd%23e%25"),
    ],
)
def test_paths(parts: tuple[object, ...], url: str) -> None:
    """Every name is one part of a path, whatever is in it."""
    assert path(*parts) == url


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/vnd.api+json"),
        ("*/*", "application/vnd.api+json"),
        ("text/html", "application/vnd.api+json"),
        ("application/vnd.api+json", "application/vnd.api+json"),
        ("application/json, application/vnd.api+json", "application/vnd.api+json"),
        ("application/json", "application/json"),
        ("Application/JSON; q=0.9, text/plain, */*", "application/json"),
    ],
)
def test_media_type(accept: str, chosen: str) -> None:
    """An answer is JSON:API, or JSON for a client that asks for JSON and not for JSON:API."""
    assert media_type(accept) == chosen
