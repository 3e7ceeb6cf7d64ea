"""When may a reader let a third one decide? After comparing, before signing, and once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.reporting.domain.access import held
from services.reporting.domain.evolve import ASKED
from services.reporting.domain.inputs import RequestAdjudication
from services.reporting.domain.on_signing import ALREADY_FINAL, NOT_REVEALED
from services.reporting.domain.state import Comparing, Signed, State
from shared.contracts.base import Event
from shared.contracts.reporting import AdjudicationRequested
from shared.decider import Refused

DECIDES: Final = Refused("adjudicator_decides", "An adjudicator's decision is final: sign it.")


def on_adjudication(
    state: State, asked: RequestAdjudication, now: datetime
) -> Sequence[Event | Refused]:
    if was_asked(state, asked.reader):
        return []
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if isinstance(mine, Signed):
        return [ALREADY_FINAL]
    if not isinstance(mine, Comparing):
        return [NOT_REVEALED]
    if mine.assignment.role == "adjudicator" or was_adjudicated(state):
        return [DECIDES]
    requested = AdjudicationRequested(
        case_id=asked.case_id,
        partner=mine.assignment.partner,
        assignment=mine.assignment.assignment,
        reader=asked.reader,
        why=asked.why,
        at=now,
    )
    return [requested]


def was_asked(state: State, reader: str) -> bool:
    """Tell whether this reader has asked for it."""
    each = state.material.set_aside
    return any(one.assignment.reader == reader and one.reason == ASKED for one in each)


def was_adjudicated(state: State) -> bool:
    """Tell whether this is the second round already, whoever reads which part of it."""
    return any(one.reason == ASKED for one in state.material.set_aside)
