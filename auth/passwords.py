"""How passwords are kept and checked: argon2id."""

from __future__ import annotations

import base64

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_SALT_BYTES = 16
_HASH_BYTES = 32


class Passwords:
    """Hashes passwords, and verifies them. Both take tens of milliseconds by design: call them in a thread."""

    def __init__(self, time_cost: int = 3, memory_kib: int = 32 * 1024) -> None:
        """`time_cost` passes over `memory_kib` KiB of memory are what one guess costs, here and for a thief."""
        self._hasher = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=1, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES
        )
        # No password has it: it was not made from one.
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={time_cost},p=1${_zeros(_SALT_BYTES)}${_zeros(_HASH_BYTES)}"

    def hash(self, text: str) -> str:
        """What is kept of the password: the hash, its salt and its costs in one text."""
        return self._hasher.hash(_bytes(text))

    def verify(self, kept: str | None, text: str) -> bool:
        """Whether `kept` was made from this password.

        With None it never was, which takes as long to find out: nobody learns so which accounts there are.
        """
        try:
            self._hasher.verify(self._nobodys if kept is None else kept, _bytes(text))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    def needs_rehash(self, kept: str) -> bool:
        """Whether `kept` was made at other costs than these."""
        return self._hasher.check_needs_rehash(kept)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _zeros(count: int) -> str:
    return base64.b64encode(bytes(count)).decode().rstrip("=")
