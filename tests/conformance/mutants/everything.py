"""All mutants."""

from __future__ import annotations

from tests.conformance.mutants.blobs import BLOBS
from tests.conformance.mutants.chunking import CHUNKING
from tests.conformance.mutants.conditioning import CONDITIONING
from tests.conformance.mutants.deleting import DELETING
from tests.conformance.mutants.digesting import DIGESTING
from tests.conformance.mutants.framing import FRAMING
from tests.conformance.mutants.garbling import GARBLING
from tests.conformance.mutants.granting import GRANTING
from tests.conformance.mutants.listing import LISTING
from tests.conformance.mutants.logins import LOGINS
from tests.conformance.mutants.mounting import MOUNTING
from tests.conformance.mutants.naming import NAMING
from tests.conformance.mutants.pulling import PULLING
from tests.conformance.mutants.racing import RACING
from tests.conformance.mutants.referring import REFERRING
from tests.conformance.mutants.refusing import REFUSING
from tests.conformance.mutants.relating import RELATING
from tests.conformance.mutants.replaying import REPLAYING
from tests.conformance.mutants.rules import Mutant
from tests.conformance.mutants.storing import STORING
from tests.conformance.mutants.trespassing import TRESPASSING
from tests.conformance.mutants.uploading import UPLOADING

MUTANTS: dict[str, Mutant] = {}
for _mutants in (
    PULLING,
    CONDITIONING,
    BLOBS,
    REFUSING,
    UPLOADING,
    DIGESTING,
    MOUNTING,
    CHUNKING,
    STORING,
    NAMING,
    LISTING,
    REFERRING,
    RELATING,
    DELETING,
    REPLAYING,
    FRAMING,
    TRESPASSING,
    RACING,
    LOGINS,
    GRANTING,
    GARBLING,
):
    for _mutant in _mutants:
        if _mutant.name in MUTANTS:
            raise ValueError(f"two mutants are called {_mutant.name}")
        MUTANTS[_mutant.name] = _mutant
