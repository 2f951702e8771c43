"""TLS by certificate files."""

import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from registry.config import load
from registry.errors import StartError
from registry.server import tls
from tests.clients.programs import require
from tests.server.program import Program, wait_until


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 signed by itself, and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl(
        f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -days 2"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    )
    return certificate, key


def openssl(arguments: str) -> None:
    """Run the program `openssl`."""
    require("openssl")
    subprocess.run(["openssl", *arguments.split()], check=True, capture_output=True, timeout=30)


def use(certificate: Path, key: Path, path: Path) -> None:
    """Write a configuration with them."""
    path.write_text(f"[server]\ntls_certificate = '{certificate}'\ntls_key = '{key}'\n")


def ask(program: Program, trusted: Path) -> tuple[bytes, str | None]:
    """The answer to a request over TLS, if the server has the trusted certificate, and its TLS version."""
    context = ssl.create_default_context(cafile=str(trusted))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((program.host, program.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=program.host) as connection,
    ):
        assert connection.selected_alpn_protocol() == "http/1.1"
        connection.sendall(b"GET /pid HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")), connection.version()


def trusts(program: Program, certificate: Path) -> bool:
    """True if the server has that certificate."""
    try:
        ask(program, certificate)
    except ssl.SSLCertVerificationError:
        return False
    return True


def test_tls_is_spoken_and_certificates_are_renewed(tmp_path: Path) -> None:
    """With a certificate Berth speaks HTTPS, and a SIGHUP brings a new one into force."""
    path = tmp_path / "berth.toml"
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    use(*first, path)
    with Program(path=path) as program:
        assert program.url.startswith("https://127.0.0.1:")
        answer, version = ask(program, first[0])
        assert answer.startswith(b"HTTP/1.1 200")
        assert version == "TLSv1.3"
        assert not trusts(program, second[0])

        use(*second, path)
        program.send(signal.SIGHUP)
        program.wait_for_line("is in force")
        wait_until(lambda: trusts(program, second[0]))

        program.send(signal.SIGTERM)
        assert program.wait() == 0


def test_plain_and_old_clients_are_refused(tmp_path: Path) -> None:
    """Neither plain HTTP nor TLS 1.1 gets an answer, nor anything into the log."""
    path = tmp_path / "berth.toml"
    use(*make_certificate(tmp_path, "server"), path)
    with Program(path=path) as program:
        before = len(program.lines)
        with socket.create_connection((program.host, program.port), timeout=5) as plain:
            plain.sendall(b"GET /pid HTTP/1.1\r\nHost: test\r\n\r\n")
            assert not plain.recv(65536).startswith(b"HTTP")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            socket.create_connection((program.host, program.port), timeout=5) as plain,
            pytest.raises(ssl.SSLError),
        ):
            context.wrap_socket(plain)
        assert len(program.lines) == before


def test_what_is_wrong_with_the_files_is_told(tmp_path: Path) -> None:
    """Each mistake with the two files has a message of its own."""
    (certificate, key), (_, other) = make_certificate(tmp_path, "one"), make_certificate(tmp_path, "two")
    empty = tmp_path / "empty"
    empty.write_text("")
    locked = tmp_path / "locked.key"
    openssl(f"ec -in {key} -aes128 -passout pass:secret -out {locked}")
    cases = {
        (certificate, tmp_path / "missing"): r"cannot read server\.tls_key, .*missing: No such file",
        (tmp_path, key): r"cannot read server\.tls_certificate, .*: Is a directory",
        (certificate, other): "does not belong to the certificate",
        (empty, key): "must be a certificate and its key in PEM format",
        (certificate, empty): "must be a certificate and its key in PEM format",
        (certificate, locked): "protected by a passphrase",
    }
    for (first, second), message in cases.items():
        flags = {"server.tls_certificate": str(first), "server.tls_key": str(second)}
        with pytest.raises(StartError, match=message):
            tls.context_for(load(None, {}, flags).server)
