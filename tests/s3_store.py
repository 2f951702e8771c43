"""The S3 store that tests use: one in memory, started when it is first needed, or a real one.

A real one is named by BERTH_TEST_S3_ENDPOINT and BERTH_TEST_S3_BUCKET, and takes the usual credentials.
"""

import atexit
import functools
import hashlib
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.session import Session

from storage.blobs.s3.options import S3Options

ROOT = Path(__file__).parents[1]
BUCKET = "berth-test"
# Real stores take no smaller parts.
REAL_PART = 5 << 20


@functools.cache
def endpoint() -> str:
    """The URL of the store. Processes that this one starts find the same."""
    known = os.environ.get("BERTH_TEST_S3_ENDPOINT")
    if known:
        return known
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.s3_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(_stop, program)
    assert program.stdout is not None
    url = f"http://127.0.0.1:{int(program.stdout.readline())}"
    os.environ.update(
        {
            "BERTH_TEST_S3_ENDPOINT": url,
            "BERTH_TEST_S3_IN_MEMORY": "yes",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )
    # Not by the client, which takes long to load, and is not needed for most tests.
    with urllib.request.urlopen(urllib.request.Request(f"{url}/{bucket()}", method="PUT")):
        pass
    return url


def is_real() -> bool:
    """Whether the store is one that was started elsewhere."""
    return "BERTH_TEST_S3_ENDPOINT" in os.environ and "BERTH_TEST_S3_IN_MEMORY" not in os.environ


# Small enough for many parts without much data.
PART = REAL_PART if is_real() else 512 * 1024


def bucket() -> str:
    """The bucket that tests may fill."""
    return os.environ.get("BERTH_TEST_S3_BUCKET", BUCKET)


def options(place: Path, **changes: Any) -> S3Options:
    """How a driver reaches what belongs to `place`: a prefix of its own in the bucket."""
    url = changes.pop("endpoint", None) or endpoint()
    settings: dict[str, Any] = {
        "endpoint": url,
        "bucket": bucket(),
        "prefix": prefix(place),
        "region": "us-east-1",
        "path_style": True,
        "part_size": PART,
        "backoff_s": 0.01,
    }
    return S3Options(**{**settings, **changes})


def settings() -> dict[str, object]:
    """What lets a registry keep its blobs in the store, where no other one does."""
    return {
        "storage.blobs": "s3",
        "s3.endpoint": endpoint(),
        "s3.bucket": bucket(),
        "s3.prefix": f"test/{secrets.token_hex(8)}/",
        "s3.region": "us-east-1",
        "s3.path_style": True,
    }


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings, by their dotted paths, as a daemon finds them in its environment."""
    return {
        f"BERTH_{path.upper().replace('.', '__')}": str(value).lower() if isinstance(value, bool) else str(value)
        for path, value in settings.items()
    }


def prefix(place: Path) -> str:
    """What the names of all objects of a place begin with."""
    return f"test/{hashlib.sha256(str(place).encode()).hexdigest()[:16]}/"


def _stop(program: subprocess.Popen[str]) -> None:
    """The program ends when its standard input does; here it is only waited for."""
    program.communicate(timeout=10)


@functools.cache
def client(url: str) -> Any:
    """A client that blocks, for looking at what a driver did."""
    config = Config(s3={"addressing_style": "path"}, signature_version="s3v4")
    return Session().create_client("s3", region_name="us-east-1", endpoint_url=url, config=config)


def leftovers(place: Path) -> list[str]:
    """Names of all objects of a place, and of its multipart uploads."""
    return listed(prefix(place))


def listed(begin: str) -> list[str]:
    """Names of all objects that begin like this, and of such multipart uploads."""
    store = client(endpoint())
    objects = store.list_objects_v2(Bucket=bucket(), Prefix=begin).get("Contents", [])
    arriving = store.list_multipart_uploads(Bucket=bucket(), Prefix=begin).get("Uploads", [])
    return [entry["Key"] for entry in [*objects, *arriving]]
