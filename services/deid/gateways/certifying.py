"""What does a certificate say of one file? As its receipt and a person's decision have it."""

from services.deid.domain.certificate import (
    Blanked,
    CertifiedInstance,
    RejectedInstance,
    released,
)
from services.deid.domain.state import Decision
from services.deid.gateways.instance import Receipt
from shared.contracts.base import ObjectRef


def certified(receipt: Receipt, decision: Decision | None = None) -> CertifiedInstance:
    """Of one that may be read; `decision` is by whom, when it was in doubt."""
    by, reason = released(decision)
    return CertifiedInstance(
        sop_instance=receipt.sop_instance,
        raw_sha256=receipt.raw_sha256,
        sha256=receipt.sha256,
        size=receipt.size,
        actions=dict(receipt.actions),
        blanked=tuple(
            Blanked.of(kind, placed) for kind, placed in receipt.places if kind != "doubtful"
        ),
        held_for=tuple(one.code for one in receipt.doubts),
        released_by=by,
        reason=reason,
    )


def rejected(raw: ObjectRef, receipt: Receipt, decision: Decision) -> RejectedInstance:
    return RejectedInstance(
        raw_sha256=raw.sha256,
        held_for=tuple(one.code for one in receipt.doubts),
        rejected_by=decision.by,
        reason=decision.reason,
    )
