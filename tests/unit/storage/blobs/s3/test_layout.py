"""What names of objects are made of."""

import pytest

from storage.blobs import layout as files
from storage.blobs.s3.layout import Layout, new_storage_key, upload_of
from storage.digest import digest_of

UPLOAD = "0123456789abcdef" * 2


def test_key_is_new_each_time_and_knows_its_upload() -> None:
    """Two keys of one upload differ, and name the upload that they were made for."""
    first, second = new_storage_key(UPLOAD), new_storage_key(UPLOAD)
    assert first != second
    assert upload_of(first) == upload_of(second) == UPLOAD


def test_names_begin_with_the_prefix_and_lead_back() -> None:
    """Every name lies under the prefix, and says what it was made of."""
    layout, key = Layout("berth/"), new_storage_key(UPLOAD)
    assert layout.blob(key) == f"berth/blobs/{key}"
    assert layout.key_of(layout.blob(key)) == key
    assert layout.upload_id_of(layout.upload(UPLOAD)) == UPLOAD


def test_keys_of_files() -> None:
    """Blobs that were moved here from files have the names that they had there, and belong to no upload."""
    layout, key = Layout("berth/"), files.new_storage_key(digest_of(b"x"))
    assert layout.blob(key) == f"berth/blobs/{key}"
    assert layout.key_of(layout.blob(key)) == key
    assert upload_of(key) is None


@pytest.mark.parametrize("name", ["berth/blobs/x", "blobs/ab/x", "berth/uploads/x", "", "berth/blobs/"])
def test_names_of_others(name: str) -> None:
    """What is not named as we do is not ours."""
    layout = Layout("berth/")
    assert layout.key_of(name) is None
    assert layout.upload_id_of(name) is None


@pytest.mark.parametrize(
    "key", ["", "../../x", "ab/cd", f"ab/{UPLOAD}", f"ab/{UPLOAD}.{UPLOAD}/x", f"AB/{UPLOAD}.{UPLOAD}"]
)
def test_malformed_keys(key: str) -> None:
    """A key that no driver can have given out is refused before it becomes a name."""
    with pytest.raises(ValueError, match="storage key"):
        Layout("").blob(key)
    assert upload_of(key) is None


@pytest.mark.parametrize("upload_id", ["", "..", "A" * 32, "a" * 31])
def test_malformed_upload_ids(upload_id: str) -> None:
    """An id that is not 32 hex digits never becomes a name."""
    with pytest.raises(ValueError, match="upload id"):
        Layout("").upload(upload_id)
