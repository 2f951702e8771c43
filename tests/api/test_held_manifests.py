"""Who asks for a manifest before a push finds it there when the push comes."""

from __future__ import annotations

import pytest

from tests.api.accounts import Accounts, basic
from tests.api.content import image

NAME = "acme/open/app"
PUSH, PULL = f"repository:{NAME}:pull,push", f"repository:{NAME}:pull"


async def held(accounts: Accounts) -> bool:
    """Whether the image was held since that was last taken from it."""
    (row,) = await accounts.registry.storage.store.fetch_all("SELECT held_at FROM manifests")
    return bool(row[0] > 1)


@pytest.mark.parametrize(
    ("method", "reference", "login", "scope", "holds"),
    [
        ("HEAD", image().digest, basic("alice"), PUSH, True),
        ("HEAD", image().digest, basic("alice"), PULL, False),
        ("HEAD", image().digest, basic("rita"), PUSH, False),
        ("HEAD", image().digest, None, PUSH, False),
        ("GET", image().digest, basic("alice"), PUSH, False),
        ("HEAD", "v1", basic("alice"), PUSH, False),
    ],
)
async def test_asking(
    accounts: Accounts, method: str, reference: str, login: str | None, scope: str, *, holds: bool
) -> None:
    """HEAD of a digest by whoever may push holds it; what others ask for, or how, is a read and no more."""
    await accounts.push(NAME)
    store = accounts.registry.storage.store
    await store.transact(lambda tx: tx.execute("UPDATE manifests SET held_at = 1"))
    token = await accounts.token(login, scope)
    answer = await accounts.ask(method, f"/v2/{NAME}/manifests/{reference}", token)
    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (200, image().digest)
    assert await held(accounts) == holds


async def test_asking_with_a_condition(accounts: Accounts) -> None:
    """Who has the manifest already, and asks only whether it is there, holds it as well."""
    await accounts.push(NAME)
    await accounts.registry.storage.store.transact(lambda tx: tx.execute("UPDATE manifests SET held_at = 1"))
    token = await accounts.token(basic("alice"), PUSH)
    path, known = f"/v2/{NAME}/manifests/{image().digest}", f'"{image().digest}"'
    assert (await accounts.ask("HEAD", path, token, If_None_Match=known)).status == 304
    assert await held(accounts)
