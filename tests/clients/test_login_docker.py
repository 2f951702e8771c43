"""docker with a registry that asks for login."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.clients.accounts import PULL, Account, Accounts
from tests.clients.images import some_files, tar_of

Docker = Callable[..., str]


@pytest.fixture
def client(docker: Docker, accounts: Accounts, tmp_path: Path) -> Callable[..., Docker]:
    """Makes docker command lines, each with a configuration of its own, logged in as the account that is given."""

    def client(account: Account | None = None) -> Docker:
        folder = tmp_path / f"config-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        command = partial(docker, "--config", folder)
        if account is not None:
            log_in(command, accounts, account)
        return command

    return client


def log_in(docker: Docker, accounts: Accounts, account: Account) -> str:
    """Log in as `account`, as a script does, and return what docker says."""
    flags = ["--username", account.name, "--password-stdin"]
    return docker("login", *flags, accounts.address, stdin=account.secret.encode())


def import_image(docker: Docker, *names: str) -> None:
    """Make an image that is nowhere else, under all these names."""
    image = docker("import", "-", stdin=tar_of(some_files()))
    for name in names:
        docker("tag", image, name)


def push_image(docker: Docker, image: str) -> None:
    """Make an image, push it and remove it from dockerd."""
    import_image(docker, image)
    docker("push", image)
    remove(docker, image)


def remove(docker: Docker, image: str) -> None:
    """Remove an image with its layers."""
    docker("image", "rm", "--force", docker("image", "inspect", "--format", "{{.Id}}", image))


def assert_pulled(docker: Docker, image: str) -> None:
    """Pull an image, which is not in dockerd, and remove it."""
    assert "Downloaded newer image" in docker("pull", image)
    remove(docker, image)


def test_who_is_logged_in_pushes_and_pulls(docker: Docker, accounts: Accounts, tmp_path: Path) -> None:
    """A developer pushes and pulls between login and logout, and neither before nor after."""
    image = f"{accounts.address}/docker/app:1"
    client = partial(docker, "--config", tmp_path)
    import_image(client, image)
    with pytest.raises(AssertionError, match="denied: requested access to the resource is denied"):
        client("push", image)
    assert "Login Succeeded" in log_in(client, accounts, accounts.developer)
    client("push", image)
    remove(client, image)
    assert_pulled(client, image)
    client("logout", accounts.address)
    with pytest.raises(AssertionError, match="pull access denied"):
        client("pull", image)


def test_a_wrong_password_fails_at_login(docker: Docker, accounts: Accounts, tmp_path: Path) -> None:
    """The login itself says that the password is wrong, and nothing is kept of it."""
    with pytest.raises(AssertionError, match="unauthorized: wrong user name or password"):
        log_in(partial(docker, "--config", tmp_path), accounts, accounts.developer.wrong)
    assert not (tmp_path / "config.json").exists()


def test_everyone_pulls_what_is_public(client: Callable[..., Docker], accounts: Accounts) -> None:
    """Without login, and with any login, what is in a public registry is pulled, and nothing else."""
    public, private = f"{accounts.address}/public/docker:1", f"{accounts.address}/docker/private:1"
    developer, foreigner, stranger = client(accounts.developer), client(accounts.foreigner), client()
    for image in [public, private]:
        push_image(developer, image)
    for someone in [stranger, foreigner]:
        assert_pulled(someone, public)
    with pytest.raises(AssertionError, match=r"pull access denied .* may require 'docker login'"):
        stranger("pull", private)
    with pytest.raises(AssertionError, match="name unknown: repository docker/private is not known"):
        foreigner("pull", private)


def test_who_may_not_push_is_told_why(client: Callable[..., Docker], accounts: Accounts) -> None:
    """The role that is too low, or the access token that is too narrow, is what docker shows."""
    image = f"{accounts.address}/docker/refused:1"
    reader, puller = client(accounts.reader), client(accounts.new_token(accounts.developer, PULL))
    import_image(reader, image)
    with pytest.raises(AssertionError, match="denied: push on docker/refused is not allowed: the role reader in"):
        reader("push", image)
    with pytest.raises(AssertionError, match=r"denied: the access token 'token-[0-9]+' is for pull only"):
        puller("push", image)


def test_an_access_token_ends(client: Callable[..., Docker], accounts: Accounts) -> None:
    """Nobody logs in with a token that has expired or was revoked, and each is told which of both it is."""
    with pytest.raises(AssertionError, match=r"unauthorized: the access token 'token-[0-9]+' has expired"):
        client(accounts.expired_token())
    with pytest.raises(AssertionError, match="unauthorized: the access token is not known"):
        client(accounts.revoked_token())


def test_a_login_ends_with_its_access_token(client: Callable[..., Docker], accounts: Accounts) -> None:
    """Who logged in with an access token can no longer pull when it expires or is revoked."""
    image = f"{accounts.address}/docker/ended:1"
    push_image(client(accounts.developer), image)
    revoked = accounts.new_token(accounts.robot, PULL)
    clients = [client(revoked)]
    expiring = accounts.new_token(accounts.robot, PULL, timedelta(seconds=2))
    clients.append(client(expiring))
    accounts.revoke(revoked)
    expiring.wait_until_expired()
    for each in clients:
        with accounts.expect_request("POST", "token", 401), pytest.raises(AssertionError, match="unauthorized: "):
            each("pull", image)


def test_a_robot_pushes(client: Callable[..., Docker], accounts: Accounts) -> None:
    """A robot logs in with its token from standard input, as CI does, and pushes and pulls."""
    image, robot = f"{accounts.address}/docker/built:1", client(accounts.robot)
    push_image(robot, image)
    assert_pulled(robot, image)


def test_two_accounts_are_used_side_by_side(client: Callable[..., Docker], accounts: Accounts) -> None:
    """Each configuration has its own login, whatever is done with another one in between."""
    image, other = f"{accounts.address}/docker/shared:1", f"{accounts.address}/docker/shared:2"
    developer, reader = client(accounts.developer), client(accounts.reader)
    push_image(developer, image)
    assert_pulled(reader, image)
    import_image(developer, other)
    with pytest.raises(AssertionError, match="the role reader"):
        reader("push", other)
    developer("push", other)


def test_docker_keeps_an_identity_token(docker: Docker, accounts: Accounts, tmp_path: Path) -> None:
    """The configuration holds no password but a token, for which docker gets its tokens for repositories."""
    client = partial(docker, "--config", tmp_path)
    log_in(client, accounts, accounts.developer)
    login: dict[str, Any] = json.loads((tmp_path / "config.json").read_text())["auths"][accounts.address]
    assert login["auth"] == Account(accounts.developer.name, "").encoded
    assert login["identitytoken"].startswith("berth_refresh_")
    image = f"{accounts.address}/docker/identity:1"
    with accounts.expect_request("POST", "token", 200):
        push_image(client, image)
    with accounts.expect_request("POST", "token", 200):
        assert_pulled(client, image)


def test_a_login_ends_when_the_account_changes(client: Callable[..., Docker], accounts: Accounts) -> None:
    """Who was disabled, or has another password, can no longer pull, and logs in again with the new password."""
    image = f"{accounts.address}/docker/changed:1"
    push_image(client(accounts.developer), image)
    disabled, changed = accounts.new_user("reader"), accounts.new_user("reader")
    clients = [client(disabled), client(changed)]
    for each in clients:
        assert_pulled(each, image)
    accounts.disable(disabled)
    renewed = accounts.change_password(changed)
    for each in clients:
        with accounts.expect_request("POST", "token", 401), pytest.raises(AssertionError, match="log in again"):
            each("pull", image)
    with pytest.raises(AssertionError, match="unauthorized: wrong user name or password"):
        client(disabled)
    assert_pulled(client(renewed), image)


def test_layers_are_mounted_where_they_may_be_read(client: Callable[..., Docker], accounts: Accounts) -> None:
    """A push to a second repository mounts the layers of the first, unless that is not for the client to read."""
    names = ["docker/mine", "docker/second", "elsewhere/theirs", "docker/third"]
    mine, second, theirs, third = (f"{accounts.address}/{name}:1" for name in names)
    developer, admin = client(accounts.developer), client(accounts.admin)
    import_image(developer, mine, second)
    developer("push", mine)
    assert "Mounted from docker/mine" in developer("push", second)
    remove(developer, second)
    assert_pulled(developer, second)
    import_image(admin, theirs, third)
    admin("push", theirs)
    output = developer("push", third)
    assert "Pushed" in output
    assert "Mounted" not in output


def test_a_manifest_list_is_pushed(client: Callable[..., Docker], accounts: Accounts) -> None:
    """The command line, which talks to the registry itself, uses the same login."""
    image, listed = f"{accounts.address}/docker/listed:amd64", f"{accounts.address}/docker/listed:1"
    developer = client(accounts.developer)
    import_image(developer, image)
    developer("push", image)
    developer("manifest", "create", "--insecure", listed, image)
    digest = developer("manifest", "push", "--insecure", listed).splitlines()[-1]
    assert digest.startswith("sha256:")
    assert json.loads(developer("manifest", "inspect", "--insecure", listed))["manifests"]
