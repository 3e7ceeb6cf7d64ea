"""What does the second reader say, and is it different? The door to reporting's rules.

CaseAccepted, CaseDeidentified            what the case is about, what may be read
AssignmentAccepted, Released, Revoked     who reads it; CaseSplit: in which parts
StartReading .. RevealFirstReport         the blind opinion           -> on_reading.py
CompareClaims .. AddAddendum              the comparison, the report  -> on_signing.py
RequestAdjudication                       a third reader decides      -> on_adjudication.py
AiOpinionReceived                         software reads beside      -> beside.py
CaseCancelled, AssignmentClosed           no report will come of it
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.reporting.domain.beside import on_opinion
from services.reporting.domain.evolve import evolve
from services.reporting.domain.inputs import (
    AddAddendum,
    AiOpinionReceived,
    CompareClaims,
    FinalizeReport,
    LockOpinion,
    RequestAdjudication,
    RevealFirstReport,
    SaveDraft,
    StartReading,
)
from services.reporting.domain.on_adjudication import on_adjudication
from services.reporting.domain.on_case import (
    on_accepted,
    on_assigned,
    on_deidentified,
    on_split,
    on_unassigned,
    on_withdrawn,
)
from services.reporting.domain.on_reading import on_draft, on_lock, on_reveal, on_start
from services.reporting.domain.on_signing import on_addendum, on_compare, on_finalize
from services.reporting.domain.state import State, Unknown
from shared.contracts.base import Event, Frozen
from shared.contracts.deid import CaseDeidentified
from shared.contracts.intake import CaseAccepted, CaseCancelled
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentReleased,
    AssignmentRevoked,
    CaseSplit,
)
from shared.decider import Decider, Refused

Rule = Callable[[State, Any, datetime], Sequence[Event | Refused]]

RULES: Mapping[type[Frozen], Rule] = {
    CaseAccepted: on_accepted,
    CaseDeidentified: on_deidentified,
    CaseSplit: on_split,
    AssignmentAccepted: on_assigned,
    AssignmentReleased: on_unassigned,
    AssignmentRevoked: on_unassigned,
    StartReading: on_start,
    SaveDraft: on_draft,
    LockOpinion: on_lock,
    RevealFirstReport: on_reveal,
    CompareClaims: on_compare,
    FinalizeReport: on_finalize,
    RequestAdjudication: on_adjudication,
    AiOpinionReceived: on_opinion,
    AddAddendum: on_addendum,
    CaseCancelled: on_withdrawn,
    AssignmentClosed: on_withdrawn,
}


def decide(state: State, received: Frozen, now: datetime) -> Sequence[Event | Refused]:
    """Answer any input in any state; what is none of reporting's business decides nothing."""
    rule = RULES.get(type(received))
    return [] if rule is None else rule(state, received, now)


REPORTING: Decider[State, Frozen, Event] = Decider(Unknown(), decide, evolve)
