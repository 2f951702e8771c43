"""Media types."""

import pytest

from registry.oci.media_types import DEPRECATED, IMAGES, INDEXES, MANIFESTS, essence, is_distributable


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.index.v1+json"),
        ("application/json; charset=utf-8", "application/json"),
        (" Application/JSON ;charset=utf-8", "application/json"),
        ("", ""),
        (";", ""),
    ],
)
def test_essence(header: str, expected: str) -> None:
    """Parameters, spaces and case of a Content-Type do not matter."""
    assert essence(header) == expected


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("application/vnd.oci.image.layer.v1.tar+gzip", True),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", False),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", True),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", False),
        ("application/octet-stream", True),
        ("", True),
    ],
)
def test_distributable(media_type: str, *, expected: bool) -> None:
    """Layers that are fetched from elsewhere are known in the words of OCI and of Docker."""
    assert is_distributable(media_type) is expected


def test_kinds_do_not_overlap() -> None:
    """Every manifest type is of exactly one kind."""
    kinds = [IMAGES, INDEXES, DEPRECATED]
    assert sorted(MANIFESTS) == sorted(media_type for kind in kinds for media_type in kind)
