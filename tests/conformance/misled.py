"""nginx before a registry, with the configuration of deploy/compose and one thing wrong in it at a time."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.clients.programs import require, service
from tests.daemon import free_port

RIGHT = (Path(__file__).parents[2] / "deploy" / "compose" / "nginx.conf").read_text()
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wrong:
    """What is changed in the configuration (each text to another one), and what is to be found then.

    `adds` are directives for the location. `setting` is in the advice on the first of `finds`. Of other settings than
    these nothing may be said. The proxy speaks TLS with the certificate of this name.
    """

    finds: Sequence[str]
    setting: str = ""
    adds: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    tls: str = ""
    path: str = ""
    wait_s: float = 0.0


@contextlib.contextmanager
def nginx(folder: Path, backend: str, wrongs: Mapping[str, Wrong]) -> Iterator[dict[str, str]]:
    """Nginx with a port for each of these before the registry at the address `backend`; the URLs, by their names."""
    require("nginx")
    for name in {wrong.tls for wrong in wrongs.values()} - {""}:
        make_certificate(folder, name)
    ports = {name: free_port() for name in wrongs}
    head, found, tail = RIGHT.partition("    server {\n")
    assert found
    servers = "".join(_server(found + tail, folder, ports[name], wrong) for name, wrong in wrongs.items())
    text = f"user root;\n{head.replace('/run/nginx', str(folder))}{EVERYWHERE.format(folder=folder)}{servers}}}\n"
    text = re.sub(r"server berth-1\S+", f"server {backend}", re.sub(r" *server berth-2.*\n", "", text))
    text = text.replace("worker_processes auto", "daemon off;\nworker_processes 1").replace("/dev/stderr", "stderr")
    (folder / "nginx.conf").write_text(re.sub(r"error_log \S+ ", "error_log stderr ", text))
    urls = {
        name: f"http{'s' if wrong.tls else ''}://127.0.0.1:{ports[name]}{wrong.path}" for name, wrong in wrongs.items()
    }
    command = ("nginx", "-p", folder, "-c", folder / "nginx.conf")

    def ready() -> None:
        assert connects(next(iter(ports.values())))

    with service(*command, folder=folder, ready=ready):
        # As where a disk is full.
        shutil.rmtree(folder / "gone", ignore_errors=True)
        yield urls


EVERYWHERE = """\
    proxy_cache_path {folder}/cache keys_zone=cache:1m;
    map $request_method$request_uri $polled {{ ~^HEAD.*/not-there $server_port; }}
    limit_req_zone $polled zone=slow:1m rate=1r/s;
"""


def _server(text: str, folder: Path, port: int, wrong: Wrong) -> str:
    block = text.rstrip().removesuffix("}")
    changes = {"location / {\n": f"location / {{\n{wrong.adds}\n", **wrong.changes}
    for old, new in changes.items():
        assert old in block, old
        block = block.replace(old, new)
    pair = f"ssl_certificate {folder}/{wrong.tls}.pem;\nssl_certificate_key {folder}/{wrong.tls}.key;\n"
    listen = f"listen 127.0.0.1:{port} ssl;\n{pair}" if wrong.tls else f"listen 127.0.0.1:{port};"
    return block.replace("listen 8080;", listen)


def connects(port: int) -> bool:
    """Whether something listens at this port of the loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def make_certificate(folder: Path, name: str) -> None:
    """A certificate `name`.pem that is its own authority, with its key. Its name says what is wrong with it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    ends = {"expired": now - DAY, "ending": now + 3 * DAY}.get(name, now + 90 * DAY)
    host = "192.0.2.1" if name == "misnamed" else "127.0.0.1"
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
