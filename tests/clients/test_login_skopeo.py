"""skopeo with a registry that asks for login."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.clients.accounts import PULL, Account, Accounts
from tests.clients.images import Layout, some_files
from tests.clients.programs import require, run

skopeo = partial(run, "skopeo")
copy = partial(skopeo, "copy", "--src-tls-verify=false", "--dest-tls-verify=false")
delete = partial(skopeo, "delete", "--tls-verify=false")


@pytest.fixture(autouse=True)
def installed() -> None:
    """No test without skopeo."""
    require("skopeo")


@pytest.fixture
def image(layout: Layout) -> str:
    """An image that is nowhere else, in a layout."""
    layout.tag("1", layout.add_image(some_files()))
    return f"oci:{layout.folder}:1"


def log_in(accounts: Accounts, account: Account, logins: Path) -> str:
    """Log in as `account`, keep that in the file `logins`, and return what skopeo says."""
    flags = ["--tls-verify=false", f"--authfile={logins}", f"--username={account.name}", "--password-stdin"]
    return skopeo("login", *flags, accounts.address, stdin=account.secret.encode())


def push(image: str, target: str, account: Account) -> None:
    """Copy an image from its layout to the registry."""
    copy(f"--dest-creds={account.pair}", image, f"docker://{target}")


def copy_as(reader: Account, writer: Account, source: str, target: str) -> None:
    """Copy within the registry, with a login for each side."""
    copy(f"--src-creds={reader.pair}", f"--dest-creds={writer.pair}", f"docker://{source}", f"docker://{target}")


def inspect(image: str, *login: str) -> Any:
    """What skopeo tells of an image in the registry."""
    return json.loads(skopeo("inspect", "--tls-verify=false", *login, f"docker://{image}"))


def tags(repository: str, *login: str) -> list[str]:
    """The tags of a repository."""
    output = skopeo("list-tags", "--tls-verify=false", *login, f"docker://{repository}")
    return list(json.loads(output)["Tags"])


def test_who_is_logged_in_copies(image: str, accounts: Accounts, tmp_path: Path) -> None:
    """A developer copies in, looks and copies out between login and logout, and not after."""
    logins, target = tmp_path / "logins.json", f"{accounts.address}/skopeo/app"
    login = f"--authfile={logins}"
    assert log_in(accounts, accounts.developer, logins) == "Login Succeeded!"
    copy(login, image, f"docker://{target}:1")
    assert tags(target, login) == inspect(f"{target}:1", login)["RepoTags"] == ["1"]
    copy(login, f"docker://{target}:1", f"oci:{tmp_path}/back:1")
    skopeo("logout", login, accounts.address)
    with pytest.raises(AssertionError, match="unauthorized: pull on skopeo/app needs a login"):
        inspect(f"{target}:1", login)


def test_a_wrong_password_fails_at_login(accounts: Accounts, tmp_path: Path) -> None:
    """The login itself says that the password is wrong."""
    with pytest.raises(AssertionError, match="invalid username/password"):
        log_in(accounts, accounts.developer.wrong, tmp_path / "logins.json")


def test_everyone_sees_what_is_public(image: str, accounts: Accounts) -> None:
    """Without login, and with any login, a public image and its tags are shown, and no private ones."""
    public, private = f"{accounts.address}/public/skopeo", f"{accounts.address}/skopeo/private"
    foreigner = f"--creds={accounts.foreigner.pair}"
    for target in [public, private]:
        push(image, f"{target}:1", accounts.developer)
    for login in [[], [foreigner]]:
        assert tags(public, *login) == inspect(f"{public}:1", *login)["RepoTags"] == ["1"]
    with pytest.raises(AssertionError, match="unauthorized: pull on skopeo/private needs a login"):
        inspect(f"{private}:1")
    with pytest.raises(AssertionError, match="unauthorized: pull on skopeo/private needs a login"):
        tags(private)
    with pytest.raises(AssertionError, match="name unknown: repository skopeo/private is not known"):
        inspect(f"{private}:1", foreigner)
    with pytest.raises(AssertionError, match="404"):
        tags(private, foreigner)


def test_who_may_not_push_is_told_why(image: str, accounts: Accounts) -> None:
    """The role that is too low, or the access token that is too narrow, is what skopeo shows."""
    target = f"{accounts.address}/skopeo/refused:1"
    with pytest.raises(AssertionError, match="denied: push on skopeo/refused is not allowed: the role reader in"):
        push(image, target, accounts.reader)
    with pytest.raises(AssertionError, match=r"denied: the access token 'token-[0-9]+' is for pull only"):
        push(image, target, accounts.new_token(accounts.developer, PULL))


def test_an_access_token_ends(accounts: Accounts) -> None:
    """Nothing is shown for a token that has expired or was revoked, and skopeo says which of both it is."""
    target = f"{accounts.address}/public/ended:1"
    with pytest.raises(AssertionError, match=r"unauthorized: the access token 'token-[0-9]+' has expired"):
        inspect(target, f"--creds={accounts.expired_token().pair}")
    with pytest.raises(AssertionError, match="unauthorized: the access token is not known"):
        inspect(target, f"--creds={accounts.revoked_token().pair}")


def test_a_robot_copies(image: str, accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A robot's login in the file that REGISTRY_AUTH_FILE names is used without any flag, as in CI."""
    logins, target = tmp_path / "logins.json", f"{accounts.address}/skopeo/built"
    log_in(accounts, accounts.robot, logins)
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(logins))
    copy(image, f"docker://{target}:1")
    assert tags(target) == ["1"]


def test_a_login_of_docker_is_used(image: str, accounts: Accounts, tmp_path: Path) -> None:
    """A configuration of docker, which has an identity token in place of the password, does for skopeo too."""
    target, config = f"{accounts.address}/skopeo/identity:1", tmp_path / "config.json"
    token = accounts.identity_token(accounts.developer)
    entry = {"auth": Account(accounts.developer.name, "").encoded, "identitytoken": token}
    config.write_text(json.dumps({"auths": {accounts.address: entry}}))
    with accounts.expect_request("POST", "token", 200):
        copy(f"--authfile={config}", image, f"docker://{target}")


# Under load skopeo forgets now and then what it could mount, and sends it again.
@pytest.mark.thorough
@pytest.mark.usefixtures("own_cache")
def test_an_image_is_copied_to_another_repository(image: str, accounts: Accounts) -> None:
    """A copy within the registry mounts the layers, which skopeo asks for with a token for both repositories."""
    source, target = (f"{accounts.address}/skopeo/{each}:1" for each in ["source", "target"])
    developer = accounts.developer
    push(image, source, developer)
    with accounts.expect_request("POST", "uploads", 201):
        copy_as(developer, developer, source, target)
    login = f"--creds={developer.pair}"
    assert inspect(target, login)["Digest"] == inspect(source, login)["Digest"]


def test_an_image_is_copied_between_accounts(image: str, accounts: Accounts) -> None:
    """Each side of a copy has its own login: what one may read, the other may write where the first may not."""
    theirs, ours, back = (f"{accounts.address}/{each}/copied:1" for each in ["elsewhere", "skopeo", "elsewhere/back"])
    push(image, theirs, accounts.admin)
    with pytest.raises(AssertionError, match="name unknown: repository elsewhere/copied is not known"):
        copy_as(accounts.developer, accounts.developer, theirs, ours)
    copy_as(accounts.admin, accounts.developer, theirs, ours)
    copy_as(accounts.reader, accounts.admin, ours, back)
    digests = {inspect(each, f"--creds={accounts.admin.pair}")["Digest"] for each in [theirs, ours, back]}
    assert len(digests) == 1


def test_deleting_needs_the_right_to(image: str, accounts: Accounts) -> None:
    """A developer cannot delete what an administrator can, and is told so."""
    repository = f"{accounts.address}/skopeo/deleted"
    push(image, f"{repository}:1", accounts.developer)
    with pytest.raises(AssertionError, match="delete on skopeo/deleted is not allowed: the role developer in"):
        delete(f"--creds={accounts.developer.pair}", f"docker://{repository}:1")
    with pytest.raises(AssertionError, match="pull on skopeo/deleted needs a login"):
        delete(f"docker://{repository}:1")
    delete(f"--creds={accounts.admin.pair}", f"docker://{repository}:1")
    assert tags(repository, f"--creds={accounts.reader.pair}") == []
