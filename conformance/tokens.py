"""The token service of a registry, asked as clients ask it, and tokens that it has not made."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from conformance.login import Challenge, Credentials, challenge_of
from conformance.requirement import Failed, NotApplicable
from conformance.session import Session
from conformance.wire import Answer

_SECRETS = re.compile(rb'("(?:token|access_token|refresh_token|id_token)"\s*:\s*")[^"]*"')

# A key pair that everybody knows: what is signed with it is signed by nobody.
_KNOWN_N = int(
    "dc1170e236d4d03d21d946041fa72afb99ea9332fbfa47c13af979f55e29ca18b0de6d77d5566f22aed388e976d079bac8e456fa53956e5a"
    "27ec4f905029ad81da53ecae804e94e3e3efbb3e33cb100bc09f993c7604a51a864dfae1271a51659e3e6915503938cd7c5ebfc61908d6c2"
    "8a87e962c7d19bb54207684393936bdf6f121fd6da454366a7ce6cbc33af47934813641b76b4f6bf4036422a087e6f4bc53d1603b9eddab1"
    "7d620a113b9f53902be10f9e5a7b2fcd53137325ae84f5e79ea766523f1837253900bc3c13570dd93533049072f3b4e7812742fc8531773a"
    "3dddbca6b23de4820a4cfd4d89373105f703f4bc04b069433ba435fc98a8836b",
    16,
)
_KNOWN_D = int(
    "6a5266d67425476271ab167fc1873366118bda8844633c2da83f85e3bd15b5954e46785ef00c6d6f3545f01cd3918f6e65c6a41b172cd7fe"
    "e8d0ebf3ce3704a3fb0697100bdf6b61daeb24ecbd7b3b0a628af92ed3da14a68702bfd5eddd723c054323e3ef39662f290a61dee49377a6"
    "cfe53025d0627db709eaa83e15dba0be91d1eb05ad6f91144f976a6a7cfe484bd39e8708347c63c5dfdea0a7cc566021622686e515903535"
    "ea2bcf17c9edbad2e49a26edb7e1ba2c896bb023142e7a8e09ee0c35950f501005e9a31a3490e30cba1d3cba3d96ce181c4f5e3e1198f2ef"
    "0e6b33085b692549546da7ef7fc59e434e40574901cf360f0c69652b222b2911",
    16,
)
_KNOWN_BYTES = 256
# What RSASSA-PKCS1-v1_5 puts before a digest of sha256 (RFC 8017, 9.2).
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def refused(session: Session, method: str = "GET", path: str = "/v2/") -> Answer:
    """The 401 for somebody who has not logged in. Raises `NotApplicable` if nobody has to log in here."""
    answer = session.send_plain(method, path)
    if answer.status != 401:
        raise NotApplicable(f"{method} {answer.path} asks nobody to log in: it answered {answer.status}")
    return answer


def challenged(session: Session, method: str = "GET", path: str = "/v2/") -> Challenge:
    """What somebody who has not logged in is told here. Raises `Failed` if that is nothing."""
    return challenge_of(refused(session, method, path))


class TokenService:
    """The token service that the challenge of `/v2/` names. Raises `NotApplicable` if there is none."""

    def __init__(self, session: Session) -> None:
        self._session = session
        try:
            challenge = challenged(session)
        except Failed as error:
            raise NotApplicable(f"there is no challenge: {error}") from error
        if challenge.scheme != "bearer":
            raise NotApplicable(f"the registry has no tokens: its challenge is {challenge.scheme}")
        self.realm = challenge.parameters.get("realm", "")
        self.service = challenge.parameters.get("service", "")
        if not self.realm:
            raise NotApplicable("the challenge names no realm")

    def get(self, *scopes: str, credentials: Credentials | None = None, offline: bool = False) -> Answer:
        """The answer to a request for a token with these scopes, as the user of the run unless `credentials` are given.

        `offline` asks for a refresh token, too, as docker does when one logs in.
        """
        who = self._session.scope.credentials if credentials is None else credentials
        query = [("service", self.service)] if self.service else []
        if offline:
            query += [("account", who.user), ("client_id", "docker"), ("offline_token", "true")]
        query += [("scope", scope) for scope in scopes]
        separator = "&" if "?" in self.realm else "?"
        headers = {"Authorization": who.basic()} if who.user else {}
        answer = self._session.wire.send("GET", f"{self.realm}{separator}{urlencode(query)}", headers)
        return self._noted(answer)

    def post(self, **form: str) -> Answer:
        """The answer to a form (OAuth 2)."""
        body = urlencode({"service": self.service, "client_id": "conformance", **form}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._noted(self._session.wire.send("POST", self.realm, headers, body))

    def token(self, *scopes: str, credentials: Credentials | None = None) -> str:
        """A token. Raises `NotApplicable` if there is none to be had."""
        answer = self.get(*scopes, credentials=credentials)
        if answer.status != 200:
            raise NotApplicable(f"the token service answered {answer.status}")
        return token_in(answer)

    def _noted(self, answer: Answer) -> Answer:
        """Remember the exchange for reports, which must not show any secret."""
        body = _SECRETS.sub(rb'\1(secret)"', answer.body)
        form = "(a form with secrets)" if answer.sent_body else ""
        self._session.exchanges.append(dataclasses.replace(answer, body=body, sent_body=form))
        return answer


def token_in(answer: Answer) -> str:
    """The token of an answer of the token service. Raises `NotApplicable` if it has none."""
    document = answer.json()
    token = document.get("token") or document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str):
        raise NotApplicable("the token service's answer has no token")
    return token


def granted(answer: Answer) -> dict[str, Any]:
    """What the token service has answered, if it gave a token. Raises `Failed`."""
    document = answer.expect(200).json()
    if not isinstance(document, dict):
        raise Failed(f"the token service's answer is no JSON object: {document!r}")
    return document


def user_of(session: Session) -> Credentials:
    """Who the run logs in as. Raises `NotApplicable` if that is nobody."""
    if not session.scope.credentials.user:
        raise NotApplicable("this run does not log in: --user")
    return session.scope.credentials


def scope(name: str, actions: str = "pull") -> str:
    return f"repository:{name}:{actions}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Jwt:
    """A token, taken apart. Raises `NotApplicable` if it is none with three parts (RFC 7519)."""

    def __init__(self, token: str) -> None:
        parts = token.split(".")
        try:
            self.header, self.claims = (json.loads(_decoded(part)) for part in parts[:2])
        except ValueError as error:
            raise NotApplicable("the tokens of this registry are no JWTs") from error
        if len(parts) != 3 or not isinstance(self.header, dict) or not isinstance(self.claims, dict):
            raise NotApplicable("the tokens of this registry are no JWTs")
        self._parts = parts

    def changed(self, **claims: Any) -> str:
        """The token with other claims, and the signature that was right before."""
        return f"{self._parts[0]}.{_part({**self.claims, **claims})}.{self._parts[2]}"

    def unsigned(self, algorithm: str) -> str:
        """The token without a signature, as this algorithm."""
        return f"{_part({**self.header, 'alg': algorithm})}.{self._parts[1]}."

    def signed_with(self, secret: bytes, **header: Any) -> str:
        """The token, signed by HMAC with a secret of ours."""
        text = f"{_part({**self.header, **header, 'alg': 'HS256'})}.{self._parts[1]}"
        return f"{text}.{_encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    def signed_by_nobody(self) -> str:
        """The token, signed by RSA with a key that everybody knows, and that its header brings along."""
        number = _KNOWN_N.to_bytes(_KNOWN_BYTES, "big")
        key = {"kty": "RSA", "n": _encoded(number), "e": "AQAB", "kid": self.header.get("kid", "")}
        text = f"{_part({**self.header, 'alg': 'RS256', 'jwk': key})}.{self._parts[1]}"
        digest = _SHA256_INFO + hashlib.sha256(text.encode()).digest()
        padded = b"\x00\x01" + b"\xff" * (_KNOWN_BYTES - len(digest) - 3) + b"\x00" + digest
        signature = pow(int.from_bytes(padded, "big"), _KNOWN_D, _KNOWN_N)
        return f"{text}.{_encoded(signature.to_bytes(_KNOWN_BYTES, 'big'))}"


def _part(document: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(document, separators=(",", ":")).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
