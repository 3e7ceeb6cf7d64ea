"""What do the other services' events change? They may come in any order between publishers."""

from collections.abc import Sequence
from datetime import datetime

from services.reporting.domain.beside import on_software_assigned, on_software_unassigned
from services.reporting.domain.events import (
    CaseIntroduced,
    ImagesReleased,
    PartsLearnt,
    ReaderAssigned,
    ReaderUnassigned,
    ReadingWithdrawn,
)
from services.reporting.domain.facts import Assignment, CleanImages, Facts
from services.reporting.domain.on_adjudication import was_adjudicated
from services.reporting.domain.regional import assignments
from services.reporting.domain.state import Held, Signed, State, Withdrawn
from shared.contracts.base import Event
from shared.contracts.deid import CaseDeidentified
from shared.contracts.intake import CaseAccepted, CaseCancelled
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentReleased,
    AssignmentRevoked,
    CaseSplit,
)

_FINISHED = Signed | Withdrawn


def on_accepted(state: State, event: CaseAccepted, _now: datetime) -> Sequence[Event]:
    if state.material.facts is not None:
        return []
    facts = Facts(
        first_read=event.first_read.status,
        reason_for_review=event.reason_for_review,
        modalities=event.modalities,
        body_regions=event.body_regions,
        laterality=event.laterality,
        age_band=event.age_band,
        sex=event.sex,
        language=event.language,
    )
    return [CaseIntroduced(case_id=event.case_id, facts=facts)]


def on_deidentified(state: State, event: CaseDeidentified, _now: datetime) -> Sequence[Event]:
    known = state.material.images
    images = CleanImages(
        pseudonym=event.pseudonym,
        studies=event.studies,
        documents=event.documents,
        supplement=event.supplement,
    )
    if known is not None and (images == known or images.supplement < known.supplement):
        return []
    return [ImagesReleased(case_id=event.case_id, images=images)]


def on_assigned(state: State, event: AssignmentAccepted, _now: datetime) -> Sequence[Event]:
    if event.role == "ai_reader":  # it reads beside, and signs nothing
        return on_software_assigned(state, event)
    if isinstance(state, _FINISHED) or _before_the_round(state, event):
        return []
    known = {kept.assignment.assignment for kept in state.material.set_aside}
    known |= assignments(state)
    if isinstance(state, Held):
        known.add(state.assignment.assignment)
    if event.assignment in known:
        return []
    assignment = Assignment(
        partner=event.partner,
        assignment=event.assignment,
        reader=event.reader,
        role=event.role,
        due_at=event.due_at,
        regions=event.regions,
    )
    return [ReaderAssigned(case_id=event.case_id, assignment=assignment)]


def _before_the_round(state: State, event: AssignmentAccepted) -> bool:
    """Tell whether it was accepted before matching heard that a third reader decides.

    Matching takes it back when it hears so; until then nobody reads it who does not adjudicate.
    """
    return event.role == "second_reader" and was_adjudicated(state)


def on_split(state: State, event: CaseSplit, _now: datetime) -> Sequence[Event]:
    parts = tuple(one.regions for one in event.parts)
    if isinstance(state, _FINISHED) or parts == state.material.parts:
        return []
    return [PartsLearnt(case_id=event.case_id, parts=parts)]


def on_unassigned(
    state: State, event: AssignmentReleased | AssignmentRevoked, _now: datetime
) -> Sequence[Event]:
    if isinstance(state, _FINISHED):
        return []
    if event.assignment in {one.assignment.assignment for one in state.material.software}:
        return on_software_unassigned(state, event)
    mine = {state.assignment.assignment} if isinstance(state, Held) else set()
    if event.assignment not in mine | assignments(state):
        return []
    ended = ReaderUnassigned(
        case_id=event.case_id, assignment=event.assignment, reason=event.reason
    )
    return [ended]


def on_withdrawn(
    state: State, event: CaseCancelled | AssignmentClosed, _now: datetime
) -> Sequence[Event]:
    """Stop the reading; a signed report stays what it is."""
    if isinstance(state, _FINISHED):
        return []
    return [ReadingWithdrawn(case_id=event.case_id, reason=event.reason)]
