"""A registry that asks who one is, with an account for each kind of rights that a client can meet."""

import base64
import contextlib
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

from tests.daemon import Daemon

PULL = ("pull",)
PUSH = ("pull", "push")

JSON_API = "application/vnd.api+json"

Attributes = Mapping[str, object]

ADMIN_PASSWORD = "the password of admin"

_LOG_SECONDS = 10.0


@dataclass(frozen=True)
class Account:
    """A name and what proves it: a password, or the secret of the access token with the id `token`."""

    name: str
    secret: str = field(repr=False)
    token: str = ""
    expires: datetime | None = None

    @property
    def pair(self) -> str:
        """Both, as flags such as `--creds` take them."""
        return f"{self.name}:{self.secret}"

    @property
    def encoded(self) -> str:
        """Both, as an Authorization header and configuration files of clients have them."""
        return base64.b64encode(self.pair.encode()).decode()

    @property
    def wrong(self) -> "Account":
        """The same name, with a password that is not its own."""
        return Account(self.name, "not the password")

    def wait_until_expired(self) -> None:
        """Return when the access token has expired."""
        assert self.expires is not None
        time.sleep(max((self.expires - datetime.now(UTC)).total_seconds(), 0))


class Accounts:
    """Who has an account in the registry `daemon`.

    `developer` may push, `reader` may pull, and `foreigner` may do nothing, in the project `default`: it has all
    repositories but those below `elsewhere/`, which are for `admin` alone. Those below `public/` can be pulled by
    everyone. `robot` is the robot `ci` of the project `default`, a developer there, with an access token.
    """

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.address = daemon.address
        self._numbers = itertools.count(1)
        self.admin = Account("admin", ADMIN_PASSWORD)
        # With a password each of these requests would take as long as it takes to verify one.
        self._manager = self.admin
        self._manager = self.new_token(self.admin, ("manage",))
        public = {"name": "public", "prefix": "public", "visibility": "public"}
        self._create("/v1/projects/default/registries", "registries", public)
        self._create("/v1/projects", "projects", {"name": "elsewhere"})
        self.developer = self.new_user("developer")
        self.reader = self.new_user("reader")
        self.foreigner = self.new_user(None)
        robot = self._create("/v1/projects/default/robots", "robots", {"name": "ci", "role": "developer"})
        self.robot = self.new_token(Account(robot["attributes"]["login"], ""), PUSH)

    def new_user(self, role: str | None) -> Account:
        """Create a user, a member of the project `default` unless `role` is None."""
        name = f"user-{next(self._numbers)}"
        account = Account(name, f"the password of {name}")
        self._create("/v1/users", "users", {"name": name, "password": account.secret})
        if role is not None:
            self._ask("PUT", f"/v1/projects/default/members/user:{name}", "members", {"role": role})
        return account

    def new_token(self, owner: Account, actions: tuple[str, ...], lifetime: timedelta | None = None) -> Account:
        """Create an access token of a user or a robot, and return its owner with it in place of a password."""
        attributes: dict[str, object] = {"name": f"token-{next(self._numbers)}", "actions": actions}
        expires = None
        if lifetime is not None:
            expires = datetime.now(UTC) + lifetime
            attributes["expiresAt"] = expires.isoformat()
        by = self._manager if _is_robot(owner) else owner
        resource = self._create(f"{_path(owner)}/tokens", "tokens", attributes, by)
        return Account(owner.name, resource["attributes"]["secret"], resource["id"], expires)

    def expired_token(self) -> Account:
        """`robot` with an access token that could pull a moment ago, and has expired."""
        token = self.new_token(self.robot, PULL, timedelta(seconds=0.5))
        token.wait_until_expired()
        return token

    def revoked_token(self) -> Account:
        """`robot` with an access token that could pull a moment ago, and was taken away."""
        token = self.new_token(self.robot, PULL)
        self.revoke(token)
        return token

    def revoke(self, token: Account) -> None:
        """Take an access token away."""
        self._ask("DELETE", f"{_path(token)}/tokens/{token.token}")

    def disable(self, user: Account) -> None:
        """Let a user log in no more."""
        self._ask("PATCH", _path(user), "users", {"disabled": True})

    def change_password(self, user: Account) -> Account:
        """Give a user a new password, and return the user with it."""
        changed = Account(user.name, f"{user.secret}, changed")
        self._ask("PUT", f"{_path(user)}/password", "passwords", {"password": changed.secret}, self.admin)
        return changed

    def identity_token(self, account: Account) -> str:
        """What clients get at login to keep in place of the password."""
        path = "/token?service=berth&client_id=tests&offline_token=true"
        return str(self._ask("GET", path, by=account)["refresh_token"])

    @contextlib.contextmanager
    def expect_request(self, method: str, route: str, status: int) -> Iterator[None]:
        """AssertionError unless such a request, to a route of this name in the log, is answered during the block."""
        before = self.daemon.log.stat().st_size
        yield
        deadline = time.monotonic() + _LOG_SECONDS
        # Workers write their lines a moment late.
        while (method, route, status) not in self._requests(before):
            assert time.monotonic() < deadline, self.daemon.tail()
            time.sleep(0.05)

    def _requests(self, offset: int) -> list[tuple[str, str, int]]:
        """Method, route and status of what was answered since the log had `offset` bytes."""
        with self.daemon.log.open("rb") as log:
            log.seek(offset)
            lines = [json.loads(line) for line in log if line.endswith(b"\n")]
        return [(line["method"], line["route"], line["status"]) for line in lines if line["logger"] == "request"]

    def _create(self, path: str, kind: str, attributes: Attributes, by: Account | None = None) -> Any:
        """Create a resource, as `admin` unless `by` is given, and return it."""
        return self._ask("POST", path, kind, attributes, by)["data"]

    def _ask(
        self, method: str, path: str, kind: str = "", attributes: Attributes | None = None, by: Account | None = None
    ) -> Any:
        """Ask the registry, as `admin` unless `by` is given, and return its answer; AssertionError if it refuses."""
        headers = {"Authorization": f"Basic {(by or self._manager).encoded}", "Content-Type": JSON_API}
        body = None
        if attributes is not None:
            body = json.dumps({"data": {"type": kind, "attributes": attributes}})
        connection = HTTPConnection("127.0.0.1", self.daemon.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read().decode()
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {path} answered {answer.status}: {content}"
        return json.loads(content) if content else None


def _is_robot(account: Account) -> bool:
    return "+" in account.name


def _path(account: Account) -> str:
    if _is_robot(account):
        project, _, name = account.name.partition("+")
        return f"/v1/projects/{project}/robots/{name}"
    return f"/v1/users/{account.name}"
