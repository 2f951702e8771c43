"""Where parts begin, and how large they are."""

import pytest

from storage.blobs.s3.parts import PARTS_MAX, Part, expected_etag, part_size, part_start

MIB = 1 << 20


@pytest.mark.parametrize("number", [1, 2, 999, 1000, 1001, 1002, 2000, 2001, 5000, PARTS_MAX])
def test_part_begins_where_the_one_before_ends(number: int) -> None:
    """There is no gap between parts, and no overlap."""
    assert part_start(number + 1, 8 * MIB) == part_start(number, 8 * MIB) + part_size(number, 8 * MIB)


def test_first_part_begins_at_the_start() -> None:
    """Nothing is before the first part, and it has the size that was set."""
    assert (part_start(1, 8 * MIB), part_size(1, 8 * MIB), part_size(1000, 8 * MIB)) == (0, 8 * MIB, 8 * MIB)


def test_as_many_parts_as_stores_take_are_enough() -> None:
    """The largest object of a store fits into its number of parts, and no part is larger than it may be."""
    assert part_start(PARTS_MAX + 1, 8 * MIB) > 5 << 40
    assert part_size(PARTS_MAX, 8 * MIB) <= 5 << 30


def test_blobs_of_common_sizes_need_little_memory() -> None:
    """Up to some GiB all parts have the size that was set."""
    assert part_start(1001, 8 * MIB) == 8000 * MIB


def test_etag_of_the_whole() -> None:
    """The ETag of an object made of parts is known where those of the parts are MD5 sums."""
    parts = [Part(1, 5, '"5d41402abc4b2a76b9719d911017c592"'), Part(2, 5, '"7d793037a0760186574b0282f2f435e7"')]
    assert expected_etag(parts) == '"065947336a2f2a95ba8899f3675c3be6-2"'
    assert expected_etag([Part(1, 5, '"not hex"')]) is None
