"""What do the other services and the readers say of a simulated case? Their events and inputs."""

from datetime import datetime
from math import exp
from statistics import NormalDist
from typing import Final
from uuid import UUID

from services.matching.domain.inputs import DeclineOffer, DeclineReason
from services.matching.domain.state import Assigned, Matching
from shared.contracts import deid, notify, reporting
from shared.contracts.base import CaseId, ObjectRef
from shared.contracts.intake import CaseAccepted
from shared.contracts.matching import AssignmentOffered

_SHA: Final = "ab" * 32
_REPORT: Final = ObjectRef(address=f"reports/{UUID(int=0)}/{_SHA}", sha256=_SHA, size=1)
_NORMAL: Final = NormalDist()


def clean(accepted: CaseAccepted) -> deid.CaseDeidentified:
    return deid.CaseDeidentified(
        case_id=accepted.case_id,
        partner=accepted.partner,
        pseudonym="SIMULATED",
        studies=(),
        documents=(),
        instances_cleaned=1,
        supplement=0,
    )


def finalized(
    accepted: CaseAccepted, assignment: str, reader: str, now: datetime
) -> reporting.ReportFinalized:
    return reporting.ReportFinalized(
        case_id=accepted.case_id,
        partner=accepted.partner,
        assignment=assignment,
        verdict="confirmed",
        discrepancy=None,
        outcomes=(),
        report=_REPORT,
        signer=reader,
        signed_at=now,
        blind=True,
    )


def delivered(accepted: CaseAccepted, now: datetime) -> notify.Delivered:
    return notify.Delivered(
        case_id=accepted.case_id,
        partner=accepted.partner,
        delivery="simulated",
        audience="clinician",
        channel="webhook",
        at=now,
        attempts=1,
    )


def differs(
    accepted: CaseAccepted, assignment: str, reader: str, now: datetime
) -> reporting.AdjudicationRequested:
    return reporting.AdjudicationRequested(
        case_id=accepted.case_id,
        partner=accepted.partner,
        assignment=assignment,
        reader=reader,
        why="major_discrepancy",
        at=now,
    )


def decline(case_id: CaseId, made: AssignmentOffered, reason: DeclineReason) -> DeclineOffer:
    return DeclineOffer(
        case_id=case_id, assignment=made.assignment, reader=made.reader, reason=reason
    )


def assignment_of(state: Matching) -> str:
    """Give the assignment that stands; raises TypeError where nobody has the case."""
    if not isinstance(state.assignment, Assigned):
        raise TypeError(f"nobody has this case: {state.assignment.kind}")
    return state.assignment.assignment


def lognormal(luck: float, sigma: float) -> float:
    """Give the log-normal value of median 1 that a number in [0, 1) stands for."""
    return exp(sigma * _NORMAL.inv_cdf(min(max(luck, 1e-9), 1 - 1e-9)))
