"""TLS by certificate files."""

import ssl
from pathlib import Path

from registry.config.settings import ServerConfig
from registry.errors import StartError


def context_for(server: ServerConfig) -> ssl.SSLContext | None:
    """The TLS settings of a worker, or None where it speaks plain HTTP.

    Raises:
        StartError: a file cannot be read, is no certificate or key, or the two do not belong together.
    """
    certificate, key = server.tls_certificate, server.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise StartError("TLS needs both server.tls_certificate and server.tls_key")
    _check_readable(certificate, "server.tls_certificate")
    _check_readable(key, "server.tls_key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key with a passphrase would make OpenSSL ask for it on the terminal.
        context.load_cert_chain(certificate, key, password=_refuse_passphrase)
    except ssl.SSLError as error:
        raise StartError(_explain(error, certificate, key)) from error
    return context


def _check_readable(path: Path, setting: str) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise StartError(f"cannot read {setting}, {path}: {error.strerror}") from error


def _refuse_passphrase() -> str:
    raise StartError("server.tls_key is protected by a passphrase: give a key without one")


def _explain(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key} does not belong to the certificate in {certificate}"
    return f"{certificate} and {key} must be a certificate and its key in PEM format ({error.reason or error})"
