"""How does a blind opinion come to stand? Start, write, lock; only then open the first report."""

from collections.abc import Sequence
from datetime import datetime

from services.reporting.domain.access import held, is_blind, stale
from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import all_added
from services.reporting.domain.events import DraftSaved
from services.reporting.domain.inputs import (
    LockOpinion,
    RevealFirstReport,
    SaveDraft,
    StartReading,
)
from services.reporting.domain.lint import lint_draft, refused_by
from services.reporting.domain.state import (
    Assigned,
    Comparing,
    Locked,
    Reading,
    State,
)
from services.reporting.domain.verdict import outcomes
from shared.contracts.base import Event
from shared.contracts.reporting import (
    ClaimsCompared,
    FirstReportRevealed,
    OpinionLocked,
    ReadingStarted,
)
from shared.decider import Refused

# Their findings are used against or for somebody; a reader who knows the first read is no witness.
ALWAYS_BLIND = frozenset({"quality_assurance", "medicolegal"})
NOT_LAST = Refused("not_the_last", "Who locks the last region compares and signs for all.")
NOT_READY = Refused("case_not_ready", "The images are on their way; try again in a moment.")
NOT_STARTED = Refused("not_started", "Start reading first.")


def on_start(state: State, asked: StartReading, now: datetime) -> Sequence[Event | Refused]:
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if not isinstance(mine, Assigned):
        return []
    facts = mine.material.facts
    if facts is None or mine.material.images is None:
        return [NOT_READY]
    if facts.reason_for_review in ALWAYS_BLIND and not is_blind(mine, asked.reader):
        detail = "You have seen the first report; this case must be read by somebody who has not."
        return [Refused("not_blind", detail)]
    started = ReadingStarted(
        case_id=asked.case_id,
        assignment=mine.assignment.assignment,
        reader=asked.reader,
        at=now,
    )
    return [started]


def on_draft(state: State, asked: SaveDraft, now: datetime) -> Sequence[Event | Refused]:
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if isinstance(mine, Assigned):
        return [NOT_STARTED]
    if not isinstance(mine, Reading):
        return [Refused("already_locked", "The opinion is locked and can't change any more.")]
    if asked.opinion == mine.draft:
        return []
    if asked.revision != mine.revision:
        return [stale(mine.revision)]
    saved = DraftSaved(
        case_id=asked.case_id,
        reader=asked.reader,
        revision=mine.revision + 1,
        opinion=asked.opinion,
        at=now,
    )
    return [saved]


def on_lock(state: State, asked: LockOpinion, now: datetime) -> Sequence[Event | Refused]:
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if isinstance(mine, Assigned):
        return [NOT_STARTED]
    if not isinstance(mine, Reading):
        return []
    if asked.revision not in {None, mine.revision}:
        return [stale(mine.revision)]
    complaints = lint_draft(mine)
    if complaints:
        return [refused_by(complaints)]
    locked = OpinionLocked(
        case_id=asked.case_id,
        assignment=mine.assignment.assignment,
        reader=asked.reader,
        at=now,
        claims=len(mine.draft.claims),
        sha256=sha256(mine.draft),
    )
    return [locked]


def on_reveal(state: State, asked: RevealFirstReport, now: datetime) -> Sequence[Event | Refused]:
    """Open the first report; again where it came to light only after a first try."""
    mine = held(state, asked.reader)
    if isinstance(mine, Refused):
        return [mine]
    if isinstance(mine, Assigned | Reading):
        return [Refused("not_locked", "Lock the opinion first; the reading is blind.")]
    if mine is not state:
        return [NOT_LAST]
    available = mine.material.has_first_report()
    if not isinstance(mine, Locked):
        came_to_light = isinstance(mine, Comparing) and available and not mine.available
        if not came_to_light:
            return []
    revealed = FirstReportRevealed(
        case_id=asked.case_id, reader=asked.reader, at=now, available=available
    )
    opinion = mine.sealed.opinion
    if available and opinion.adequacy != "inadequate":
        return [revealed]
    against_nothing = outcomes(all_added(opinion.claims))
    return [revealed, ClaimsCompared(case_id=asked.case_id, outcomes=against_nothing)]
