"""How does an identity travel through services that may not know it? Sealed to the one who may.

JWE compact (RFC 7516) with ECDH-ES+A256KW and A256GCM (RFC 7518): anyone with the public key can
seal, only the holder of the private key can open, and any change of the token is noticed.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol

from shared.runtime.errors import Unprocessable

Jwk = dict[str, Any]

_KEY_AGREEMENT = "ECDH-ES+A256KW"
_CONTENT = "A256GCM"
_ALLOWED = [_KEY_AGREEMENT, _CONTENT]  # nothing else, so no compression and no weaker cipher
_CURVE = "P-256"
MAX_CONTENT = 48 * 1024  # bytes: in base64url that is the 64 KiB which joserfc opens at most


class SealBroken(Unprocessable):
    """The token is no seal of ours, or was changed on the way."""


class UnknownKey(Unprocessable):
    """The token was sealed to a key that is not in the ring."""


def new_key_pair() -> tuple[Jwk, Jwk]:
    """Give a private JWK and its public half; the kid is the key's thumbprint (RFC 7638)."""
    key = ECKey.generate_key(_CURVE)
    parameters = {"use": "enc", "alg": _KEY_AGREEMENT, "kid": key.thumbprint()}
    return key.as_dict(private=True, **parameters), key.as_dict(private=False, **parameters)


def seal(public_jwk: Jwk, content: Mapping[str, Any]) -> str:
    """Seal JSON content to the holder of the private key.

    Raises ValueError over MAX_CONTENT bytes: what can't be opened again must not be sealed.
    """
    plain = orjson.dumps(dict(content))
    if len(plain) > MAX_CONTENT:
        raise ValueError(f"a sealed content has at most {MAX_CONTENT} bytes, not {len(plain)}")
    key = _imported(orjson.dumps(public_jwk))
    header = {"alg": _KEY_AGREEMENT, "enc": _CONTENT, "kid": key.kid or key.thumbprint()}
    return jwe.encrypt_compact(header, plain, key, algorithms=_ALLOWED)


def open_sealed(private_jwks: Iterable[Jwk], token: str) -> dict[str, Any]:
    """Open a token with the key of the ring that its kid names: the new one or an older one.

    Raises SealBroken or UnknownKey, which tell nothing of the content.
    """
    keys = [_imported(orjson.dumps(one)) for one in private_jwks]
    ring = {key.kid or key.thumbprint(): key for key in keys}

    def named(recipient: GuestProtocol) -> ECKey:
        try:
            return ring[recipient.headers().get("kid", "")]
        except (KeyError, TypeError):
            raise UnknownKey("sealed_to_unknown_key") from None

    try:
        opened = jwe.decrypt_compact(token, named, algorithms=_ALLOWED)
        content = orjson.loads(opened.plaintext or b"")
    except (JoseError, ValueError, TypeError, AttributeError):  # the last two: a header of lists
        raise SealBroken("sealed_token_malformed_or_changed") from None
    if not isinstance(content, dict):
        raise SealBroken("sealed_content_is_no_object")
    return content


@lru_cache(maxsize=64)
def _imported(jwk: bytes) -> ECKey:
    """Read a key once: it takes longer than sealing with it."""
    return ECKey.import_key(orjson.loads(jwk))


def keyed_digest(key: bytes, *parts: str) -> str:
    """Give a pseudonym: HMAC-SHA-256 in hex over the parts, each after its length.

    The lengths keep ("ab", "c") and ("a", "bc") apart. Without the key nobody can try out names.
    """
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()
