"""The registry that the matrix asks: two projects with content, and somebody in every role."""

from __future__ import annotations

from dataclasses import dataclass, field

from auth.actor import OPERATING
from auth.keyfiles import KeyFolder
from auth.keys import KeyRing
from auth.principals import Subject, SubjectKind
from auth.roles import Action, Role, SystemRole
from registry.api.rest.services import Management
from registry.domain.access_tokens import NewToken
from tests.api.accounts import PASSWORD, basic
from tests.api.content import CONFIG, LAYER, artifact, digest_of, image
from tests.api.content import EMPTY as EMPTY_BLOB
from tests.api.matrix.places import GROUP, PROJECT, REPOSITORY, USER, Place
from tests.api.server import Answer, Registry

ROBOT, VICTIM = "bot", "victim"
IMAGE = image()
SIGNATURE = artifact(IMAGE.descriptor(), "application/vnd.example.signature")
SPARE = b"a blob that no manifest needs"

_MEMBERS = [role.value for role in Role]


@dataclass
class World:
    """Members of both projects are called as their roles, and so are `admin` and `monitor`; `foreign` is none.

    `secrets` are those of access tokens for everything: of the robot `ci` of each project, by its full name, and of
    the developer; `pull` is one of the developer that is for pulls. What requests may destroy is made again before.
    """

    registry: Registry
    management: Management
    keys: KeyFolder
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def ring(self) -> KeyRing:
        """The keys that tokens are signed with."""
        ring = self.keys.load()
        assert ring is not None
        return ring

    async def ask(self, method: str, path: str, *, body: bytes = b"", media_type: str = "") -> Answer:
        """Ask as the administrator."""
        headers = {"Authorization": basic("admin", PASSWORD), **({"Content-Type": media_type} if media_type else {})}
        answer = await self.registry.ask(method, path, headers=headers, body=body)
        assert answer.status < 300, answer
        return answer

    async def token(self, authorization: str | None, *scopes: str) -> str:
        """A token for the registry, for these scopes and what of them is allowed."""
        query = "&".join(f"scope={scope}" for scope in scopes)
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = await self.registry.ask("GET", f"/token?service=berth&{query}", headers=headers)
        assert answer.status == 200, answer
        return str(answer.json()["token"])

    async def populate(self) -> None:
        users = self.management.users
        for name in [*_MEMBERS, "foreign", USER[Place.PRIVATE]]:
            await users.create(OPERATING, name, PASSWORD)
        await users.create(OPERATING, "monitor", PASSWORD, SystemRole.MONITOR)
        await self.management.groups.create(OPERATING, GROUP[Place.PRIVATE])
        for place in (Place.PUBLIC, Place.PRIVATE):
            await self._populate_project(PROJECT[place])
            await self.push(REPOSITORY[place])
        for owner in ("developer", *(f"{PROJECT[place]}+ci" for place in (Place.PUBLIC, Place.PRIVATE))):
            self.secrets[owner] = await self.access_token(owner, "all", *Action)
        self.secrets["pull"] = await self.access_token("developer", "pull", Action.PULL)

    async def _populate_project(self, project: str) -> None:
        management = self.management
        await management.projects.create(OPERATING, project)
        if project == PROJECT[Place.PUBLIC]:
            await management.registries.update(OPERATING, project, "main", "public")
        for role in Role:
            await management.members.put(OPERATING, project, Subject(SubjectKind.USER, role), role)
        for name, role in (("ci", Role.DEVELOPER), (ROBOT, Role.READER)):
            await management.robots.create(OPERATING, project, name, role)

    async def access_token(self, owner: str, name: str, *actions: Action) -> str:
        """Make an access token, and return its secret."""
        new = NewToken(name, frozenset(actions), ("**",))
        return (await self.management.access_tokens.create(OPERATING, owner, new))[1]

    async def push(self, repository: str) -> None:
        """Put into the repository an image `v1`, its signature, a tag and a blob that can go."""
        for content in (CONFIG, LAYER, EMPTY_BLOB, SPARE):
            await self.push_blob(repository, content)
        for reference in ("v1", "spare"):
            await self.push_image(repository, reference)
        path = f"/v2/{repository}/manifests/{SIGNATURE.digest}"
        await self.ask("PUT", path, body=SIGNATURE.content, media_type=SIGNATURE.media_type)

    async def push_blob(self, repository: str, content: bytes) -> None:
        await self.ask("POST", f"/v2/{repository}/blobs/uploads/?digest={digest_of(content)}", body=content)

    async def push_image(self, repository: str, tag: str) -> None:
        path = f"/v2/{repository}/manifests/{tag}"
        await self.ask("PUT", path, body=IMAGE.content, media_type=IMAGE.media_type)
