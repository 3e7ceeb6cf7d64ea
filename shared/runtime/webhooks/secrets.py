"""How are webhook secrets kept, and which of them sign now?

At rest they are encrypted (AES-256-GCM), bound to their owner. After a rotation the old one
signs beside the new one for a day, so that the receiver can change over without a gap (Standard
Webhooks, "Signature scheme": a list of signatures).
"""

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AwareDatetime, TypeAdapter

from shared.contracts.base import Frozen

OVERLAP = timedelta(days=1)
_NONCE = 12  # bytes; NIST SP 800-38D, 8.2
_SECRET = 32  # bytes; Standard Webhooks asks for 24 to 64


class SecretsUnreadableError(Exception):
    """They were encrypted with another key, or for another owner."""


class Secret(Frozen):
    """One signing secret (`whsec_...`) and until when it signs."""

    secret: str
    until: AwareDatetime | None = None


_LIST: TypeAdapter[tuple[Secret, ...]] = TypeAdapter(tuple[Secret, ...])


@dataclass(frozen=True, slots=True)
class Safe:
    """Encrypts and decrypts with the service's own key."""

    key: bytes

    def close(self, owner: str, secrets: Sequence[Secret]) -> bytes:
        nonce = os.urandom(_NONCE)
        plain = _LIST.dump_json(tuple(secrets))
        return nonce + AESGCM(self.key).encrypt(nonce, plain, owner.encode())

    def open(self, owner: str, closed: bytes | None) -> tuple[Secret, ...]:
        if closed is None:
            return ()
        try:
            plain = AESGCM(self.key).decrypt(closed[:_NONCE], closed[_NONCE:], owner.encode())
        except InvalidTag:
            raise SecretsUnreadableError from None
        return _LIST.validate_json(plain)


def rotated(secrets: Sequence[Secret], now: datetime) -> tuple[Secret, ...]:
    """Put a new secret first; the one before it signs for a day more, older ones no longer."""
    fresh = Secret(secret=f"whsec_{b64encode(os.urandom(_SECRET)).decode()}")
    return (fresh, *(Secret(secret=old.secret, until=now + OVERLAP) for old in secrets[:1]))


def signing(secrets: Sequence[Secret], now: datetime) -> tuple[str, ...]:
    return tuple(one.secret for one in secrets if one.until is None or now < one.until)
