"""buildah with a registry that asks for login."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.accounts import PULL, Account, Accounts
from tests.clients.images import some_files

Buildah = Callable[..., str]

INSECURE = "--tls-verify=false"
IMAGE = "localhost/image:1"


@pytest.fixture
def image(buildah: Buildah, tmp_path: Path) -> str:
    """The name that buildah has for an image that is nowhere else."""
    container = buildah("from", "scratch")
    for name, content in some_files().items():
        (tmp_path / name).write_bytes(content)
        buildah("copy", container, tmp_path / name, f"/{name}")
    buildah("commit", "--quiet", "--rm", container, IMAGE)
    return IMAGE


def log_in(buildah: Buildah, accounts: Accounts, account: Account, logins: Path) -> str:
    """Log in as `account`, keep that in the file `logins`, and return what buildah says."""
    flags = [INSECURE, f"--authfile={logins}", f"--username={account.name}", "--password-stdin"]
    return buildah("login", *flags, accounts.address, stdin=account.secret.encode())


def push(buildah: Buildah, image: str, target: str, *login: str) -> None:
    """Push `image` to `target`."""
    buildah("push", INSECURE, *login, image, f"docker://{target}")


def pull(buildah: Buildah, image: str, *login: str) -> None:
    """Pull an image, after all that is here was removed."""
    buildah("rmi", "--all", "--force")
    buildah("pull", "--quiet", INSECURE, *login, image)


def test_who_is_logged_in_pushes_and_pulls(buildah: Buildah, image: str, accounts: Accounts, tmp_path: Path) -> None:
    """A developer pushes and pulls between login and logout, and not after."""
    logins, target = tmp_path / "logins.json", f"{accounts.address}/buildah/app:1"
    login = f"--authfile={logins}"
    assert log_in(buildah, accounts, accounts.developer, logins) == "Login Succeeded!"
    push(buildah, image, target, login)
    pull(buildah, target, login)
    buildah("logout", login, accounts.address)
    with pytest.raises(AssertionError, match="unauthorized: pull on buildah/app needs a login"):
        pull(buildah, target, login)


def test_a_wrong_password_fails_at_login(buildah: Buildah, accounts: Accounts, tmp_path: Path) -> None:
    """The login itself says that the password is wrong."""
    with pytest.raises(AssertionError, match="invalid username/password"):
        log_in(buildah, accounts, accounts.developer.wrong, tmp_path / "logins.json")


def test_everyone_pulls_what_is_public(buildah: Buildah, image: str, accounts: Accounts) -> None:
    """Without login what is in a public registry is pulled, and nothing else."""
    public, private = f"{accounts.address}/public/buildah:1", f"{accounts.address}/buildah/private:1"
    for target in [public, private]:
        push(buildah, image, target, f"--creds={accounts.developer.pair}")
    pull(buildah, public)
    with pytest.raises(AssertionError, match="unauthorized: pull on buildah/private needs a login"):
        pull(buildah, private)


def test_who_may_not_push_is_told_why(buildah: Buildah, image: str, accounts: Accounts) -> None:
    """The role that is too low, or the access token that is too narrow, is what buildah shows."""
    target = f"{accounts.address}/buildah/refused:1"
    with pytest.raises(AssertionError, match="denied: push on buildah/refused is not allowed: the role reader in"):
        push(buildah, image, target, f"--creds={accounts.reader.pair}")
    with pytest.raises(AssertionError, match=r"denied: the access token 'token-[0-9]+' is for pull only"):
        push(buildah, image, target, f"--creds={accounts.new_token(accounts.developer, PULL).pair}")


def test_an_access_token_ends(buildah: Buildah, accounts: Accounts) -> None:
    """Nothing is pulled with a token that has expired or was revoked, and buildah shows which of both it is."""
    target = f"{accounts.address}/public/ended:1"
    with pytest.raises(AssertionError, match=r"unauthorized: the access token 'token-[0-9]+' has expired"):
        pull(buildah, target, f"--creds={accounts.expired_token().pair}")
    with pytest.raises(AssertionError, match="unauthorized: the access token is not known"):
        pull(buildah, target, f"--creds={accounts.revoked_token().pair}")


def test_a_robot_builds_on_a_private_image(
    buildah: Buildah, image: str, accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build pulls its base, and its image is pushed, with the login in the file that REGISTRY_AUTH_FILE names."""
    base, target = (f"{accounts.address}/buildah/{each}:1" for each in ["base", "built"])
    logins, folder = tmp_path / "logins.json", tmp_path / "context"
    push(buildah, image, base, f"--creds={accounts.developer.pair}")
    buildah("rmi", "--all", "--force")
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY Dockerfile /\n")
    with pytest.raises(AssertionError, match="unauthorized: pull on buildah/base needs a login"):
        buildah("build", INSECURE, "--tag", target, folder)
    log_in(buildah, accounts, accounts.robot, logins)
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(logins))
    buildah("build", INSECURE, "--tag", target, folder)
    push(buildah, target, target)


def test_two_accounts_are_used_side_by_side(buildah: Buildah, image: str, accounts: Accounts, tmp_path: Path) -> None:
    """Each file has its own login, whatever is done with another one in between."""
    target = f"{accounts.address}/buildah/shared:1"
    developer, reader = tmp_path / "developer.json", tmp_path / "reader.json"
    log_in(buildah, accounts, accounts.developer, developer)
    log_in(buildah, accounts, accounts.reader, reader)
    with pytest.raises(AssertionError, match="the role reader"):
        push(buildah, image, target, f"--authfile={reader}")
    push(buildah, image, target, f"--authfile={developer}")
    pull(buildah, target, f"--authfile={reader}")
