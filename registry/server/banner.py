"""What `berth serve` says once it is ready."""

import logging
import socket
from collections.abc import Sequence

from registry import __version__
from registry.config.settings import Config

_EVERYWHERE = {"0.0.0.0": "localhost", "::": "localhost"}  # noqa: S104 - shown, not bound

logger = logging.getLogger(__name__)


def authority(config: Config, sockets: Sequence[socket.socket]) -> str:
    """HOST:PORT for a client on this machine, with the port that was really bound."""
    host = config.server.listen.host
    host = _EVERYWHERE.get(host, host)
    port = sockets[0].getsockname()[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def text(config: Config, sockets: Sequence[socket.socket]) -> str:
    """For people: where the data is, and the lines to push and pull a first image."""
    host = authority(config, sockets)
    url = f"{_scheme(config)}://{host}"
    return f"""
Berth {__version__} is ready on {url}

  data   {_data(config)}
{_login(config, host)}  push   docker tag IMAGE {host}/IMAGE:1 && docker push {host}/IMAGE:1
  pull   docker pull {host}/IMAGE:1
  list   curl {_user(config)}{url}/v2/_catalog
  stop   Ctrl-C

"""


def log_ready(config: Config, sockets: Sequence[socket.socket]) -> None:
    """For machines: the same as one line of the log."""
    url = f"{_scheme(config)}://{authority(config, sockets)}"
    logger.info("ready", extra={"url": url, "data": _data(config), "version": __version__})


def warn_if_open(config: Config) -> None:
    """Say so loudly where nobody is asked to log in."""
    if config.auth.mode == "open":
        logger.warning("NO LOGIN: everybody on this machine may read, write and delete everything (auth.mode is open)")


def _scheme(config: Config) -> str:
    return "https" if config.server.tls_certificate else "http"


def _data(config: Config) -> str:
    if config.storage.ephemeral:
        return "in memory, gone when Berth stops"
    return str(config.storage.data.absolute())


def _login(config: Config, host: str) -> str:
    return "" if config.auth.mode == "open" else f"  login  docker login {host}\n"


def _user(config: Config) -> str:
    return "-u USER " if config.auth.mode == "builtin" else ""
