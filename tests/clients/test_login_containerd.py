"""containerd with a registry that asks for login, by its own command line and as the kubelet asks it."""

from collections.abc import Callable, Iterator

import pytest

from tests.clients.accounts import PULL, Account, Accounts
from tests.clients.images import Layout, some_files

Command = Callable[..., str]

UNAUTHORIZED = "failed to authorize: failed to fetch oauth token: unexpected status.* 401 Unauthorized"
NO_LOGIN = "insufficient_scope: authorization failed"


@pytest.fixture(autouse=True)
def nothing_left(ctr: Command) -> Iterator[None]:
    """Each test starts with a containerd that has no images, so that what it pulls is downloaded."""
    yield
    for namespace in ["default", "k8s.io"]:
        remove_images(ctr, namespace)


@pytest.fixture
def image(ctr: Command, layout: Layout) -> str:
    """The name that containerd has for an image that is nowhere else."""
    layout.tag("1", layout.add_image(some_files()))
    ctr("images", "import", "--no-unpack", "--base-name=localhost/image", "-", stdin=layout.tar())
    return "localhost/image:1"


def remove_images(ctr: Command, namespace: str = "default") -> None:
    """Remove all images with their content."""
    names = ctr("--namespace", namespace, "images", "ls", "--quiet").split()
    if names:
        ctr("--namespace", namespace, "images", "rm", "--sync", *names)


def push(ctr: Command, image: str, target: str, account: Account | None = None) -> None:
    """Push `image` to `target`."""
    ctr("images", "push", "--plain-http", *login(account), target, image)


def pull(ctr: Command, image: str, account: Account | None = None) -> None:
    """Pull an image, after all that is here was removed."""
    remove_images(ctr)
    ctr("images", "pull", "--plain-http", "--snapshotter=native", *login(account), image)


def login(account: Account | None) -> list[str]:
    """The flags that log in for one command."""
    return [] if account is None else ["--user", account.pair]


def test_a_developer_pushes_and_pulls(ctr: Command, image: str, accounts: Accounts) -> None:
    """With a user's name and password an image is pushed and pulled, and not without."""
    target = f"{accounts.address}/containerd/app:1"
    with pytest.raises(AssertionError, match=NO_LOGIN):
        push(ctr, image, target)
    push(ctr, image, target, accounts.developer)
    pull(ctr, target, accounts.developer)
    with pytest.raises(AssertionError, match=NO_LOGIN):
        pull(ctr, target)


def test_a_wrong_password_is_refused(ctr: Command, image: str, accounts: Accounts) -> None:
    """Nothing is pushed or pulled with a wrong password, not even what everyone may pull."""
    target = f"{accounts.address}/public/wrong:1"
    push(ctr, image, target, accounts.developer)
    with pytest.raises(AssertionError, match=UNAUTHORIZED):
        push(ctr, image, target, accounts.developer.wrong)
    with pytest.raises(AssertionError, match=UNAUTHORIZED):
        pull(ctr, target, accounts.developer.wrong)


def test_everyone_pulls_what_is_public(ctr: Command, image: str, accounts: Accounts) -> None:
    """Without login, and with any login, what is in a public registry is pulled, and nothing else."""
    public, private = f"{accounts.address}/public/containerd:1", f"{accounts.address}/containerd/private:1"
    for target in [public, private]:
        push(ctr, image, target, accounts.developer)
    for account in [None, accounts.foreigner]:
        pull(ctr, public, account)
    with pytest.raises(AssertionError, match=NO_LOGIN):
        pull(ctr, private)
    with pytest.raises(AssertionError, match="containerd/private:1: not found"):
        pull(ctr, private, accounts.foreigner)


def test_who_may_only_pull_cannot_push(ctr: Command, image: str, accounts: Accounts) -> None:
    """A reader, and an access token that is for pulls, are refused."""
    target = f"{accounts.address}/containerd/refused:1"
    for account in [accounts.reader, accounts.new_token(accounts.developer, PULL)]:
        with pytest.raises(AssertionError, match="403 Forbidden"):
            push(ctr, image, target, account)


def test_an_access_token_ends(ctr: Command, accounts: Accounts) -> None:
    """Nothing is pulled with a token that has expired or was revoked."""
    for account in [accounts.expired_token(), accounts.revoked_token()]:
        with accounts.expect_request("POST", "token", 401), pytest.raises(AssertionError, match=UNAUTHORIZED):
            pull(ctr, f"{accounts.address}/public/ended:1", account)


def test_a_robot_pushes(ctr: Command, image: str, accounts: Accounts) -> None:
    """A robot logs in with its token in place of a password."""
    target = f"{accounts.address}/containerd/built:1"
    push(ctr, image, target, accounts.robot)
    pull(ctr, target, accounts.robot)


def test_layers_are_mounted_where_they_may_be_read(ctr: Command, image: str, accounts: Accounts) -> None:
    """A push of what was pulled mounts the layers, unless their repository is not for the client to read."""
    mine, theirs, mounted, uploaded = (
        f"{accounts.address}/{each}:1" for each in ["containerd/1", "elsewhere/1", "containerd/2", "containerd/3"]
    )
    push(ctr, image, mine, accounts.developer)
    push(ctr, image, theirs, accounts.admin)
    pull(ctr, mine, accounts.reader)
    with accounts.expect_request("POST", "uploads", 201):
        push(ctr, mine, mounted, accounts.developer)
    pull(ctr, theirs, accounts.admin)
    with accounts.expect_request("PUT", "upload", 201):
        push(ctr, theirs, uploaded, accounts.developer)
    for target in [mounted, uploaded]:
        pull(ctr, target, accounts.developer)


def test_the_kubelet_pulls_with_a_pull_secret(
    ctr: Command, image: str, pull_image: Command, accounts: Accounts
) -> None:
    """PullImage takes a name with a password, both in one, or what `docker login` left."""
    target = f"{accounts.address}/kubernetes/secret:1"
    push(ctr, image, target, accounts.developer)
    reader = accounts.reader
    for fields in [
        {"username": reader.name, "password": reader.secret},
        {"auth": accounts.robot.encoded},
        {"identity_token": accounts.identity_token(reader)},
    ]:
        assert pull_image(target, **fields).startswith("sha256:")
        remove_images(ctr, "k8s.io")


def test_the_kubelet_is_refused(ctr: Command, image: str, pull_image: Command, accounts: Accounts) -> None:
    """PullImage fails with wrong credentials, with none, and for who may not know of the image."""
    target, foreigner = f"{accounts.address}/kubernetes/refused:1", accounts.foreigner
    push(ctr, image, target, accounts.developer)
    with pytest.raises(AssertionError, match=UNAUTHORIZED):
        pull_image(target, username=accounts.reader.name, password="wrong")
    with pytest.raises(AssertionError, match=UNAUTHORIZED):
        pull_image(target, identity_token="berth_refresh_wrong")
    with pytest.raises(AssertionError, match=NO_LOGIN):
        pull_image(target)
    with pytest.raises(AssertionError, match="kubernetes/refused:1: not found"):
        pull_image(target, username=foreigner.name, password=foreigner.secret)


def test_the_kubelet_pulls_what_is_public(ctr: Command, image: str, pull_image: Command, accounts: Accounts) -> None:
    """PullImage needs no login for what is in a public registry."""
    target = f"{accounts.address}/public/kubernetes:1"
    push(ctr, image, target, accounts.developer)
    assert pull_image(target).startswith("sha256:")
