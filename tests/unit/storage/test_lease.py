"""The lease of the one process that does background work."""

from pathlib import Path

from storage.lease import FileLease


def test_one_holder(tmp_path: Path) -> None:
    """The first who asks has the lease, keeps it however often it asks, and nobody else gets it."""
    first, second = FileLease(tmp_path / "lease"), FileLease(tmp_path / "lease")
    assert [first.held(), second.held(), first.held(), second.held()] == [True, False, True, False]
    first.close()
    second.close()


def test_next_holder(tmp_path: Path) -> None:
    """When the holder closes the lease, the next one who asks has it."""
    first, second = FileLease(tmp_path / "lease"), FileLease(tmp_path / "lease")
    assert first.held()
    assert not second.held()
    first.close()
    assert second.held()
    second.close()


def test_lease_is_private(tmp_path: Path) -> None:
    """Other users of the machine cannot open the file and so cannot take the lease away."""
    lease = FileLease(tmp_path / "lease")
    assert (tmp_path / "lease").stat().st_mode & 0o077 == 0
    lease.close()
