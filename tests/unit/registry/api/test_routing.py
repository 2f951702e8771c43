"""Which path leads where: the table of the distribution API, and the router that reads it."""

import pytest

from auth.roles import Action
from registry.api.call import Call
from registry.api.errors import MethodNotAllowed, RouteUnknown
from registry.api.routing import Guard, Match, Route, Router
from registry.api.v2.routes import ROUTES
from storage.errors import NameInvalid

ROUTER = Router(ROUTES)
DIGEST = "sha256:" + "0" * 64

# The specification's table of endpoints.
ENDPOINTS = {
    "end-1": ("GET", "/v2/"),
    "end-2": ("GET", f"/v2/a/b/blobs/{DIGEST}"),
    "end-3": ("GET", "/v2/a/b/manifests/latest"),
    "end-4": ("POST", "/v2/a/b/blobs/uploads/"),
    "end-5": ("PATCH", "/v2/a/b/blobs/uploads/some-id"),
    "end-6": ("PUT", "/v2/a/b/blobs/uploads/some-id"),
    "end-7": ("PUT", "/v2/a/b/manifests/latest"),
    "end-8": ("GET", "/v2/a/b/tags/list"),
    "end-9": ("DELETE", "/v2/a/b/manifests/latest"),
    "end-10": ("DELETE", f"/v2/a/b/blobs/{DIGEST}"),
    "end-11": ("POST", "/v2/a/b/blobs/uploads/"),
    "end-12": ("GET", f"/v2/a/b/referrers/{DIGEST}"),
    "end-13": ("GET", "/v2/a/b/blobs/uploads/some-id"),
    "end-14": ("DELETE", "/v2/a/b/blobs/uploads/some-id"),
}


def found(method: str, path: str) -> Match:
    """Where the registry's own table leads."""
    return ROUTER.find(method, path)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_has_its_row(endpoint: str) -> None:
    """Each endpoint of the specification leads to the row that says it is that endpoint's."""
    assert endpoint in found(*ENDPOINTS[endpoint]).route.spec.split(", ")


@pytest.mark.parametrize("endpoint", ["end-1", "end-2", "end-3"])
def test_head(endpoint: str) -> None:
    """HEAD is answered where the specification wants it."""
    assert endpoint in found("HEAD", ENDPOINTS[endpoint][1]).route.spec


def test_every_change_needs_a_permission() -> None:
    """No row that changes a repository is open to those who may only read, and none that reads is open to nobody."""
    for route in ROUTES:
        if "<name>" not in route.template:
            continue
        wanted = {"GET": Action.PULL, "HEAD": Action.PULL, "DELETE": Action.DELETE}.get(route.method, Action.PUSH)
        of_upload = route.template.endswith("<upload>")
        assert (Action.PUSH if of_upload else wanted) in route.actions, route


@pytest.mark.parametrize(
    ("path", "name", "repository", "arguments"),
    [
        ("/v2/", "base", "", {}),
        ("/v2", "base", "", {}),
        ("/v2/?n=1", "base", "", {}),
        ("/v2/_catalog", "catalog", "", {}),
        ("/v2/_catalog?n=1&last=a%2Fb", "catalog", "", {}),
        ("/v2/a/tags/list", "tags", "a", {}),
        ("/v2/a/tags/list?n=5", "tags", "a", {}),
        ("/v2/a/manifests/v1", "manifest", "a", {"reference": "v1"}),
        (f"/v2/a/manifests/{DIGEST}", "manifest", "a", {"reference": DIGEST}),
        ("/v2/a/manifests/sha256%3A00", "manifest", "a", {"reference": "sha256:00"}),
        ("/v2/%61%62/manifests/v1", "manifest", "ab", {"reference": "v1"}),
        ("/v2/a/manifests/v%31", "manifest", "a", {"reference": "v1"}),
        ("/v2/a/manifests/%2531", "manifest", "a", {"reference": "%31"}),
        ("/v2/a/manifests/x%20y", "manifest", "a", {"reference": "x y"}),
        ("/v2/a/manifests/x+y", "manifest", "a", {"reference": "x+y"}),
        ("/v2/a/manifests/%ff", "manifest", "a", {"reference": "\ufffd"}),
        ("/v2/a/manifests/100%", "manifest", "a", {"reference": "100%"}),
        ("/v2/a/manifests/x%0ay", "manifest", "a", {"reference": "x\ny"}),
        ("/v2/a/b/c/d/manifests/v1", "manifest", "a/b/c/d", {"reference": "v1"}),
        ("/v2/a/manifests/manifests/v1", "manifest", "a/manifests", {"reference": "v1"}),
        ("/v2/manifests/manifests/manifests", "manifest", "manifests", {"reference": "manifests"}),
        ("/v2/a/tags/list/manifests/v1", "manifest", "a/tags/list", {"reference": "v1"}),
        ("/v2/tags/tags/list", "tags", "tags", {}),
        ("/v2/a/blobs/uploads/id", "upload", "a", {"upload": "id"}),
        ("/v2/a/blobs/uploads/blobs/uploads/id", "upload", "a/blobs/uploads", {"upload": "id"}),
        (f"/v2/a/blobs/uploads/blobs/{DIGEST}", "blob", "a/blobs/uploads", {"digest": DIGEST}),
        ("/v2/a/blobs/x", "blob", "a", {"digest": "x"}),
        (f"/v2/a/referrers/{DIGEST}", "referrers", "a", {"digest": DIGEST}),
    ],
)
def test_path(path: str, name: str, repository: str, arguments: dict[str, str]) -> None:
    """A path is taken apart once it is decoded; the last words that can be an endpoint are it."""
    match = found("GET", path)
    assert (match.route.name, match.repository, match.arguments) == (name, repository, arguments)


@pytest.mark.parametrize("path", ["/v2/a/blobs/uploads/", "/v2/a/blobs/uploads", "/v2/a/blobs/uploads/?mount=x&from=y"])
def test_start_of_an_upload(path: str) -> None:
    """The path where uploads begin is understood without its last slash too."""
    match = found("POST", path)
    assert (match.route.name, match.repository) == ("uploads", "a")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "*",
        "/v1/",
        "/v2/a",
        "/v2//",
        "/v2//manifests/v1",
        "/v2/a/tags",
        "/v2/a/tags/list/",
        "/v2/a/manifests/",
        "/v2/a/manifests",
        "/v2/manifests/v1",
        "/v2/a/manifests/v1/",
        "/v2/a/blobs/",
        "/v2/_catalog/",
        "/V2/",
        "v2/",
        "//v2/",
        "http://registry.example/v2/",
        "/v2/a/referrers/",
        "/v2/tags/list",
    ],
)
def test_path_to_nothing(path: str) -> None:
    """A path that is no endpoint's leads nowhere."""
    with pytest.raises(RouteUnknown):
        found("GET", path)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/A/manifests/v1",
        "/v2/../manifests/v1",
        "/v2/a/../../manifests/v1",
        "/v2/a%2fb/manifests/v1",
        "/v2/a%2Fb/manifests/v1",
        "/v2/a/manifests/v%2F1",
        "/v2/a/manifests/v%001",
        "/v2/a%0a/manifests/v1",
        "/v2/%2e%2e/manifests/v1",
        "/v2/a//b/manifests/v1",
        "/v2/a%20b/manifests/v1",
        "/v2/%ff/manifests/v1",
        "/v2/" + "a" * 300 + "/manifests/v1",
        "/v2/_catalog/tags/list",
    ],
)
def test_malformed_name(path: str) -> None:
    """A name that is none, and an encoded slash or NUL anywhere, are refused before anything is looked up."""
    with pytest.raises(NameInvalid):
        found("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v2/", ["GET", "HEAD"]),
        ("PATCH", "/v2/a/manifests/v1", ["DELETE", "GET", "HEAD", "PUT"]),
        ("GET", "/v2/a/blobs/uploads/", ["POST"]),
        ("PUT", f"/v2/a/blobs/{DIGEST}", ["DELETE", "GET", "HEAD"]),
        ("DELETE", "/v2/a/tags/list", ["GET", "HEAD"]),
        ("get", "/v2/", ["GET", "HEAD"]),
        ("BREW", "/v2/a/blobs/uploads/id", ["DELETE", "GET", "HEAD", "PATCH", "PUT"]),
    ],
)
def test_method_not_allowed(method: str, path: str, allowed: list[str]) -> None:
    """Where there is something, but not for this method, the error names the methods that there are."""
    with pytest.raises(MethodNotAllowed) as caught:
        found(method, path)
    assert caught.value.allowed == allowed


def test_answers_do_not_depend_on_what_was_asked_before() -> None:
    """However many paths were asked for, each of them leads to its own repository and arguments."""
    router = Router(ROUTES)
    for _ in range(2):
        for number in range(6000):
            match = router.find("GET", f"/v2/r{number}/manifests/t{number}")
            assert (match.repository, match.arguments) == (f"r{number}", {"reference": f"t{number}"})


async def refuse(call: Call) -> None:
    """A handler that nobody calls."""
    raise NotImplementedError


def test_head_with_a_row_of_its_own() -> None:
    """A row for GET answers HEAD as well, unless HEAD has a row of its own, wherever that stands."""
    rows = [
        Route("HEAD", "/a/<x>", refuse, "head of a", Guard.ANYONE),  # type: ignore[arg-type]
        Route("GET", "/a/<x>", refuse, "a", Guard.ANYONE),  # type: ignore[arg-type]
        Route("GET", "/b", refuse, "b", Guard.ANYONE),  # type: ignore[arg-type]
    ]
    router = Router(rows)
    assert [router.find("HEAD", path).route.name for path in ("/a/1", "/b")] == ["head of a", "b"]


def test_dots_in_templates_are_dots() -> None:
    """What looks like a pattern in a template is text."""
    router = Router([Route("GET", "/.well-known/x.json", refuse, "x", Guard.ANYONE)])  # type: ignore[arg-type]
    assert router.find("GET", "/.well-known/x.json").route.name == "x"
    with pytest.raises(RouteUnknown):
        router.find("GET", "/.well-known/xyjson")
