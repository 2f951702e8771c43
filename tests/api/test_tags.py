"""Listing tags and repositories (spec, "Listing Tags"; the catalog is Docker's)."""

from __future__ import annotations

from yarl import URL

from tests.api.conftest import Serve
from tests.api.content import BASICS, CONFIG, LAYER, blob, image, manifest
from tests.api.server import Registry
from tests.api.table import Case, Step, case, play, rows

PLAIN = image()
LIST = "/v2/app/tags/list"
CATALOG = "/v2/_catalog"

# In ASCII order, which is not the order in which they are pushed.
ORDERED = ["1.0", "1.0-rc", "10", "2", "A", "Z", "_", "a", "b", "z.9"]
SEED = [*BASICS, *(manifest(PLAIN, tag) for tag in reversed(ORDERED))]
REPOSITORIES = ["a", "a-b", "a/b", "a/b/c", "a0", "b"]
REPOSITORIES_SEED = [blob(b"x", name) for name in reversed(REPOSITORIES)]


def page(query: str, tags: list[str], more: str | None = None) -> Step:
    """A page of tags; `more` is the path in the Link to the next one."""
    sees = {"Content-Type": "application/json", "Link": None if more is None else f'<{more}>; rel="next"'}
    return Step("GET", LIST + query, 200, sees=sees, gives={"name": "app", "tags": tags})


def names(query: str, repositories: list[str], more: str | None = None) -> Step:
    sees = {"Link": None if more is None else f'<{more}>; rel="next"'}
    return Step("GET", CATALOG + query, 200, sees=sees, gives={"repositories": repositories})


TAGS: list[Case] = [
    case("end-8a", "all tags, in ASCII order", page("", ORDERED), seed=SEED),
    case("end-8a", "a repository without tags has an empty list", page("", []), page("?n=5", []), seed=BASICS),
    case("end-8a", "a repository that nobody pushed to", Step("GET", LIST, 404, error="NAME_UNKNOWN")),
    case(
        "end-8b",
        "n tags, and a Link to the next",
        page("?n=3", ORDERED[:3], f"{LIST}?n=3&last=10"),
        Step("GET", "{next}", 200, gives={"name": "app", "tags": ORDERED[3:6]}),
        Step("GET", "{next}", 200, gives={"name": "app", "tags": ORDERED[6:9]}),
        Step("GET", "{next}", 200, sees={"Link": None}, gives={"name": "app", "tags": ORDERED[9:]}),
        seed=SEED,
    ),
    case("end-8b", "as many as there are: no Link", page("?n=10", ORDERED), page("?n=11", ORDERED), seed=SEED),
    case("end-8b", "n=0 gives nothing, and no Link", page("?n=0", []), page("?n=0&last=2", []), seed=SEED),
    case(
        "end-8b",
        "a huge n is cut to the largest page",
        page("?n=10000", ORDERED[:4], f"{LIST}?n=4&last=2"),
        page(f"?n={'9' * 500}", ORDERED[:4], f"{LIST}?n=4&last=2"),
        seed=SEED,
        config={"limits.max_page_size": 4, "limits.page_size": 3},
    ),
    case(
        "end-8a",
        "where the client does not say, a page has the usual size",
        page("", ORDERED[:3], f"{LIST}?n=3&last=10"),
        page("?n=", ORDERED[:3], f"{LIST}?n=3&last=10"),
        page("?last=10", ORDERED[3:6], f"{LIST}?n=3&last=Z"),
        seed=SEED,
        config={"limits.page_size": 3},
    ),
    case(
        "end-8b",
        "after last, which need not exist",
        page("?last=2", ORDERED[4:]),
        page("?last=20", ORDERED[4:]),
        page("?last=", ORDERED),
        page("?n=2&last=A", ORDERED[5:7], f"{LIST}?n=2&last=_"),
        page("?last=zzz", []),
        page("?n=2&last=b", ["z.9"]),
        page("?last=%00", ORDERED),
        page("?last=%F0%9F%9A%A2", []),
        page("?last=1.0%27%20OR%201=1--", ORDERED[1:]),
        seed=SEED,
    ),
    case(
        "end-8b",
        "an n that is no number",
        *(
            Step("GET", f"{LIST}?n={n}", 400, error="UNSUPPORTED")
            for n in ["-1", "x", "1.5", "0x10", "+1", "%D9%A1", "1e3"]
        ),
        seed=SEED,
    ),
    case(
        "end-8a",
        "a deleted tag is not listed, a moved one is listed once",
        Step("DELETE", "/v2/app/manifests/10", 202),
        manifest(image(annotations={"n": "2"}), "2"),
        page("", [tag for tag in ORDERED if tag != "10"]),
        seed=SEED,
    ),
    case(
        "end-8a",
        "tags of another repository are not listed",
        page("", ["v1"]),
        Step("GET", "/v2/app/two/tags/list", 200, gives={"name": "app/two", "tags": ["v2"]}),
        seed=[
            *(blob(content, name) for name in ("app", "app/two") for content in (CONFIG, LAYER)),
            manifest(PLAIN, "v1"),
            manifest(PLAIN, "v2", "app/two"),
        ],
    ),
]

CATALOGS: list[Case] = [
    case("catalog", "nothing was pushed", names("", []), names("?n=5", [])),
    case("catalog", "all repositories, in ASCII order", names("", REPOSITORIES), seed=REPOSITORIES_SEED),
    case(
        "catalog",
        "n repositories, and a Link to the next",
        names("?n=4", REPOSITORIES[:4], f"{CATALOG}?n=4&last=a%2Fb%2Fc"),
        Step("GET", "{next}", 200, sees={"Link": None}, gives={"repositories": REPOSITORIES[4:]}),
        names("?n=6", REPOSITORIES),
        seed=REPOSITORIES_SEED,
    ),
    case("catalog", "n=0 gives nothing, and no Link", names("?n=0", []), seed=REPOSITORIES_SEED),
    case(
        "catalog",
        "after last, which need not exist",
        names("?last=a/b", REPOSITORIES[3:]),
        names("?last=a/zzz", REPOSITORIES[4:]),
        names("?last=zzz", []),
        names("?n=1&last=a0", ["b"]),
        seed=REPOSITORIES_SEED,
    ),
    case(
        "catalog",
        "pages have a largest size, and n has to be a number",
        names("?n=999999999999", REPOSITORIES[:2], f"{CATALOG}?n=2&last=a-b"),
        Step("GET", f"{CATALOG}?n=-1", 400, error="UNSUPPORTED"),
        Step("GET", f"{CATALOG}?n=x", 400, error="UNSUPPORTED"),
        seed=REPOSITORIES_SEED,
        config={"limits.max_page_size": 2, "limits.page_size": 2},
    ),
]


@rows(TAGS, CATALOGS)
async def test_lists(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)


async def follow(registry: Registry, path: str, key: str) -> list[str]:
    """All entries of a list, page after page by its Links."""
    found: list[str] = []
    while path:
        answer = await registry.ask("GET", path)
        assert answer.status == 200
        found += answer.json()[key]
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix("<")
        if path.startswith("http"):
            path = URL(path, encoded=True).raw_path_qs
    return found


async def push_many(registry: Registry, count: int) -> list[str]:
    """Push so many tags, and return them in order."""
    for step in BASICS:
        await registry.ask(step.method, step.url, body=step.body)
    tags = sorted(f"v{number}" for number in range(count))
    for begin in range(0, count, 50):
        query = "&".join(f"tag={tag}" for tag in tags[begin : begin + 50])
        headers = {"Content-Type": PLAIN.media_type}
        answer = await registry.ask(
            "PUT", f"/v2/app/manifests/{PLAIN.digest}?{query}", headers=headers, body=PLAIN.content
        )
        assert answer.status == 201
    return tags


async def test_links_lead_through_everything(serve: Serve) -> None:
    """Whatever the size of a page, following the Links gives every tag once and in order."""
    registry = await serve({"limits.max_page_size": 2000, "limits.page_size": 1000})
    tags = await push_many(registry, 2345)
    assert await follow(registry, LIST, "tags") == tags
    assert await follow(registry, f"{LIST}?n=97", "tags") == tags
    assert await follow(registry, f"{LIST}?n=5000", "tags") == tags
    assert await follow(registry, f"{LIST}?n=2000&last=v2", "tags") == [tag for tag in tags if tag > "v2"]


async def test_links_with_absolute_locations(serve: Serve) -> None:
    """Where Locations are absolute a Link is a URL that leads on, too."""
    registry = await serve({"server.locations": "absolute"})
    tags = await push_many(registry, 5)
    answer = await registry.ask("GET", f"{LIST}?n=2")
    assert answer.headers["Link"] == f'<{registry.url}{LIST}?n=2&last=v1>; rel="next"'
    assert await follow(registry, f"{LIST}?n=2", "tags") == tags
    assert await follow(registry, f"{CATALOG}?n=1", "repositories") == ["app"]
