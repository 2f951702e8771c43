"""Access tokens: of users, for their own programs, and of robots. Each can do less than its owner, never more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from auth.actor import Actor
from auth.principals import Kind
from auth.roles import Action, Permission, actions_of
from auth.secrets import SecretKind, new_secret, secret_hash
from registry.domain.accounts import expect_keys_of_user, is_oneself
from registry.domain.attributes import expect_pattern, parse_after
from registry.domain.audit import Audit
from registry.domain.deciding import expect_project
from registry.domain.pages import Page, page_of
from registry.domain.robots import expect_may_give, expect_robot
from registry.errors import AttributeInvalid, AttributeTaken, Conflict, Denied, NotFound
from storage.clock import Clock
from storage.metadata import access, access_tokens
from storage.metadata.access_tokens import AccessTokenRow
from storage.metadata.store import MetadataStore, Queries, Transaction

TOKENS_MAX, PATTERNS_MAX, NAME_LENGTH_MAX = 100, 16, 64

_ID_MAX = 2**63 - 1
# The end of the year 9999: what calendars can still write.
_TIME_MAX_MS = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is to be: `patterns` are of repositories, `expires_at` is in ms since the Unix epoch."""

    name: str
    actions: frozenset[Action]
    patterns: tuple[str, ...]
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token without its secret. `owner` is the full name of a user or robot; times are in ms since the Unix epoch."""

    id: int
    name: str
    owner: str
    actions: frozenset[Action]
    patterns: tuple[str, ...]
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    last_used_from: str | None
    last_used_client: str | None


@dataclass(frozen=True, slots=True)
class _Owner:
    """`project` is that of a robot, and `role` what the robot is in it."""

    id: int
    name: str
    project: str | None = None
    project_id: int = 0
    role: str | None = None
    oneself: bool = False


class AccessTokens:
    """`owner` is always the full name of a user or robot.

    The tokens of a user are for that user, logged in without access token, and for who manages users; those of a robot
    for who manages the robots of its project. Raises `NotFound` and `Denied` for others.
    """

    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def create(self, actor: Actor, owner: str, new: NewToken) -> tuple[AccessToken, str]:
        """Make a token. Its secret is returned, and never again.

        Nobody makes a token of another user, but for the operator on the machine.
        Raises `NotFound`, `Denied`, `AttributeInvalid`, `AttributeTaken`, and `Conflict` when there are too many.
        """

        async def insert(tx: Transaction) -> tuple[AccessToken, str]:
            found = await _expect_owner(tx, actor, owner)
            _expect_may_create(actor, found)
            row = self._row(found, new)
            if await access_tokens.count(tx, found.id) >= TOKENS_MAX:
                raise Conflict(f"{owner} has {TOKENS_MAX} access tokens, and cannot have more: revoke one first")
            secret = new_secret(SecretKind.PAT if found.project is None else SecretKind.ROBOT)
            token_id = await access_tokens.insert(tx, row, secret_hash(secret))
            if token_id is None:
                raise AttributeTaken("name", new.name)
            token = _token(await _expect_token(tx, found, token_id), found)
            await self._changed(tx, actor, "token.create", found, new.name, _extent(token))
            return token, secret

        return await self._store.transact(insert)

    async def get(self, actor: Actor, owner: str, token_id: int) -> AccessToken:
        """One token. Raises `NotFound` and `Denied`."""
        found = await _expect_owner(self._store, actor, owner)
        return _token(await _expect_token(self._store, found, token_id), found)

    async def page(self, actor: Actor, owner: str, after: str, size: int) -> Page[AccessToken]:
        """At most `size` tokens after that id, the oldest first. Raises `NotFound`, `Denied` and `RequestInvalid`."""
        found = await _expect_owner(self._store, actor, owner)
        rows = await access_tokens.page(self._store, found.id, parse_after(after), size + 1)
        return page_of([_token(row, found) for row in rows], size)

    async def revoke(self, actor: Actor, owner: str, token_id: int) -> None:
        """Take a token away, and the logins that were made with it. Raises `NotFound` and `Denied`."""

        async def revoke(tx: Transaction) -> None:
            found = await _expect_owner(tx, actor, owner)
            token = await _expect_token(tx, found, token_id)
            await access_tokens.delete(tx, found.id, token_id)
            await self._changed(tx, actor, "token.revoke", found, token.name)

        await self._store.transact(revoke)

    def _row(self, owner: _Owner, new: NewToken) -> AccessTokenRow:
        """The row of a new token, if everything that was asked for can be. Raises `AttributeInvalid`."""
        now = self._clock.now_ms()
        _expect_name(new.name)
        _expect_actions(new.actions)
        _expect_patterns(new)
        if new.expires_at is not None and not now < new.expires_at <= _TIME_MAX_MS:
            raise AttributeInvalid("expiresAt", "has to be in the future, and before the year 10000")
        return AccessTokenRow(
            id=0,
            principal_id=owner.id,
            name=new.name,
            actions=",".join(sorted(new.actions)),
            patterns=" ".join(dict.fromkeys(new.patterns)),
            created_at=now,
            expires_at=new.expires_at,
        )

    async def _changed(
        self, tx: Transaction, actor: Actor, action: str, owner: _Owner, name: str, detail: str | None = None
    ) -> None:
        await access.changed(tx)
        target = f"token:{owner.name}/{name}"
        await self._audit.allowed(tx, actor, action, target, project=owner.project, detail=detail)


def _extent(token: AccessToken) -> str:
    """What the token is for. The patterns come last: they are what may be too long for the audit log."""
    end = "without expiry"
    if token.expires_at is not None:
        end = f"until {datetime.fromtimestamp(token.expires_at // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"{','.join(sorted(token.actions))} {end}: {' '.join(token.patterns)}"


async def _expect_owner(queries: Queries, actor: Actor, name: str) -> _Owner:
    # Where to look follows from the name; that it is a robot, or a user, does not: the row says that.
    project, plus, _ = name.partition("+")
    if plus:
        project_id = await expect_project(queries, actor, project, Permission.ROBOTS_MANAGE)
        robot = await expect_robot(queries, project_id, name)
        return _Owner(robot.id, name, project, project_id, robot.role)
    user = await expect_keys_of_user(queries, actor, name)
    return _Owner(user.id, name, oneself=is_oneself(actor, user))


def _expect_may_create(actor: Actor, owner: _Owner) -> None:
    if owner.project is not None:
        expect_may_give(actor, owner.project_id, owner.role)
        return
    if actor.token is not None:
        raise Denied(f"the access token {actor.token!r} cannot be used to make another one")
    if not owner.oneself and actor.principal.kind is not Kind.OPERATOR:
        raise Denied(f"only {owner.name} can make access tokens of {owner.name}")


def _expect_name(name: str) -> None:
    if not (1 <= len(name) <= NAME_LENGTH_MAX and name.isprintable() and name == name.strip()):
        raise AttributeInvalid(
            "name", f"has to be 1 to {NAME_LENGTH_MAX} printable characters, the first and the last of them no space"
        )


def _expect_actions(actions: frozenset[Action]) -> None:
    if not actions:
        raise AttributeInvalid("actions", f"has to name at least one of {', '.join(Action)}")
    if Action.PUSH in actions and Action.PULL not in actions:
        raise AttributeInvalid("actions", "have to include pull with push: clients look at what is there first")


def _expect_patterns(new: NewToken) -> None:
    if not 1 <= len(new.patterns) <= PATTERNS_MAX:
        raise AttributeInvalid("patterns", f"has to be 1 to {PATTERNS_MAX} patterns of repositories")
    for text in new.patterns:
        expect_pattern("patterns", text)
    if Action.MANAGE in new.actions and new.patterns != ("**",):
        raise AttributeInvalid("patterns", "has to be '**' alone with manage, which is not limited to repositories")


async def _expect_token(queries: Queries, owner: _Owner, token_id: int) -> AccessTokenRow:
    row = await access_tokens.find(queries, owner.id, token_id) if 0 < token_id <= _ID_MAX else None
    if row is None:
        raise NotFound("access token", token_id)
    return row


def _token(row: AccessTokenRow, owner: _Owner) -> AccessToken:
    return AccessToken(
        id=row.id,
        name=row.name,
        owner=owner.name,
        actions=actions_of(row.actions),
        patterns=tuple(row.patterns.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_used_from=row.last_used_from,
        last_used_client=row.last_used_client,
    )
