"""Who is this, to everyone outside the vault? Keyed pseudonyms that a partner's patient keeps.

Everything is an HMAC-SHA-256 under a key of the partner's own, so that two partners' patients with
one number never meet, and nobody without the key can try numbers out. Each value carries a short
keyed tag and is recognised as ours, so cleaning a cleaned file changes nothing; the tag also tells
which version of the key made it.
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydicom._uid_dict import UID_dictionary

_UID_BODY_BITS, _UID_TAG_BITS = 90, 32  # with version and variant, 128 bits of a UUID
_UID_LENGTH = 44  # characters of 2.25. and 128 bits in decimal
_UUID_VERSION, _UUID_VARIANT = 8, 0b10  # RFC 9562 5.8: a UUID of our own making
_PATIENT = ("OV-", 16, 4)  # prefix, characters of digest, characters of tag
_ACCESSION = ("A", 11, 4)  # an SH has 16 characters
_REMEMBERED = 1 << 16  # UIDs, a few megabytes
_SHIFT_FROM, _SHIFT_SPAN = 30, 3620  # days into the past: one month to ten years


@dataclass(frozen=True, slots=True)
class Key:
    """A secret and its version, which stands in each certificate."""

    version: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """A patient as others see one. `shift_days` is what all dates move by; keep it in the vault."""

    pseudonym: str
    shift_days: int


@dataclass(frozen=True, slots=True)
class Identity:
    """One partner's pseudonyms under one key.

    `others` are the ring's further keys: what they made is ours as well, and stays as it is.
    """

    key: Key
    partner: str
    others: tuple[Key, ...] = ()
    _kin: tuple["Identity", ...] = field(init=False, repr=False)
    _secret: bytes = field(init=False, repr=False)
    _uids: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_secret", _mac(self.key.secret, "partner", self.partner))
        kin = tuple(Identity(other, self.partner) for other in self.others)
        object.__setattr__(self, "_kin", kin)

    def subject(self, patient_id: str, case_id: str) -> Subject:
        """The patient's pseudonym and date shift; without a patient ID the case is the patient."""
        if self.owns_pseudonym(patient_id):
            return Subject(patient_id, 0)  # cleaned before: its dates have moved already
        name = patient_id.strip().upper() or f"case:{case_id}"
        number = int.from_bytes(_mac(self._secret, "shift", name)[:8], "big")
        return Subject(self._token(_PATIENT, "patient", name), -_SHIFT_FROM - number % _SHIFT_SPAN)

    def accession(self, number: str) -> str:
        if not number or self.owns_accession(number):
            return number
        return self._token(_ACCESSION, "accession", number)

    def uid(self, uid: str) -> str:
        """A 2.25 UID for any that is not the standard's own (PS3.5 B.2)."""
        known = self._uids.get(uid)
        if known is None:
            ours = not uid or uid in UID_dictionary or self.owns_uid(uid)
            known = uid if ours else self._new_uid(uid)
            if len(self._uids) >= _REMEMBERED:
                self._uids.clear()
            self._uids[uid] = known
        return known

    def owns_uid(self, uid: str) -> bool:
        """Whether we made it: its tag is right for its body."""
        if not uid.startswith("2.25.") or not uid[5:].isdigit() or len(uid) > _UID_LENGTH:
            return False
        number = int(uid[5:])
        body = _uuid_payload(number) >> _UID_TAG_BITS
        return number == self._tagged_uid(body) or any(one.owns_uid(uid) for one in self._kin)

    def owns_pseudonym(self, patient_id: str) -> bool:
        return any(one.made_pseudonym(patient_id) for one in (self, *self._kin))

    def made_pseudonym(self, patient_id: str) -> bool:
        """Whether this very key made it, and no other of the ring."""
        return self._made(_PATIENT, "patient", patient_id)

    def owns_accession(self, number: str) -> bool:
        made = self._made(_ACCESSION, "accession", number)
        return made or any(one.owns_accession(number) for one in self._kin)

    def seal(self, content: str) -> str:
        """What nobody without the key can write under a text."""
        return _mac(self._secret, "certificate", content).hex()

    def _new_uid(self, uid: str) -> str:
        digest = int.from_bytes(_mac(self._secret, "uid", uid), "big")
        return f"2.25.{self._tagged_uid(digest % (1 << _UID_BODY_BITS))}"

    def _tagged_uid(self, body: int) -> int:
        tag = int.from_bytes(_mac(self._secret, "uid-tag", str(body))[:4], "big")
        payload = body << _UID_TAG_BITS | tag
        high, middle, low = payload >> 74, payload >> 62 & 0xFFF, payload & (1 << 62) - 1
        return high << 80 | _UUID_VERSION << 76 | middle << 64 | _UUID_VARIANT << 62 | low

    def _token(self, shape: tuple[str, int, int], kind: str, value: str) -> str:
        prefix, length, _ = shape
        return self._tagged(shape, kind, prefix + _base32(_mac(self._secret, kind, value))[:length])

    def _tagged(self, shape: tuple[str, int, int], kind: str, body: str) -> str:
        return body + _base32(_mac(self._secret, f"{kind}-tag", body))[: shape[2]]

    def _made(self, shape: tuple[str, int, int], kind: str, value: str) -> bool:
        prefix, length, _ = shape
        body = value[: len(prefix) + length]
        return body.startswith(prefix) and self._tagged(shape, kind, body) == value


@dataclass(frozen=True, slots=True)
class Keyring:
    """All keys that are in use, the newest first: it names new patients, the others known ones."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        return self.keys[0]

    def identity(self, key: Key, partner: str) -> Identity:
        return Identity(key, partner, tuple(one for one in self.keys if one != key))

    def maker(self, partner: str, pseudonym: str) -> Key | None:
        """Whose version made a pseudonym; None when that key has left the ring."""
        made = (one for one in self.keys if Identity(one, partner).made_pseudonym(pseudonym))
        return next(made, None)

    def names(self, partner: str, patient_id: str) -> Sequence[tuple[Key, str]]:
        """What a patient is called under each key, the newest first; nothing without an ID."""
        if not patient_id.strip():
            return ()
        return [
            (key, Identity(key, partner).subject(patient_id, "").pseudonym) for key in self.keys
        ]


def _mac(secret: bytes, kind: str, value: str) -> bytes:
    """HMAC over length-prefixed parts, so that no two pairs of them are one message."""
    kind_raw, raw = kind.encode(), value.encode()
    lengths = len(kind_raw).to_bytes(4, "big"), len(raw).to_bytes(4, "big")
    return hmac.digest(secret, lengths[0] + kind_raw + lengths[1] + raw, "sha256")


def _base32(digest: bytes) -> str:
    return base64.b32encode(digest).decode("ascii").rstrip("=")


def _uuid_payload(number: int) -> int:
    """The 122 bits of a UUID that are neither version nor variant."""
    return (number >> 80) << 74 | (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1
