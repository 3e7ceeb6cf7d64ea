"""Who reads? A radiologist with licences, skills, shifts and a capacity (FHIR PractitionerRole)."""

from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from services.matching.domain.told import Modality, Told, Word
from shared.contracts.base import OpaqueId, ReaderId

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
EVERY_DAY = WEEKDAYS


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _known_zone(name: str) -> str:
    try:
        _zone(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("an IANA time zone is wanted, such as Europe/Berlin") from None
    return name


def _wall_time(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("a wall-clock time without offset is wanted; time_zone says where")
    return moment


class Licence(Told):
    """A licence to practise where the patient is. Valid through the day `expires_on`."""

    jurisdiction: OpaqueId
    expires_on: date


class Shift(Told):
    """When a reader reads, by the wall clock of their time zone.

    `days` are those on which the shift begins. An end at or before the start is on the next day;
    start and end alike are a whole day.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = EVERY_DAY
    start: Annotated[time, AfterValidator(_wall_time)]
    end: Annotated[time, AfterValidator(_wall_time)]

    def covers(self, local: datetime) -> bool:
        """Tell whether a wall-clock moment (naive) lies in this shift."""
        return any(self._began(local, local.date() - timedelta(days=back)) for back in (0, 1))

    def _began(self, local: datetime, day: date) -> bool:
        if WEEKDAYS[day.weekday()] not in self.days:
            return False
        start = datetime.combine(day, self.start)
        overnight = timedelta(days=1) if self.end <= self.start else timedelta(0)
        return start <= local < datetime.combine(day, self.end) + overnight


class Reader(Told):
    """A reader as the roster has them.

    `identifiers` are the professional ids (NPI, the partner's own) under which a first report may
    name the same person. `capacity` is how many cases they hold at once, offers included.
    """

    id: ReaderId
    kind: Literal["human", "ai"] = "human"
    active: bool = True
    identifiers: tuple[OpaqueId, ...] = ()
    groups: tuple[OpaqueId, ...] = ()
    subspecialties: Annotated[tuple[Word, ...], Field(min_length=1)]
    fellowships: tuple[Word, ...] = ()
    modalities: Annotated[tuple[Modality, ...], Field(min_length=1)]
    licences: tuple[Licence, ...]
    languages: Annotated[tuple[OpaqueId, ...], Field(min_length=1)] = ("en",)
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    shifts: tuple[Shift, ...]
    capacity: Annotated[int, Field(ge=0, le=1000)]

    def local(self, now: datetime) -> datetime:
        """Give the wall clock where the reader is (naive)."""
        return now.astimezone(_zone(self.time_zone)).replace(tzinfo=None)

    def on_shift(self, now: datetime) -> bool:
        local = self.local(now)
        return any(shift.covers(local) for shift in self.shifts)

    def licensed(self, jurisdiction: str, now: datetime) -> bool:
        """Tell whether a licence is valid there on the day of reading, where the reader reads."""
        day = self.local(now).date()
        return any(
            one.jurisdiction == jurisdiction and one.expires_on >= day for one in self.licences
        )
