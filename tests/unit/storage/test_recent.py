"""What is kept in memory, and what gives way."""

from storage.recent import Recent

KIB = 1024


def test_least_recently_used_gives_way() -> None:
    """When there is no more room, what nobody asked for longest goes first."""
    recent: Recent[str] = Recent(4 * KIB)
    for key in "abc":
        recent.keep(key, key.upper(), KIB // 2)
    assert recent.find("a") == "A"
    recent.keep("d", "D", KIB // 2)
    recent.keep("e", "E", KIB // 2)
    assert [recent.find(key) for key in "abcde"] == ["A", None, "C", "D", "E"]


def test_capacity_holds() -> None:
    """However much is kept, dropped and kept anew, what stays is never more than there is room for, and never less."""
    recent: Recent[int] = Recent(100 * KIB)
    for number in range(10_000):
        recent.keep(str(number % 300), number, (number % 7) * KIB)
        if number % 5 == 0:
            recent.drop(str(number % 300))
    kept = [number for number in range(300) if recent.find(str(number)) is not None]
    assert 10 <= len(kept) <= 200
    for number in range(300):
        recent.drop(str(number))
    recent.keep("all", 1, 99 * KIB)
    assert recent.find("all") == 1


def test_too_large() -> None:
    """What has no room at all is not kept, and neither is what it was to replace; the rest stays."""
    recent: Recent[str] = Recent(2 * KIB)
    recent.keep("a", "old", 1)
    recent.keep("b", "B", 1)
    recent.keep("a", "new", 2 * KIB)
    assert (recent.find("a"), recent.find("b")) == (None, "B")


def test_no_room() -> None:
    """Without capacity nothing is kept, not even what is empty."""
    recent: Recent[bytes] = Recent(0)
    recent.keep("a", b"", 0)
    assert recent.find("a") is None
