"""Which software reads a case beside its reader? Never the only reader, and nobody waits for it.

It needs no time to think, so it is asked and has the case at once. Every rule holds for it that
holds for a radiologist, but that a human is wanted.
"""

from collections.abc import Iterable, Iterator, Mapping

from services.matching.domain import events as own
from services.matching.domain.eligibility import Candidate, barred
from services.matching.domain.inputs import ReadBeside, ReaderWentOffline
from services.matching.domain.moment import Moment
from services.matching.domain.reader import Reader
from services.matching.domain.state import (
    Assigned,
    Assignment,
    Offered,
    Open,
    Split,
    Unfillable,
    brief_of,
)
from services.matching.domain.waiting import Waiting
from shared.contracts.base import CaseId, Event, ReaderId
from shared.contracts.envelope import derived_id
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentRevoked,
    Explanation,
    Role,
)
from shared.contracts.reporting import AiOpinionRecorded
from shared.decider import Refused

BESIDE: Role = "ai_reader"
# Whatever software may read it does: no score is asked.
EVERY = Explanation(score=0, terms=(), eligible=1, excluded=(), policy="every_ai_reader")


def read_beside(
    state: Assignment, received: ReadBeside, moment: Moment
) -> Iterable[Event | Refused]:
    if not isinstance(state, Open | Unfillable | Offered | Assigned | Split):
        yield Refused("not_open", "Nobody reads the case now, so nobody reads beside.")
        return
    brief, reader = state.brief, received.reader
    question = brief.question(moment, ai=True)
    excluded = barred(question, Candidate(reader, received.load))
    known = reader.id in {one.reader for one in brief.beside}
    if excluded is not None or known or not brief.need.rules.ai_readers:
        says = excluded.says if excluded else "The contract, or an earlier answer, excludes it."
        yield Refused("not_eligible", says)
        return
    assignment = str(derived_id(received.case_id, "beside", reader.id))
    yield AssignmentOffered(
        case_id=received.case_id,
        assignment=assignment,
        reader=reader.id,
        role=BESIDE,
        expires_at=moment.owed_at,
        explanation=EVERY,
    )
    yield AssignmentAccepted(
        case_id=received.case_id,
        partner=brief.need.partner,
        assignment=assignment,
        reader=reader.id,
        role=BESIDE,
        due_at=moment.owed_at,
    )


def opined(state: Assignment, received: AiOpinionRecorded, _moment: Moment) -> Iterable[Event]:
    """Note that it is done, and has room for another case. Nothing else depends on it."""
    brief = brief_of(state)
    for one in brief.beside if brief else ():
        if one.assignment == received.assignment and one.standing == "assigned":
            yield own.BesideRead(case_id=received.case_id, assignment=one.assignment)


def beside_lost(state: Assignment, received: ReaderWentOffline) -> Iterable[Event]:
    """Take the case from software that may not read it any more."""
    brief = brief_of(state)
    for one in brief.beside if brief is not None and brief.need.part is None else ():
        if one.reader == received.reader and one.standing == "assigned":
            yield AssignmentRevoked(
                case_id=received.case_id,
                assignment=one.assignment,
                reader=one.reader,
                reason=received.reason,
            )


def wanted(
    cases: Iterable[Waiting], roster: Mapping[ReaderId, Reader], loads: Mapping[ReaderId, int]
) -> Iterator[ReadBeside]:
    """Propose all software for every case whose contract lets it read; the decider asks the rules.

    A case that was proposed to it in vain is proposed again: software that was busy may be free.
    """
    software = [one for one in roster.values() if one.kind == "ai" and one.active]
    for case in cases if software else ():
        if case.need.rules.ai_readers:
            for one in software:
                load = loads.get(one.id, 0)
                if one.id not in case.beside and load < one.capacity:
                    yield ReadBeside(case_id=CaseId(case.need.case_id), reader=one, load=load)
