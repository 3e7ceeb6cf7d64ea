"""Who may read this case? One small rule per constraint; none is ever relaxed by time.

The table's order is that of the answer: a reader counts under the first constraint that excludes
them, so the lower a constraint stands, the closer its readers were to reading the case.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.matching.domain.need import GENERAL, OBSTETRIC, PEDIATRIC, Need
from services.matching.domain.reader import Reader
from shared.contracts.base import ReaderId

# What a rule looks at besides the reader. `skill`: what many cases share; `case`: what is this
# case's own; `moment`: the wall clock and the reader's load.
Scope = Literal["skill", "case", "moment"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reader and how many cases they hold now, offers included."""

    reader: Reader
    load: int


@dataclass(frozen=True, slots=True)
class Question:
    """May one read this case now? `refused`: those who were asked before and said no."""

    need: Need
    refused: frozenset[ReaderId]
    now: datetime


def on_roster(_question: Question, candidate: Candidate) -> bool:
    return candidate.reader.active


def human(_question: Question, candidate: Candidate) -> bool:
    """Software is never the only reader of a case."""
    return candidate.reader.kind == "human"


def modality(question: Question, candidate: Candidate) -> bool:
    return set(question.need.modalities) <= set(candidate.reader.modalities)


def subspecialty(question: Question, candidate: Candidate) -> bool:
    """What is general, any radiologist reads."""
    wanted = question.need.subspecialty
    return wanted == GENERAL or wanted in candidate.reader.subspecialties


def pediatric(question: Question, candidate: Candidate) -> bool:
    """Under 18, or where it is asked for, a paediatric radiologist reads."""
    return not question.need.pediatric or PEDIATRIC in candidate.reader.subspecialties


def obstetric(question: Question, candidate: Candidate) -> bool:
    return not question.need.obstetric or OBSTETRIC in candidate.reader.subspecialties


def fellowship(question: Question, candidate: Candidate) -> bool:
    wanted = question.need.fellowship
    return wanted is None or wanted in candidate.reader.fellowships


def licence(question: Question, candidate: Candidate) -> bool:
    return candidate.reader.licensed(question.need.jurisdiction, question.now)


def first_reader(question: Question, candidate: Candidate) -> bool:
    """Nobody reviews their own report."""
    reader = candidate.reader
    return question.need.first_reader not in (reader.id, *reader.identifiers)


def first_group(question: Question, candidate: Candidate) -> bool:
    """Nor that of somebody they work with."""
    group = question.need.first_group
    return group is None or group not in candidate.reader.groups


def asked_before(question: Question, candidate: Candidate) -> bool:
    return candidate.reader.id not in question.refused


def on_shift(question: Question, candidate: Candidate) -> bool:
    return candidate.reader.on_shift(question.now)


def capacity(_question: Question, candidate: Candidate) -> bool:
    return candidate.load < candidate.reader.capacity


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule with its name, as events and refusals say it, and a sentence for the refused."""

    rule: Callable[[Question, Candidate], bool]
    scope: Scope
    says: str

    @property
    def name(self) -> str:
        return self.rule.__name__


CONSTRAINTS: Final = (
    Constraint(on_roster, "skill", "The reader is not active on the roster."),
    Constraint(human, "skill", "A case needs a human reader."),
    Constraint(modality, "skill", "The reader does not read one of the case's modalities."),
    Constraint(subspecialty, "skill", "The case belongs to another subspecialty."),
    Constraint(pediatric, "skill", "The case needs a paediatric radiologist."),
    Constraint(obstetric, "skill", "The case needs obstetric expertise."),
    Constraint(fellowship, "skill", "The case needs a reader with a fellowship in its field."),
    Constraint(licence, "skill", "No licence is valid today where the patient is."),
    Constraint(first_reader, "case", "The reader made the first report."),
    Constraint(first_group, "case", "The reader's group made the first report."),
    Constraint(asked_before, "case", "The reader was asked before and did not take the case."),
    Constraint(on_shift, "moment", "The reader is not on shift."),
    Constraint(capacity, "moment", "The reader holds as many cases as their capacity allows."),
)
BY_SCOPE: Final = {
    scope: tuple(one for one in CONSTRAINTS if one.scope == scope)
    for scope in ("skill", "case", "moment")
}
# An accepted case is taken back only for these: an ended shift or a full list ends no reading.
NEVER_MAY: Final = tuple(one for one in CONSTRAINTS if one.rule in (on_roster, human, licence))


def barred(
    question: Question, candidate: Candidate, by: Iterable[Constraint] = CONSTRAINTS
) -> Constraint | None:
    """Give the first constraint that excludes the reader; None: they may read it."""
    return next((one for one in by if not one.rule(question, candidate)), None)
