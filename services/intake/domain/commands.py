"""What does a change of mind lead to: amend, another speed, cancel, reject?"""

from collections.abc import Sequence

from services.intake.domain.consistency import contradiction
from services.intake.domain.events import CaseAmended
from services.intake.domain.evolve import filed
from services.intake.domain.inputs import (
    AmendCase,
    CancelCase,
    ChangeServiceLevel,
    ExpectedStudy,
    RejectCase,
)
from services.intake.domain.owner import refusal
from services.intake.domain.state import Accepted, File, Known
from shared.contracts.base import Event
from shared.contracts.intake import CaseCancelled, CaseRejected, ServiceLevelChanged
from shared.decider import Refused


def amend(state: Known, asked: AmendCase) -> Sequence[Event | Refused]:
    """Take new studies at any time; the question itself only until acceptance."""
    refused = refusal(state, asked.partner)
    if refused:
        return [refused]
    amended = CaseAmended(
        case_id=asked.case_id,
        studies=_new_studies(state.file, asked),
        reason_for_review=asked.reason_for_review,
        procedure_at=asked.procedure_at,
    )
    after = filed(state.file, amended)
    if after == state.file:
        return []
    if isinstance(state, Accepted) and _question(after) != _question(state.file):
        return [_too_late(asked)]
    found = contradiction(after.request)
    return [found or amended]


def change_service_level(state: Known, asked: ChangeServiceLevel) -> Sequence[Event | Refused]:
    refused = refusal(state, asked.partner)
    if refused:
        return [refused]
    request = state.file.request
    if request.service_level == asked.service_level:
        return []
    undated = asked.service_level == "tumour_board" and request.procedure_at is None
    if isinstance(state, Accepted) and undated:
        return [
            Refused(
                "procedure_date_missing",
                "tumour_board needs the meeting's date, and this case has none.",
                "/service_level",
            )
        ]
    return [
        ServiceLevelChanged(
            case_id=asked.case_id,
            partner=request.partner,
            service_level=asked.service_level,
            by=asked.by,
        )
    ]


def cancel(state: Known, asked: CancelCase) -> Sequence[Event | Refused]:
    refused = refusal(state, asked.partner)
    if refused:
        twice = refused.code == "already_cancelled"
        return [] if twice else [refused]
    partner = state.file.request.partner
    return [CaseCancelled(case_id=asked.case_id, partner=partner, by=asked.by, reason=asked.reason)]


def reject(state: Known, asked: RejectCase) -> Sequence[Event | Refused]:
    """An operator's last word on a case that is not yet accepted."""
    refused = refusal(state, None)
    if refused:
        twice = refused.code == "already_rejected"
        return [] if twice else [refused]
    if isinstance(state, Accepted):
        return [Refused("already_accepted", "The case was accepted: it can be cancelled only.")]
    partner = state.file.request.partner
    return [CaseRejected(case_id=asked.case_id, partner=partner, reasons=asked.reasons)]


def _new_studies(file: File, asked: AmendCase) -> tuple[ExpectedStudy, ...]:
    known = {one.study or one.accession for one in file.request.studies}
    return tuple(one for one in asked.studies if (one.study or one.accession) not in known)


def _question(file: File) -> tuple[object, ...]:
    return file.request.reason_for_review, file.request.procedure_at


def _too_late(asked: AmendCase) -> Refused:
    field = "/reason_for_review" if asked.reason_for_review else "/procedure_date"
    return Refused(
        "already_accepted", "The case is accepted: only studies can still be added.", field
    )
