"""The Python client of oras with a registry that asks for login.

Its way of using tokens does for pulls only: the token that it gets first, to look whether a blob is there, is the one
that it sends with everything. So pushes send the login itself, which the client knows as the backend `basic`.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.clients.accounts import PULL, Account, Accounts
from tests.clients.images import some_files
from tests.clients.programs import require_module

TOKEN, BASIC = "token", "basic"

NewClient = Callable[..., Any]


@pytest.fixture
def client(accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewClient]:
    """Makes clients, logged in as the account that is given, that send tokens unless they are to send the login."""
    oras = require_module("oras.client")
    # What is refused is tried again, in the end after a minute.
    monkeypatch.setattr("oras.decorator.time", SimpleNamespace(sleep=lambda _: None))
    clients = []

    def client(account: Account | None = None, backend: str = TOKEN) -> Any:
        one = oras.OrasClient(hostname=accounts.address, insecure=True, auth_backend=backend)
        clients.append(one)
        if account is not None:
            one.login(account.name, account.secret, hostname=accounts.address, config_path=str(tmp_path / "logins"))
        return one

    yield client
    for one in clients:
        one.session.close()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Files that are nowhere else."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in some_files().items():
        (folder / name).write_bytes(content)
    return [str(path) for path in sorted(folder.iterdir())]


def push(client: Any, target: str, files: list[str], **options: str) -> None:
    """Push `files` as an artifact."""
    client.push(target=target, files=files, disable_path_validation=True, quiet=True, **options)


def assert_pulled(client: Any, target: str, files: list[str], folder: Path) -> None:
    """Pull `target` into `folder` and find the same files there."""
    pulled = sorted(client.pull(target=target, outdir=str(folder)))
    assert [Path(each).read_bytes() for each in pulled] == [Path(each).read_bytes() for each in files]


def test_who_is_logged_in_pushes_and_pulls(
    client: NewClient, files: list[str], accounts: Accounts, tmp_path: Path
) -> None:
    """A developer pushes and pulls between login and logout, and not after; a reader pulls with tokens."""
    target, developer = f"{accounts.address}/oras/app:1", client(accounts.developer, BASIC)
    push(developer, target, files)
    assert_pulled(developer, target, files, tmp_path / "developer")
    assert_pulled(client(accounts.reader), target, files, tmp_path / "reader")
    developer.logout(accounts.address)
    with pytest.raises(ValueError, match="manifests/1: Unauthorized"):
        developer.pull(target=target, outdir=str(tmp_path))


def test_tokens_do_for_a_push(client: NewClient, files: list[str], accounts: Accounts) -> None:
    """A push gets the tokens that it needs."""
    push(client(accounts.developer), f"{accounts.address}/oras/tokens:1", files)


def test_a_wrong_password_is_refused(client: NewClient, files: list[str], accounts: Accounts, tmp_path: Path) -> None:
    """The login is not tried before it is used, and then nothing is pushed or pulled."""
    target, wrong = f"{accounts.address}/public/oras-wrong:1", accounts.developer.wrong
    with pytest.raises(ValueError, match="wrong user name or password"):
        push(client(wrong, BASIC), target, files)
    with pytest.raises(ValueError, match="Cannot respond to request for authentication"):
        client(wrong).pull(target=target, outdir=str(tmp_path))


def test_everyone_pulls_what_is_public(client: NewClient, files: list[str], accounts: Accounts, tmp_path: Path) -> None:
    """Without login what is in a public registry is pulled, and nothing else."""
    public, private = (f"{accounts.address}/{each}:1" for each in ["public/oras", "oras/private"])
    for target in [public, private]:
        push(client(accounts.developer, BASIC), target, files)
    assert_pulled(client(), public, files, tmp_path / "public")
    with pytest.raises(ValueError, match="manifests/1: Unauthorized"):
        client().pull(target=private, outdir=str(tmp_path))
    with pytest.raises(ValueError, match="manifests/1: Not Found"):
        client(accounts.foreigner).pull(target=private, outdir=str(tmp_path))


def test_who_may_not_push_is_told_why(client: NewClient, files: list[str], accounts: Accounts) -> None:
    """The role that is too low, or the access token that is too narrow, is in the error."""
    target = f"{accounts.address}/oras/refused:1"
    with pytest.raises(ValueError, match="push on oras/refused is not allowed: the role reader in"):
        push(client(accounts.reader, BASIC), target, files)
    with pytest.raises(ValueError, match=r"the access token '?token-[0-9]+'? is for pull only"):
        push(client(accounts.new_token(accounts.developer, PULL), BASIC), target, files)


def test_an_access_token_ends(client: NewClient, files: list[str], accounts: Accounts) -> None:
    """Nothing is pushed with a token that has expired or was revoked, and the error says which of both it is."""
    target = f"{accounts.address}/oras/ended:1"
    with pytest.raises(ValueError, match=r"the access token .*token-[0-9]+.* has expired"):
        push(client(accounts.expired_token(), BASIC), target, files)
    with pytest.raises(ValueError, match="the access token is not known"):
        push(client(accounts.revoked_token(), BASIC), target, files)


def test_a_robot_pushes(client: NewClient, files: list[str], accounts: Accounts, tmp_path: Path) -> None:
    """The login of a robot is found in a file that docker or podman wrote."""
    target, logins = f"{accounts.address}/oras/built:1", tmp_path / "logins.json"
    logins.write_text(json.dumps({"auths": {accounts.address: {"auth": accounts.robot.encoded}}}))
    push(client(backend=BASIC), target, files, config_path=str(logins))
    assert_pulled(client(accounts.robot), target, files, tmp_path / "back")


def test_two_accounts_are_used_side_by_side(client: NewClient, files: list[str], accounts: Accounts) -> None:
    """Each client has its own login: only who may delete can, and who cannot is told why."""
    repository = f"{accounts.address}/oras/shared"
    developer, admin = client(accounts.developer, BASIC), client(accounts.admin, BASIC)
    push(developer, f"{repository}:1", files)
    with pytest.raises(RuntimeError, match="delete on oras/shared is not allowed: the role developer in"):
        developer.delete_tags(repository, "1")
    assert admin.delete_tags(repository, "1") == ["1"]
    assert developer.get_tags(repository) == []
