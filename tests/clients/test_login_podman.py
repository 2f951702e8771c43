"""podman with a registry that asks for login."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.accounts import PULL, PUSH, Account, Accounts
from tests.clients.images import some_files, tar_of
from tests.clients.relay import replacing

Podman = Callable[..., str]

INSECURE = "--tls-verify=false"


@pytest.fixture
def image(podman: Podman) -> str:
    """The name that podman has for an image that is nowhere else."""
    podman("import", "-", "localhost/image:1", stdin=tar_of(some_files()))
    return "localhost/image:1"


def log_in(podman: Podman, accounts: Accounts, account: Account, logins: Path) -> str:
    """Log in as `account`, keep that in the file `logins`, and return what podman says."""
    flags = [INSECURE, f"--authfile={logins}", f"--username={account.name}", "--password-stdin"]
    return podman("login", *flags, accounts.address, stdin=account.secret.encode())


def push(podman: Podman, image: str, target: str, *login: str) -> None:
    """Push `image` to `target`."""
    podman("push", INSECURE, *login, image, f"docker://{target}")


def pull(podman: Podman, image: str, *login: str) -> None:
    """Pull an image, after all that is here was removed."""
    podman("rmi", "--all", "--force")
    podman("pull", INSECURE, *login, image)


def credentials(account: Account) -> str:
    """The flag that logs in for one command."""
    return f"--creds={account.pair}"


def test_who_is_logged_in_pushes_and_pulls(podman: Podman, image: str, accounts: Accounts, tmp_path: Path) -> None:
    """A developer pushes and pulls between login and logout, and not after."""
    logins, target = tmp_path / "logins.json", f"{accounts.address}/podman/app:1"
    login = f"--authfile={logins}"
    assert log_in(podman, accounts, accounts.developer, logins) == "Login Succeeded!"
    push(podman, image, target, login)
    pull(podman, target, login)
    podman("logout", login, accounts.address)
    with pytest.raises(AssertionError, match="unauthorized: pull on podman/app needs a login"):
        pull(podman, target, login)


def test_a_wrong_password_fails_at_login(podman: Podman, accounts: Accounts, tmp_path: Path) -> None:
    """The login itself says that the password is wrong."""
    with pytest.raises(AssertionError, match="invalid username/password"):
        log_in(podman, accounts, accounts.developer.wrong, tmp_path / "logins.json")


def test_everyone_pulls_what_is_public(podman: Podman, image: str, accounts: Accounts) -> None:
    """Without login, and with any login, what is in a public registry is pulled, and nothing else."""
    public, private = f"{accounts.address}/public/podman:1", f"{accounts.address}/podman/private:1"
    for target in [public, private]:
        push(podman, image, target, credentials(accounts.developer))
    pull(podman, public)
    pull(podman, public, credentials(accounts.foreigner))
    with pytest.raises(AssertionError, match="unauthorized: pull on podman/private needs a login"):
        pull(podman, private)
    with pytest.raises(AssertionError, match="name unknown: repository podman/private is not known"):
        pull(podman, private, credentials(accounts.foreigner))


def test_who_may_not_push_is_told_why(podman: Podman, image: str, accounts: Accounts) -> None:
    """The role that is too low, or the access token that is too narrow, is what podman shows."""
    target = f"{accounts.address}/podman/refused:1"
    with pytest.raises(AssertionError, match="denied: push on podman/refused is not allowed: the role reader in"):
        push(podman, image, target, credentials(accounts.reader))
    with pytest.raises(AssertionError, match=r"denied: the access token 'token-[0-9]+' is for pull only"):
        push(podman, image, target, credentials(accounts.new_token(accounts.developer, PULL)))


def test_an_access_token_ends(podman: Podman, accounts: Accounts) -> None:
    """Nothing is pulled with a token that has expired or was revoked, and podman shows which of both it is."""
    target = f"{accounts.address}/public/ended:1"
    with pytest.raises(AssertionError, match=r"unauthorized: the access token 'token-[0-9]+' has expired"):
        pull(podman, target, credentials(accounts.expired_token()))
    with pytest.raises(AssertionError, match="unauthorized: the access token is not known"):
        pull(podman, target, credentials(accounts.revoked_token()))


def test_a_robot_pushes(
    podman: Podman, image: str, accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A robot's login in the file that REGISTRY_AUTH_FILE names is used without any flag, as in CI."""
    logins, target = tmp_path / "logins.json", f"{accounts.address}/podman/built:1"
    log_in(podman, accounts, accounts.robot, logins)
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(logins))
    push(podman, image, target)
    pull(podman, target)


def test_two_accounts_are_used_side_by_side(podman: Podman, image: str, accounts: Accounts, tmp_path: Path) -> None:
    """Each file has its own login, whatever is done with another one in between."""
    target = f"{accounts.address}/podman/shared:1"
    developer, reader = tmp_path / "developer.json", tmp_path / "reader.json"
    log_in(podman, accounts, accounts.developer, developer)
    log_in(podman, accounts, accounts.reader, reader)
    with pytest.raises(AssertionError, match="the role reader"):
        push(podman, image, target, f"--authfile={reader}")
    push(podman, image, target, f"--authfile={developer}")
    pull(podman, target, f"--authfile={reader}")


def test_a_search_finds_what_may_be_seen(podman: Podman, image: str, accounts: Accounts, tmp_path: Path) -> None:
    """The catalog has the repositories that whoever asks may pull from, and no others."""
    names = [f"{accounts.address}/{name}/found" for name in ["podman", "public/podman"]]
    for name in names:
        push(podman, image, f"{name}:1", credentials(accounts.developer))
    logins = tmp_path / "logins.json"
    log_in(podman, accounts, accounts.reader, logins)
    search = ["search", INSECURE, "--format={{.Name}}", "--limit=100", f"{accounts.address}/found"]
    assert podman(*search, f"--authfile={logins}").splitlines() == names
    assert podman(*search).splitlines() == names[1:]


@pytest.mark.usefixtures("own_cache")
def test_layers_are_mounted(podman: Podman, image: str, accounts: Accounts) -> None:
    """A push to a second repository mounts the layers of the first, which podman asks for with a token for both."""
    login = credentials(accounts.developer)
    push(podman, image, f"{accounts.address}/podman/first:1", login)
    with accounts.expect_request("POST", "uploads", 201):
        push(podman, image, f"{accounts.address}/podman/second:1", login)
    pull(podman, f"{accounts.address}/podman/second:1", login)


@pytest.mark.usefixtures("own_cache")
def test_an_upload_is_cancelled_that_was_no_mount(podman: Podman, image: str, accounts: Accounts) -> None:
    """Where a mount turns out to be an upload, podman may cancel that, and goes on with another."""
    login = credentials(accounts.new_token(accounts.developer, PUSH))
    with replacing(accounts.daemon.port, b"from=podman%2Fhere", b"from=podman%2Fgone") as port:
        push(podman, image, f"127.0.0.1:{port}/podman/here:1", login)
        with accounts.expect_request("DELETE", "upload", 204):
            push(podman, image, f"127.0.0.1:{port}/podman/there:1", login)
        pull(podman, f"127.0.0.1:{port}/podman/there:1", login)
