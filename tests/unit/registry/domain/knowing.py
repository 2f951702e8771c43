"""What one process knows about access."""

from auth.principals import ANONYMOUS
from auth.tokens import Holder, TokenRefused
from registry.domain.access import Accesses, Identity
from storage.metadata import access, access_tokens
from tests.unit.auth.rights import allowed
from tests.unit.registry.domain.stores import WatchedStore
from tests.unit.registry.domain.tenants import Tenants

APP = "acme/app"


class Process:
    """One process, and what it knows about access."""

    def __init__(self, tenants: Tenants) -> None:
        self.tenants = tenants
        self.store = WatchedStore(tenants.store)
        self.accesses = Accesses(self.store, tenants.clock)

    async def holder(self, name: str, token: str | None = None) -> Holder:
        """Whoever logs in now by this name, with the access token of that name."""
        if name == "nobody":
            return Holder(ANONYMOUS)
        row = await access.principal_by_name(self.tenants.store, name)
        assert row is not None
        tokens = await access_tokens.page(self.tenants.store, row.id, 0, 9)
        return Identity(row, next((one for one in tokens if one.name == token), None)).holder

    async def letters(self, holder: Holder, repository: str = APP) -> str:
        """What the holder may do to a repository; the reason if the token is refused."""
        try:
            return allowed((await self.accesses.of_holder(holder)).access, repository)
        except TokenRefused as error:
            return str(error)
