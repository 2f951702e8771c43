"""Where bytes are kept, as configured."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from registry.app.bytes import open_bytes, prepare_bytes
from registry.config.load import load
from registry.errors import StartError
from tests import s3_store


def test_client_of_stores_is_loaded_only_where_there_is_one() -> None:
    """A registry on files pays nothing for what only buckets need."""
    program = (
        "import sys, registry.cli, registry.app.serving, registry.server.worker\n"
        "print([name for name in ('botocore', 'aiobotocore') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout == "[]\n"


async def test_bucket_is_looked_for_at_the_start(tmp_path: Path) -> None:
    """A bucket that is there is fine; one that is not is a mistake that can be told before anybody is served."""
    settings = {**s3_store.settings(), "storage.data": str(tmp_path / "data")}
    config = load(None, {}, settings)
    await prepare_bytes(config)
    opened = open_bytes(config)
    assert opened.objects is not None
    await opened.driver.close()
    with pytest.raises(StartError, match="no-such-bucket"):
        await prepare_bytes(load(None, {}, {**settings, "s3.bucket": "no-such-bucket"}))


def test_files_need_no_store(tmp_path: Path) -> None:
    """By default blobs are in the data folder, and no URLs are signed."""
    config = load(None, {}, {"storage.data": str(tmp_path / "data")})
    asyncio.run(prepare_bytes(config))
    assert (tmp_path / "data" / "blobs").is_dir()
    assert open_bytes(config).objects is None
