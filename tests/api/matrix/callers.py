"""Who asks: somebody in every role, and everybody who should not get in."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from auth.actor import OPERATING
from auth.roles import Action
from registry.domain.users import UserChanges
from tests.api.accounts import PASSWORD, basic
from tests.api.matrix.expected import Standing, Who
from tests.api.matrix.forging import forged
from tests.api.matrix.places import PROJECT, REPOSITORY, Place
from tests.api.matrix.world import World

SCOPES = ["registry:catalog:*", *(f"repository:{name}:pull,push,delete" for name in REPOSITORY.values())]

ROLES = ("guest", "reader", "developer", "maintainer", "owner", "admin", "monitor")

Header = Callable[[Place], str | None]


@dataclass(frozen=True)
class Caller:
    """Somebody, with the Authorization header for the registry, and the one for everything else."""

    name: str
    standing: Standing
    registry: Header
    login: Header

    def form(self, place: Place) -> bytes:
        """What a client that has this login sends to the token service as a form."""
        header = self.login(place) or basic("", "")
        scheme, _, text = header.partition(" ")
        try:
            name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except ValueError:
            scheme, name, secret = "", "", ""
        if scheme == "Basic":
            return urlencode({"grant_type": "password", "username": name, "password": secret}).encode()
        return urlencode({"grant_type": "refresh_token", "refresh_token": text}).encode()


async def callers(world: World) -> list[Caller]:
    """All of them."""
    admins = await world.token(basic("admin", PASSWORD), *SCOPES)
    elsewhere = await world.token(basic("owner", PASSWORD), "repository:vault/other:pull,push,delete")
    anonymous = f"Bearer {await world.token(None, *SCOPES)}"
    nobody = Standing(who=Who.NOBODY)
    known = [await _user(world, role, role) for role in ROLES]
    return [
        Caller("nobody", nobody, _always(None), _always(None)),
        Caller("anonymous token", Standing(who=Who.ANONYMOUS), _always(anonymous), _always(anonymous)),
        await _user(world, "foreign", "foreign user"),
        *known,
        await _robot(world),
        await _pull_token(world),
        _directly("developer with password", "developer", basic("developer", PASSWORD)),
        _directly("developer with access token", "developer", basic("developer", world.secrets["developer"])),
        Caller(
            "developer with bare access token",
            Standing(who=Who.KNOWN, role="developer"),
            _always(f"Bearer {world.secrets['developer']}"),
            _always(basic("developer", world.secrets["developer"])),
        ),
        _with_token("token of admin", "admin", admins),
        _with_token("token of owner for another repository", "owner", elsewhere, elsewhere=True),
        *[_refused(name, f"Bearer {token}") for name, token in forged(admins, world.ring.signing).items()],
        *[_refused(name, f"Bearer {token}") for name, token in (await _revoked(world)).items()],
        *[_refused(name, header, error=None) for name, header in _no_tokens(world).items()],
    ]


def _always(header: str | None) -> Header:
    return lambda _: header


async def _user(world: World, name: str, role: str) -> Caller:
    login = basic(name, PASSWORD)
    token = f"Bearer {await world.token(login, *SCOPES)}"
    return Caller(name, Standing(who=Who.KNOWN, role=role), _always(token), _always(login))


async def _robot(world: World) -> Caller:
    """The robot of each project; where there is none, that of the private one."""
    names = {place: f"{PROJECT[place]}+ci" for place in Place} | {Place.NOWHERE: f"{PROJECT[Place.PRIVATE]}+ci"}
    logins = {name: basic(name, world.secrets[name]) for name in names.values()}
    tokens = {name: f"Bearer {await world.token(login, *SCOPES)}" for name, login in logins.items()}
    standing = Standing(who=Who.KNOWN, role="robot")
    return Caller("robot", standing, lambda place: tokens[names[place]], lambda place: logins[names[place]])


async def _pull_token(world: World) -> Caller:
    login = basic("developer", world.secrets["pull"])
    token = f"Bearer {await world.token(login, *SCOPES)}"
    return Caller("pull token", Standing(who=Who.KNOWN, role="pull token"), _always(token), _always(login))


def _directly(name: str, role: str, header: str) -> Caller:
    return Caller(name, Standing(who=Who.KNOWN, role=role), _always(header), _always(header))


def _with_token(name: str, role: str, token: str, *, elsewhere: bool = False) -> Caller:
    header = _always(f"Bearer {token}")
    return Caller(name, Standing(who=Who.KNOWN, role=role, elsewhere=elsewhere, logs_in=False), header, header)


def _refused(name: str, header: str, error: str | None = "invalid_token") -> Caller:
    return Caller(name, Standing(who=Who.REFUSED, error=error), _always(header), _always(header))


async def _revoked(world: World) -> dict[str, str]:
    """Tokens of accounts that were changed since."""
    users, tokens = world.management.users, world.management.access_tokens
    names = ("disabled", "deleted", "renewed", "robbed")
    for name in names:
        await users.create(OPERATING, name, PASSWORD)
    secret = await world.access_token("robbed", "lost", *Action)
    logins = {name: basic(name, secret if name == "robbed" else PASSWORD) for name in names}
    found = {f"revoked: {name}": await world.token(login, *SCOPES) for name, login in logins.items()}
    await users.update(OPERATING, "disabled", UserChanges(disabled=True))
    await users.delete(OPERATING, "deleted")
    # Another one of the same name is somebody else.
    await users.create(OPERATING, "deleted", PASSWORD)
    await users.set_password(OPERATING, "renewed", f"{PASSWORD}!")
    (lost,) = (await tokens.page(OPERATING, "robbed", "", 1)).items
    await tokens.revoke(OPERATING, "robbed", lost.id)
    # Whoever gets a token makes the process notice at once what it would within a second.
    await world.token(None)
    return found


def _no_tokens(world: World) -> dict[str, str]:
    """Headers that are no token of anybody."""
    return {
        "wrong password": basic("developer", "wrong password"),
        "wrong user": basic("nobody", PASSWORD),
        "access token of another": basic("owner", world.secrets["developer"]),
        "robot by its short name": basic("ci", world.secrets["vault+ci"]),
        "malformed Basic": "Basic !!!",
        "Basic without colon": f"Basic {base64.b64encode(b'developer').decode()}",
        "no scheme": basic("developer", PASSWORD).removeprefix("Basic "),
        "other scheme": "Digest username=developer",
        "Bearer of nothing": "Bearer",
    }
