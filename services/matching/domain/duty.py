"""When does a reader work, and how much at most? Shifts of the week, a calendar, and caps."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from services.matching.domain.told import Told
from shared.contracts.base import OpaqueId

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
EVERY_DAY = WEEKDAYS
# `busy` outranks both others: who is on leave is neither on shift nor on call.
PeriodKind = Literal["duty", "on_call", "busy"]


def wall_time(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("a wall-clock time without offset is wanted; time_zone says where")
    return moment


class Shift(Told):
    """When a reader reads, by the wall clock of their time zone.

    `days` are those on which the shift begins. An end at or before the start is on the next day;
    start and end alike are a whole day.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = EVERY_DAY
    start: Annotated[time, AfterValidator(wall_time)]
    end: Annotated[time, AfterValidator(wall_time)]

    def covers(self, local: datetime) -> bool:
        """Tell whether a wall-clock moment (naive) lies in this shift."""
        return self.began(local) is not None

    def began(self, local: datetime) -> datetime | None:
        """Give when (naive wall clock) the shift began that covers a moment; None: none does."""
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            if self._on(local, day):
                return datetime.combine(day, self.start)
        return None

    def _on(self, local: datetime, day: date) -> bool:
        if WEEKDAYS[day.weekday()] not in self.days:
            return False
        start = datetime.combine(day, self.start)
        overnight = timedelta(days=1) if self.end <= self.start else timedelta(0)
        return start <= local < datetime.combine(day, self.end) + overnight


class Period(Told):
    """A stretch of a reader's calendar (FHIR Slot): on duty, on call, or busy elsewhere.

    `source` names the calendar it was imported from, so that the next import replaces it.
    """

    begins_at: AwareDatetime
    ends_at: AwareDatetime
    kind: PeriodKind = "duty"
    source: OpaqueId | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.ends_at <= self.begins_at:
            raise ValueError("a period must end after it begins")
        return self

    def covers(self, now: datetime) -> bool:
        return self.begins_at <= now < self.ends_at


class Caps(Told):
    """How much a reader may do in one stint, against fatigue (stint.py). None: no cap.

    `hours` since it began, cases accepted in it, and their work RVU (CMS Physician Fee Schedule,
    professional component).
    """

    hours: Annotated[float, Field(gt=0, le=48)] | None = None
    cases: Annotated[int, Field(ge=1, le=1000)] | None = None
    rvu: Annotated[float, Field(gt=0, le=1000)] | None = None

    def reached(self, cases: int) -> bool:
        """Tell whether as many cases were taken in this stint as may be."""
        return self.cases is not None and cases >= self.cases
