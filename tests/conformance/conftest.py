"""What tests of the suite share."""

from collections.abc import Iterator

import pytest

from conformance.requirement import Version
from tests.clients.accounts import ADMIN_PASSWORD, Accounts
from tests.conformance.judging import scope
from tests.conformance.mutants.breakable import Breakable
from tests.conformance.mutants.proxy import proxy_to
from tests.daemon import Daemon


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Breakable]:
    """Berth as it is without settings, with login, behind the proxy."""
    environment = {"BERTH_ADMIN_PASSWORD": ADMIN_PASSWORD}
    data = tmp_path_factory.mktemp("mutants") / "data"
    with Daemon(data, "--workers", "1", auth="builtin", environment=environment) as daemon:
        accounts = Accounts(daemon)
        user = accounts.new_user("maintainer")
        with proxy_to(daemon.url) as proxy:
            proxy.owner = f"Basic {user.encoded}"
            yield Breakable(proxy, scope(Version.V1_2, user, accounts.foreigner))
            assert proxy.failures == []
