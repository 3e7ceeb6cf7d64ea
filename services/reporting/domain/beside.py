"""What does software say that reads beside the reader? Recorded once, hidden, and never decisive.

It has its own assignment (`ai_reader`) and sees what the reader sees before the lock. Its opinion
is shown with the first report, when the reader's own is locked; no state of the case depends on it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from services.reporting.domain.access import NOT_FOUND
from services.reporting.domain.canonical import sha256
from services.reporting.domain.claims import repeated_ids
from services.reporting.domain.events import (
    SoftwareAssigned,
    SoftwareOpinionKept,
    SoftwareUnassigned,
)
from services.reporting.domain.facts import Assignment
from services.reporting.domain.inputs import AiOpinionReceived
from services.reporting.domain.on_reading import NOT_READY
from services.reporting.domain.state import (
    GivenOpinion,
    Material,
    Signed,
    Software,
    State,
    Withdrawn,
)
from shared.contracts.base import Event, Frozen, OpaqueId, ReaderId
from shared.contracts.matching import AssignmentAccepted, AssignmentReleased, AssignmentRevoked
from shared.contracts.report import Opinion, SoftwareRead
from shared.contracts.reporting import AiOpinionRecorded
from shared.decider import Refused

GIVEN = Refused("already_given", "Another opinion was given before; it stands.")
SIGNED = Refused("already_final", "The report is signed; it was signed without this opinion.")
WITHDRAWN = Refused("case_withdrawn", "The case was withdrawn; no report will come of it.")
ENDED = Refused("assignment_ended", "The assignment ended.")


class Beside(Frozen):
    """The case as software sees it."""

    material: Material
    assignment: Assignment
    given: GivenOpinion | None = None


def beside(state: State, reader: ReaderId) -> Beside | Refused:
    """Give the case to software that reads it, and anybody else the reason why not."""
    mine = [one for one in state.material.software if one.assignment.reader == reader]
    if not mine:
        return NOT_FOUND
    if isinstance(state, Withdrawn):
        return WITHDRAWN
    if mine[-1].ended is not None:
        return ENDED
    return Beside(material=state.material, assignment=mine[-1].assignment, given=mine[-1].given)


def on_software_assigned(state: State, event: AssignmentAccepted) -> Sequence[Event]:
    known = {one.assignment.assignment for one in state.material.software}
    if isinstance(state, Signed | Withdrawn) or event.assignment in known:
        return []
    fields = {name: getattr(event, name) for name in Assignment.model_fields}
    return [SoftwareAssigned(case_id=event.case_id, assignment=Assignment(**fields))]


def on_software_unassigned(
    state: State, event: AssignmentReleased | AssignmentRevoked
) -> Sequence[Event]:
    return [
        SoftwareUnassigned(case_id=event.case_id, assignment=event.assignment, reason=event.reason)
        for one in state.material.software
        if one.assignment.assignment == event.assignment and one.ended is None
    ]


def on_opinion(state: State, asked: AiOpinionReceived, now: datetime) -> Sequence[Event | Refused]:
    mine = beside(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    digest = sha256(asked.opinion)
    if mine.given is not None:
        return [] if mine.given.sha256 == digest else [GIVEN]
    if isinstance(state, Signed):
        return [SIGNED]
    if mine.material.facts is None or mine.material.images is None:
        return [NOT_READY]
    return next(([one] for one in _faults(asked.opinion)), _recorded(mine, asked, digest, now))


def _recorded(
    mine: Beside, asked: AiOpinionReceived, digest: str, now: datetime
) -> Sequence[Event | Refused]:
    said = {"software": asked.software, "software_version": asked.software_version}
    given = GivenOpinion(opinion=asked.opinion, sha256=digest, received_at=now, **said)
    name = mine.assignment.assignment
    return [
        SoftwareOpinionKept(case_id=asked.case_id, assignment=name, given=given),
        AiOpinionRecorded(
            case_id=asked.case_id,
            partner=mine.assignment.partner,
            assignment=name,
            reader=asked.reader,
            at=now,
            claims=len(asked.opinion.claims),
            sha256=digest,
            **said,
        ),
    ]


def _faults(opinion: Opinion) -> Iterator[Refused]:
    """Say what makes claims useless; what a report needs besides is the reader's to write."""
    for n in repeated_ids(opinion.claims):
        field = f"/opinion/claims/{n}/id"
        yield Refused("repeated_claim", "Another claim has this id; change one.", field)
    for n, claim in enumerate(opinion.claims):
        if not claim.finding.strip():
            yield Refused("empty_finding", "Name the finding.", f"/opinion/claims/{n}/finding")


def changed(
    material: Material, assignment: OpaqueId, **changes: GivenOpinion | OpaqueId
) -> tuple[Software, ...]:
    """Give the software that reads beside, one of it changed."""
    return tuple(
        one.model_copy(update=changes) if one.assignment.assignment == assignment else one
        for one in material.software
    )


def documented_software(material: Material) -> tuple[SoftwareRead, ...]:
    """Give what the report says of it."""
    return tuple(
        SoftwareRead(
            assignment=one.assignment.assignment,
            reader=one.assignment.reader,
            software=one.given.software,
            software_version=one.given.software_version,
            claims=len(one.given.opinion.claims),
            opinion_sha256=one.given.sha256,
            received_at=one.given.received_at,
        )
        for one in material.software
        if one.given is not None
    )
