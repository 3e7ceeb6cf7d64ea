"""How long do we wait, and what do we do when nothing came? Ask, and ask again: never silence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.intake.domain.completeness import missing
from services.intake.domain.events import ReminderPlanned, StudyFellQuiet
from services.intake.domain.state import (
    ArrivedStudy,
    AwaitingInformation,
    Collecting,
    File,
    State,
    arrived,
)
from shared.contracts.base import CaseId, DeadlineReached, Event
from shared.contracts.intake import InformationOverdue, InformationRequested
from shared.decider import Deadline

LONGEST_PAUSE: Final = 8  # reminders come after 1, 2, 4, then every 8 times `remind_after`


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited: for what is missing, between reminders, for a study to be complete."""

    collect: timedelta = timedelta(hours=24)
    remind_after: timedelta = timedelta(hours=24)
    quiet: timedelta = timedelta(seconds=10)


def deadlines(state: State) -> tuple[Deadline, ...]:
    match state:
        case Collecting():
            return (Deadline("collection", state.collect_until), *_quiet_deadline(state.file))
        case AwaitingInformation(remind_at=datetime() as remind_at):
            return (Deadline("reminder", remind_at), *_quiet_deadline(state.file))
        case _:
            return ()


def reach_deadline(
    patience: Patience, state: State, reached: DeadlineReached, at: datetime
) -> Sequence[Event]:
    match reached.kind, state:
        case "quiet", Collecting() | AwaitingInformation():
            waiting = [one for one in _counting_on_quiet(state.file) if one.quiet_at <= at]
            return [StudyFellQuiet(case_id=reached.case_id, study=one.study) for one in waiting]
        case "collection", Collecting() if at >= state.collect_until:
            return _ask(patience, state, reached.case_id, at)
        case "reminder", AwaitingInformation(remind_at=datetime() as due) if at >= due:
            return _ask(patience, state, reached.case_id, at)
        case _:
            return []


def _ask(
    patience: Patience, state: Collecting | AwaitingInformation, case_id: CaseId, at: datetime
) -> Sequence[Event]:
    """Ask for what is missing; ask again, more and more rarely, but for ever."""
    partner, items = state.file.request.partner, missing(state.file)
    if isinstance(state, Collecting):
        asked: Event = InformationRequested(case_id=case_id, partner=partner, items=items)
        pause = 1
    else:
        number = state.reminders + 1
        asked = InformationOverdue(case_id=case_id, partner=partner, items=items, reminder=number)
        pause = min(2**number, LONGEST_PAUSE)
    remind_at = at + patience.remind_after * pause
    return [asked, ReminderPlanned(case_id=case_id, remind_at=remind_at)]


def _quiet_deadline(file: File) -> tuple[Deadline, ...]:
    due = [one.quiet_at for one in _counting_on_quiet(file)]
    return (Deadline("quiet", min(due)),) if due else ()


def _counting_on_quiet(file: File) -> list[ArrivedStudy]:
    """Give the studies whose number of instances nobody announced, while they still come."""
    unnumbered = [one for one in file.request.studies if one.instances is None]
    return [s for one in unnumbered for s in arrived(file, one) if not s.quiet]
