"""Which decisions of a case are kept, and by what were they made? Every one of them."""

from collections.abc import Iterable, Iterator
from typing import Any

from services.matching.domain import events as own
from services.matching.domain.beside import BESIDE
from services.matching.domain.inputs import ReaderWentOffline, TakeBack
from services.matching.domain.reasons import Reasons
from services.matching.domain.why import Because, Considered, Decision
from shared.contracts.base import Event
from shared.contracts.matching import (
    AssignmentOffered,
    AssignmentRevoked,
    CaseSplit,
    NoEligibleReader,
    OfferWithdrawn,
)
from shared.decider import Refused


def decided(received: Any, answers: Iterable[Event | Refused]) -> Iterator[Event]:
    """Keep why: with each offer, each time that nobody fits, and each case that is taken back."""
    for one in answers:
        decision = _decision(received, one)
        if decision is not None:
            yield own.Decided(case_id=received.case_id, decision=decision)


def _decision(received: Any, one: Event | Refused) -> Decision | None:
    match one:
        case AssignmentOffered():
            return _offered(received, one)
        case NoEligibleReader():
            considered = _considered(received)
            return Decision(considered=considered, why=one.why) if considered else None
        case CaseSplit():
            parts = tuple(part.regions for part in one.parts)
            by = "optimiser" if one.why == "nobody_reads_all" else "contract"
            return Decision(because=Because(what="split", by=by, reason=one.why, parts=parts))
        case AssignmentRevoked() | OfferWithdrawn():
            because = _taken(received, one)
            if because is None:
                return None
            return Decision(because=because, assignment=one.assignment, reader=one.reader)
        case _:
            return None


def _offered(received: Any, one: AssignmentOffered) -> Decision | None:
    said = {"assignment": one.assignment, "reader": one.reader, "explanation": one.explanation}
    if isinstance(received, TakeBack):
        by_hand = Because(what="reassigned", by=received.by, reason=received.reason)
        return Decision(because=by_hand, **said)
    if one.role == BESIDE:
        every = Because(what="read_beside", by="contract", reason=one.explanation.policy)
        return Decision(because=every, **said)
    considered = _considered(received)
    if considered is None:
        return None
    return Decision(considered=considered, chosen=getattr(received, "chosen", None), **said)


def _taken(received: Any, one: AssignmentRevoked | OfferWithdrawn) -> Because | None:
    """Say by whom a case was taken from who had it or was asked; None: not for its own sake."""
    match received:
        case TakeBack():
            return Because(what="taken_back", by=received.by, reason=one.reason)
        case ReaderWentOffline():
            return Because(what="recalled", by="rules", reason=one.reason)
        case _:
            return None


def _considered(received: Any) -> Considered | None:
    found: Considered | Reasons | None = getattr(received, "considered", None)
    return None if found is None else found.written()
