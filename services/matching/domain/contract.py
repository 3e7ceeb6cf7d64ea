"""What did we promise a partner? Hours by service level, a budget per stage, and who is alarmed.

All of it is data. The five levels are the glossary's; the default hours those of the Wait Time
Alliance's priorities (emergent 1 h, urgent 12, expedited 24, routine 96).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from services.matching.domain.office import Board, OfficeHours
from services.matching.domain.stages import USUAL, CaseStage, after
from services.matching.domain.told import Rules, Told, Word
from shared.contracts.base import PartnerId, ServiceLevel
from shared.contracts.matching import StageBudget, Widening

# A year is no service level, and keeps every sum far from what a date can hold.
_YEAR = timedelta(days=366)
Duration = Annotated[timedelta, Field(gt=timedelta(0), le=_YEAR)]


class Budgets(Told):
    """How long each stage may take. ISO 8601 durations in YAML and JSON (`PT30M`).

    `adjudicate`: until a third reader is found and has decided; as long as `match` and `read` if
    it is left out.
    """

    deid: Duration
    match: Duration
    read: Duration
    adjudicate: Duration | None = None
    deliver: Duration

    def of(self, stage: CaseStage) -> timedelta:
        budget: timedelta | None = getattr(self, stage)
        return self.match + self.read if budget is None else budget

    def after(self, stage: CaseStage) -> timedelta:
        """Give what the stages after this one may take together, without an adjudication."""
        return sum(map(self.of, after(stage)), timedelta(0))

    def published(self) -> tuple[StageBudget, ...]:
        """Give the budgets of the stages of every case."""
        return tuple(StageBudget(stage=stage, budget=self.of(stage)) for stage in USUAL)


class Rung(Told):
    """A step of escalation: after `fraction` of a stage's budget, or of the whole time.

    With `stage` the fraction is of that stage's budget; without, of the time to the deadline.
    `widen` is whom a case is offered to in rounds besides, from then on, if it waits for a reader:
    one more at once (`offers`), those beyond its subspecialty (`field`), those who are on call.
    """

    rung: Annotated[int, Field(ge=1, le=9)]
    fraction: Annotated[float, Field(gt=0, le=1)]
    stage: CaseStage | None = None
    role: Word
    channels: Annotated[tuple[Word, ...], Field(min_length=1)]
    widen: tuple[Widening, ...] = ("offers",)


# Where a contract names no lease. A night at home is no silence of a routine case's reader.
LEASE_SHARE: Final = 0.4

DEFAULT_RUNGS: Final = (
    Rung(rung=1, fraction=0.5, stage="match", role="coordinator", channels=("board",)),
    Rung(rung=2, fraction=0.8, role="supervisor", channels=("board", "mail")),
)


class Terms(Told):
    """What one service level means to one partner.

    `offer_window` is how long a reader may think; `offers_at_once` how many are asked together,
    of whom the first to accept gets the case. `lease`: who is silent for longer, a reader's app or
    software that reads beside, loses an accepted case; None: a part of the read budget, see
    `silence`. In `business` time every duration runs in the hours of
    `office` only. Where tumour boards meet, the next meeting is the deadline.
    """

    time: Literal["calendar", "business"] = "calendar"
    office: OfficeHours | None = None
    boards: tuple[Board, ...] = ()
    target: Duration
    budgets: Budgets
    offer_window: Duration
    offers_at_once: Annotated[int, Field(ge=1, le=50)] = 1
    lease: Duration | None = None
    rungs: tuple[Rung, ...] = DEFAULT_RUNGS

    @model_validator(mode="after")
    def _fits(self) -> Self:
        first, *_ = USUAL
        needed = self.budgets.of(first) + self.budgets.after(first)
        if needed > self.target:
            raise ValueError(f"the budgets take {needed}, longer than the target {self.target}")
        if self.office is not None and self.time == "calendar":
            raise ValueError("office hours mean nothing to a level in calendar time")
        numbers = [one.rung for one in self.rungs]
        if numbers != sorted(set(numbers)):
            raise ValueError("the rungs must be numbered upwards, each number once")
        return self

    @property
    def silence(self) -> timedelta:
        """Give the lease: nobody holds a case for ever."""
        return self.lease or self.budgets.read * LEASE_SHARE

    def widens(self, rung: int) -> tuple[Widening, ...]:
        """Give whom a rung lets be asked besides; a contract that changed may have lost it."""
        found = (one.widen for one in self.rungs if one.rung == rung)
        return next(found, Rung.model_fields["widen"].default)

    def later(self, start: datetime, span: timedelta) -> datetime:
        """Give the moment at which this much of the clock's time has gone by since the start."""
        return start + span if self.office is None else self.office.later(start, span)

    def earlier(self, end: datetime, span: timedelta) -> datetime:
        """Give the moment from which this much of the clock's time goes by until the end."""
        return end - span if self.office is None else self.office.earlier(end, span)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Give how much of the clock's time lies between two moments."""
        return end - start if self.office is None else self.office.between(start, end)


class Contract(Told):
    """A partner's service levels. A level that is left out has the default terms.

    `office` holds for every level in business time that names no hours of its own.
    """

    partner: PartnerId
    rules: Rules = Rules()
    office: OfficeHours | None = None
    levels: Mapping[ServiceLevel, Terms] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hours_known(self) -> Self:
        for level, terms in self.levels.items():
            if terms.time == "business" and terms.office is None and self.office is None:
                raise ValueError(f"{level} runs in business time, but no office hours are given")
        return self

    def terms(self, level: ServiceLevel) -> Terms:
        found = self.levels.get(level, DEFAULT[level])
        if found.time == "business" and found.office is None:
            return found.model_copy(update={"office": self.office})
        return found


class Contracts(Told):
    """Every contract in force. A partner without one has the default: no case is without clock."""

    by_partner: Mapping[PartnerId, Contract] = Field(default_factory=dict)

    def rules(self, partner: PartnerId) -> Rules:
        contract = self.by_partner.get(partner)
        return Rules() if contract is None else contract.rules

    def terms(self, partner: PartnerId, level: ServiceLevel) -> Terms:
        contract = self.by_partner.get(partner)
        return DEFAULT[level] if contract is None else contract.terms(level)


def _minutes(target: int, budgets: tuple[int, int, int, int], window: int, lease: int) -> Terms:
    deid, match, read, deliver = (timedelta(minutes=one) for one in budgets)
    return Terms(
        target=timedelta(minutes=target),
        budgets=Budgets(deid=deid, match=match, read=read, deliver=deliver),
        offer_window=timedelta(minutes=window),
        lease=timedelta(minutes=lease),
    )


# The budgets leave a tenth or more of the target as slack, so that one late stage is a warning
# and not yet a breach. A tumour board's meeting is the procedure's date, which caps the clock.
DEFAULT: Final[Mapping[ServiceLevel, Terms]] = {
    "emergent": _minutes(60, (5, 10, 30, 5), window=3, lease=5),
    "urgent": _minutes(12 * 60, (30, 120, 8 * 60, 15), window=15, lease=30),
    "expedited": _minutes(24 * 60, (60, 240, 16 * 60, 30), window=30, lease=4 * 60),
    "routine": _minutes(96 * 60, (240, 24 * 60, 56 * 60, 120), window=60, lease=24 * 60),
    "tumour_board": _minutes(72 * 60, (240, 16 * 60, 44 * 60, 60), window=60, lease=20 * 60),
}
