"""Which registry a repository belongs to: in whose way its content is, and whose rules hold for it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from storage.metadata import immutable_tags, registries, repositories
from storage.metadata.registries import NewRegistry, Policy
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Transaction
from storage.names import RepositoryName

# Names that begin alike, and all characters that come near the slash.
NAMES = st.lists(st.sampled_from(["a", "b", "a-b", "a.b", "a0", "ab"]), min_size=1, max_size=3).map("/".join)


def prefixes_of(name: str) -> list[str]:
    """The prefixes that a registry could take the name by, the longest first."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]


async def a_store(prefixes: set[str], full: set[str], empty: set[str]) -> MemoryStore:
    """A store with these registries, besides the one without a prefix, and repositories with and without content."""
    store = MemoryStore()

    async def insert(tx: Transaction) -> None:
        for prefix in prefixes:
            await registries.insert(tx, NewRegistry(1, prefix, prefix, "local", "private", "", 0))
        for name in empty | full:
            await repositories.ensure(tx, RepositoryName(name), 0)
        for name in full:
            await tx.execute(
                "INSERT INTO manifests (repository_id, digest, media_type, size, created_at, content)"
                " SELECT id, 'sha256:00', 'text/plain', 1, 0, 'x' FROM repositories WHERE name = ?",
                name,
            )

    await store.transact(insert)
    return store


@given(st.sets(NAMES, max_size=4), st.sets(NAMES, max_size=3), st.sets(NAMES, max_size=2), NAMES | st.just(""))
async def test_content(prefixes: set[str], full: set[str], empty: set[str], asked: str) -> None:
    """A prefix has the content below it, by whole components, unless a longer one has it."""
    store = await a_store(prefixes, full, empty - full)
    known = prefixes | {asked}
    expected = any(next((prefix for prefix in prefixes_of(name) if prefix in known), None) == asked for name in full)
    assert await registries.has_content(store, asked) == expected
    await store.close()


async def test_policies() -> None:
    """Every registry has a policy, with nothing in it where it is as configured for all."""
    store = await a_store({"a", "b"}, set(), set())
    row = await registries.find(store, 1, "a")
    assert row is not None
    await store.transact(lambda tx: registries.update(tx, replace(row, untagged_after=1000, orphaned_after=0)))
    expected = [Policy("", None, None), Policy("a", 1000, 0), Policy("b", None, None)]
    assert sorted(await registries.policies(store), key=lambda policy: policy.prefix) == expected
    await store.close()


@given(st.sets(NAMES, max_size=4), NAMES)
async def test_longest(prefixes: set[str], name: str) -> None:
    """Of the registries whose prefixes are among those of a name the one with the longest says what is immutable."""
    store = await a_store(prefixes, set(), set())
    await store.transact(
        lambda tx: tx.execute(
            "INSERT INTO immutable_tags (registry_id, repository_pattern, tag_pattern, created_at)"
            " SELECT id, prefix, 'v*', 0 FROM registries"
        )
    )
    longest = next(prefix for prefix in prefixes_of(name) if prefix in prefixes | {""})
    assert await immutable_tags.patterns_for(store, prefixes_of(name)) == [(longest, "v*")]
    await store.close()
