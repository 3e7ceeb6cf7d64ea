"""Who may read this case? One small rule per constraint; none is ever relaxed by time.

The table's order is that of the answer: a reader counts under the first constraint that excludes
them, so the lower a constraint stands, the closer its readers were to reading the case.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.matching.domain.author import UNKNOWN, Author
from services.matching.domain.need import GENERAL, OBSTETRIC, PEDIATRIC, Need
from services.matching.domain.reader import Reader
from services.matching.domain.stint import overdue
from services.matching.domain.track import UNTRIED, Track
from shared.contracts.base import Frozen, OpaqueId, ReaderId

# What a rule looks at besides the reader. `skill`: what many cases share; `case`: what is this
# case's own; `moment`: the wall clock and the reader's load.
Scope = Literal["skill", "case", "moment"]


class Work(Frozen):
    """What a reader accepted in their stint (stint.py): how many cases, and their work RVU."""

    cases: int = 0
    rvu: float = 0.0


RESTED: Final = Work()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reader and how many cases they hold now, offers included.

    `away`: they said so, or their app fell silent. `track` excludes nobody.
    """

    reader: Reader
    load: int
    work: Work = RESTED
    away: bool = False
    track: Track = UNTRIED


class Earlier(Frozen):
    """Somebody who read this case before, with their groups at that time."""

    reader: ReaderId
    groups: tuple[OpaqueId, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """May one read this case now?

    `refused`: those who were asked before and said no. `earlier`: those who have read it.
    `author`: how the roster knows who made the first report, besides what the case says.
    `broad`: the pool has broadened beyond the case's subspecialty; `paged`: the reader is called
    while they are on call. No other rule gives way to either. `ai`: software is looked for that
    reads beside.
    """

    need: Need
    refused: frozenset[ReaderId]
    now: datetime
    earlier: tuple[Earlier, ...] = ()
    broad: bool = False
    paged: bool = False
    ai: bool = False
    author: Author = UNKNOWN

    @property
    def first_names(self) -> frozenset[str]:
        """Give all names of who made the first report."""
        named = self.need.first_reader
        return frozenset(self.author.names if named is None else (*self.author.names, named))

    @property
    def first_groups(self) -> frozenset[str]:
        """Give all groups that they are in."""
        named = self.need.first_group
        return frozenset(self.author.groups if named is None else (*self.author.groups, named))


def on_roster(_question: Question, candidate: Candidate) -> bool:
    return candidate.reader.active


def human(question: Question, candidate: Candidate) -> bool:
    """Software is never the only reader of a case."""
    return candidate.reader.kind == ("ai" if question.ai else "human")


def modality(question: Question, candidate: Candidate) -> bool:
    return set(question.need.modalities) <= set(candidate.reader.modalities)


def body_region(question: Question, candidate: Candidate) -> bool:
    """A region that intake could not name excludes nobody."""
    regions = candidate.reader.body_regions
    return not regions or question.need.regions <= set(regions)


def subspecialty(question: Question, candidate: Candidate) -> bool:
    """What is general, or may be read by a broader pool, any radiologist reads."""
    wanted = question.need.subspecialty
    anybody = wanted == GENERAL or question.broad
    return anybody or wanted in candidate.reader.subspecialties


def beyond(need: Need, reader: Reader) -> bool:
    """Tell whether the case belongs to a subspecialty that is none of the reader's."""
    return need.subspecialty not in (GENERAL, *reader.subspecialties)


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


def credentials(question: Question, candidate: Candidate) -> bool:
    """Nothing on record has run out, and what the contract asks for is there."""
    day, held = candidate.reader.day(question.now), candidate.reader.credentials
    valid = {one.code for one in held if one.expires_on >= day}
    return valid >= {one.code for one in held} | set(question.need.rules.credentials)


def privileges(question: Question, candidate: Candidate) -> bool:
    """Where the contract asks for it, the partner has granted leave, and it has not run out."""
    if not question.need.rules.needs_privileges:
        return True
    day, partner = candidate.reader.day(question.now), question.need.partner
    return any(
        one.partner == partner and one.expires_on >= day for one in candidate.reader.privileges
    )


def language(question: Question, candidate: Candidate) -> bool:
    """The report is written in the language that the case asks for."""
    wanted = question.need.report_language
    return wanted is None or wanted in {one.partition("-")[0] for one in candidate.reader.languages}


def own_staff(question: Question, candidate: Candidate) -> bool:
    """Where the contract says so, nobody reviews for their employer."""
    need = question.need
    return not need.rules.excludes_own_staff or need.partner not in candidate.reader.staff_of


def first_reader(question: Question, candidate: Candidate) -> bool:
    """Nobody reviews their own report."""
    reader = candidate.reader
    return question.first_names.isdisjoint((reader.id, *reader.identifiers))


def first_group(question: Question, candidate: Candidate) -> bool:
    """Nor that of somebody they work with."""
    return question.first_groups.isdisjoint(candidate.reader.groups)


def earlier_reader(question: Question, candidate: Candidate) -> bool:
    """Who decides between readings made none of them, nor did their group (adjudication)."""
    reader = candidate.reader
    return not any(
        one.reader == reader.id or set(one.groups) & set(reader.groups) for one in question.earlier
    )


def conflict(question: Question, candidate: Candidate) -> bool:
    """Nobody reads where they declared a conflict of interest."""
    parties = {question.need.partner, *question.first_names, *question.first_groups}
    return parties.isdisjoint(candidate.reader.conflicts)


def asked_before(question: Question, candidate: Candidate) -> bool:
    return candidate.reader.id not in question.refused


def on_shift(question: Question, candidate: Candidate) -> bool:
    reader = candidate.reader
    return reader.on_shift(question.now) or (question.paged and reader.on_call_at(question.now))


def available(_question: Question, candidate: Candidate) -> bool:
    return not candidate.away


def fatigue_hours(question: Question, candidate: Candidate) -> bool:
    return not overdue(candidate.reader, question.now)


def fatigue_cases(_question: Question, candidate: Candidate) -> bool:
    return not candidate.reader.caps.reached(candidate.work.cases)


def fatigue_rvu(question: Question, candidate: Candidate) -> bool:
    """Tell whether this case would still fit under the cap; a shift's first always does."""
    cap, done = candidate.reader.caps.rvu, candidate.work.rvu
    return cap is None or done == 0 or done + question.need.rvu <= cap


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
    Constraint(body_region, "skill", "The reader does not read one of the case's body regions."),
    Constraint(subspecialty, "skill", "The case belongs to another subspecialty."),
    Constraint(pediatric, "skill", "The case needs a paediatric radiologist."),
    Constraint(obstetric, "skill", "The case needs obstetric expertise."),
    Constraint(fellowship, "skill", "The case needs a reader with a fellowship in its field."),
    Constraint(licence, "skill", "No licence is valid today where the patient is."),
    Constraint(credentials, "skill", "A credential of the reader's is missing or has run out."),
    Constraint(privileges, "skill", "The partner has granted no privileges valid today."),
    Constraint(language, "skill", "The reader does not write the report's language."),
    Constraint(own_staff, "case", "The submitting partner employs the reader."),
    Constraint(first_reader, "case", "The reader made the first report."),
    Constraint(first_group, "case", "The reader's group made the first report."),
    Constraint(earlier_reader, "case", "The reader, or their group, has read this case before."),
    Constraint(conflict, "case", "The reader declared a conflict of interest."),
    Constraint(asked_before, "case", "The reader was asked before and did not take the case."),
    Constraint(on_shift, "moment", "The reader is not on shift."),
    Constraint(available, "moment", "The reader is away, or their app fell silent."),
    Constraint(fatigue_hours, "moment", "The reader has been at work as long as they may."),
    Constraint(fatigue_cases, "moment", "The reader took as many cases in this shift as they may."),
    Constraint(fatigue_rvu, "moment", "The reader's work in this shift reaches its cap of RVU."),
    Constraint(capacity, "moment", "The reader holds as many cases as their capacity allows."),
)
BY_SCOPE: Final = {
    scope: tuple(one for one in CONSTRAINTS if one.scope == scope)
    for scope in ("skill", "case", "moment")
}
# An accepted case is taken back only for these. An ended shift, a full list or tiredness ends no
# reading, and neither does an earlier no.
NEVER_MAY: Final = tuple(
    one for one in CONSTRAINTS if one.scope != "moment" and one.rule is not asked_before
)


def barred(
    question: Question, candidate: Candidate, by: Iterable[Constraint] = CONSTRAINTS
) -> Constraint | None:
    """Give the first constraint that excludes the reader; None: they may read it."""
    return next((one for one in by if not one.rule(question, candidate)), None)
