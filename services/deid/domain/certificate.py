"""What does the proof say? One certificate per study: what was done, and what was checked."""

import hmac
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from services.deid.domain.boxes import Placed
from services.deid.domain.identity import Identity, Key
from services.deid.domain.policy import Policy
from services.deid.domain.state import Decision, Reason
from shared.contracts.base import Frozen, OpaqueId, PartnerId, Sha256


class Code(Frozen):
    """A code of PS3.16 CID 7050, as (0012,0064) has it."""

    value: str
    meaning: str
    scheme: Literal["DCM"] = "DCM"


class Blanked(Frozen):
    """A box that was set to black, by a rule or the detector (`blanked`) or by a person (`drawn`).

    In pixels counted from 0, `right` and `bottom` not included. `frame` is counted from 1 as
    DICOM does; None stands for all frames.
    """

    by: Literal["blanked", "drawn"]
    left: int
    top: int
    right: int
    bottom: int
    frame: int | None = None

    @classmethod
    def of(cls, by: Literal["blanked", "drawn"], placed: Placed) -> "Blanked":
        box, frame = placed.box, placed.frame
        return cls(
            by=by,
            left=box.left,
            top=box.top,
            right=box.right,
            bottom=box.bottom,
            frame=None if frame is None else frame + 1,
        )


class CertifiedInstance(Frozen):
    """One clean instance. `raw_sha256` is the hash of what came, `sha256` of what may be read.

    `blanked`: what of its pixels is black now.
    """

    sop_instance: str
    raw_sha256: Sha256
    sha256: Sha256
    size: int
    actions: dict[str, int]
    blanked: tuple[Blanked, ...] = ()
    held_for: tuple[str, ...] = ()
    released_by: OpaqueId | None = None
    reason: Reason | None = None


class RejectedInstance(Frozen):
    """An instance that stays in the vault."""

    raw_sha256: Sha256
    held_for: tuple[str, ...]
    rejected_by: OpaqueId
    reason: Reason


class Certificate(Frozen):
    """What de-identification did to a study and what it checked afterwards (PS3.15 annex E).

    It holds no time, so that the same study under the same key and policy has the same certificate.
    """

    version: Literal[1] = 1
    profile: Literal["DICOM PS3.15 Table E.1-1"] = "DICOM PS3.15 Table E.1-1"
    edition: str
    policy: str
    policy_sha256: Sha256 | None = None
    codes: tuple[Code, ...]
    key_version: str
    engine: str
    partner: PartnerId
    study: OpaqueId
    pseudonym: OpaqueId
    instances: tuple[CertifiedInstance, ...]
    rejected: tuple[RejectedInstance, ...]
    actions: dict[str, int]
    checks: tuple[str, ...]
    seal: Sha256 | None = None


def sealed(certificate: Certificate, key: Key) -> Certificate:
    """With an HMAC-SHA-256 under the partner's key over all that the certificate says."""
    identity = Identity(key, certificate.partner)
    content = certificate.model_dump(mode="json")
    return certificate.model_copy(update={"seal": identity.seal(_spelt(content))})


def is_sealed(raw: str | bytes, key: Key) -> bool:
    """Whether a certificate, as it is written, is as whoever had the key wrote it.

    It is read as JSON and not as a certificate: a later one may say more than this version knows.
    """
    content: dict[str, Any] = json.loads(raw)
    seal = Identity(key, str(content.get("partner"))).seal(_spelt(content))
    return hmac.compare_digest(seal, str(content.get("seal")))


def _spelt(content: dict[str, Any]) -> str:
    """One spelling, whatever the order and the spaces; without the seal."""
    said = {name: value for name, value in content.items() if name != "seal"}
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def codes(policy: Policy) -> tuple[Code, ...]:
    return tuple(Code(value=value, meaning=meaning) for value, meaning in policy.codes())


def total(instances: Sequence[CertifiedInstance]) -> dict[str, int]:
    """All actions of a study, counted by kind."""
    counted: Counter[str] = Counter()
    for one in instances:
        counted.update(one.actions)
    return dict(sorted(counted.items()))


def released(decision: Decision | None) -> tuple[OpaqueId | None, Reason | None]:
    return (decision.by, decision.reason) if decision else (None, None)
