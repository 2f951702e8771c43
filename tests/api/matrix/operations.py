"""The rows of the token service, and of what is for those who run Berth."""

from __future__ import annotations

from tests.api.matrix.expected import Measurements, TokenByForm, TokenByLogin, Unguarded
from tests.api.matrix.places import Place
from tests.api.matrix.rows import Row

_ONCE = (Place.NOWHERE,)

OPERATIONS = [
    Row("GET", "/token", TokenByLogin(), style="oauth", places=_ONCE, query="?service=berth"),
    Row("POST", "/token", TokenByForm(), style="oauth", places=_ONCE, form=True),
    Row("GET", "/.well-known/jwks.json", Unguarded(), places=_ONCE),
    Row("GET", "/healthz", Unguarded(), places=_ONCE),
    Row("GET", "/readyz", Unguarded(), places=_ONCE),
    Row("GET", "/metrics", Measurements(), places=_ONCE),
]
