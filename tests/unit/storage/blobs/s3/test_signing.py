"""URLs that are signed for clients."""

import pytest
from yarl import URL

from storage.blobs.s3.options import S3Options
from storage.blobs.s3.signing import Signer


async def signed(options: S3Options) -> URL:
    """What a client is sent to for the object `a/b`."""
    signer = Signer(options)
    try:
        return URL(await signer.url("a/b", 60))
    finally:
        await signer.close()


def options(**changes: object) -> S3Options:
    """A store with credentials of its own."""
    made = {"bucket": "berth", "region": "eu-central-1", "access_key": "KEY", "secret_key": "SECRET"}
    return S3Options(**{**made, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "begin"),
    [
        ({}, "https://berth.s3.eu-central-1.amazonaws.com/a/b"),
        ({"path_style": True}, "https://s3.eu-central-1.amazonaws.com/berth/a/b"),
        ({"endpoint": "https://store.example"}, "https://berth.store.example/a/b"),
        ({"endpoint": "https://store.example", "path_style": True}, "https://store.example/berth/a/b"),
        (
            {"endpoint": "http://inside:9000", "public_endpoint": "https://outside", "path_style": True},
            "https://outside/berth/a/b",
        ),
    ],
)
async def test_where_a_url_leads(changes: dict[str, object], begin: str) -> None:
    """The bucket is in the host name or in the path, and the host is the one that clients reach."""
    url = await signed(options(**changes))
    assert str(url.with_query(None)) == begin


async def test_what_a_url_is_good_for() -> None:
    """A URL ends after its lifetime, is signed with the current version, and does not hold the secret."""
    url = await signed(options())
    assert url.query["X-Amz-Expires"] == "60"
    assert url.query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert url.query["response-content-type"] == "application/octet-stream"
    assert "SECRET" not in str(url)


def test_secret_is_not_shown() -> None:
    """The secret key is not in what is printed of the options."""
    assert "SECRET" not in repr(options())
