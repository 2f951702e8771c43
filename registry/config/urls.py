"""More kinds of settings: URLs of what Berth uses."""

import re

from registry.config.kinds import BadValue, Kind, quote

_DATABASE = re.compile(r"postgres(?:ql)?://[^\s#]*")


def database() -> Kind[str]:
    """Return the kind of a URL of a database; empty when it is not set."""

    def read(value: object) -> str:
        if isinstance(value, str) and (not value or _DATABASE.fullmatch(value)):
            return value
        raise BadValue(
            "a URL such as postgresql://user:password@host/name, with other characters of the password than letters and"
            " digits as %XX",
            value,
        )

    return Kind(read, quote)
