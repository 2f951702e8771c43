"""Two daemons on one database and one bucket, as behind a balancer that knows no sessions."""

from pathlib import Path

import pytest

from registry.app.storing import run_check
from storage.digest import digest_of
from tests import s3_store
from tests.api.server import configured, running
from tests.contract.blobs import noise

MIB = 1 << 20


@pytest.mark.parametrize("chunk", [1000, 3 * MIB, 6 * MIB])
async def test_upload_through_both(tmp_path: Path, postgres_url: str, chunk: int) -> None:
    """Every request of one upload may go to another daemon than the one before; either serves the blob then."""
    content = noise(4 * chunk + 7)
    shared = {**s3_store.settings(), "storage.database": postgres_url, "s3.part_size": "5MiB"}
    configs = [configured({**shared, "storage.data": str(tmp_path / name)}) for name in ("one", "other")]
    async with running(configs[0]) as one, running(configs[1]) as other:
        location = (await one.ask("POST", "/v2/app/blobs/uploads/")).headers["Location"]
        for number, start in enumerate(range(0, len(content), chunk)):
            daemon = (other, one)[number % 2]
            piece = content[start : start + chunk]
            sent = await daemon.ask(
                "PATCH",
                location,
                headers={"Content-Range": f"{start}-{start + len(piece) - 1}", "Content-Length": str(len(piece))},
                body=piece,
            )
            assert sent.status == 202
            location = sent.headers["Location"]
            asked = await (one, other)[number % 2].ask("GET", location)
            assert asked.headers["Range"] == f"0-{start + len(piece) - 1}"
        digest = digest_of(content)
        assert (await one.ask("PUT", f"{location}?digest={digest}")).status == 201
        for daemon in (one, other):
            assert (await daemon.ask("GET", f"/v2/app/blobs/{digest}")).body == content
    report = await run_check(configs[1], with_bytes=True)
    assert ([str(problem) for problem in report.problems], report.unreferenced) == ([], 0)
