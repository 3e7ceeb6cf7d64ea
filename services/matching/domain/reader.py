"""Who reads? A radiologist with licences, skills, shifts and a capacity (FHIR PractitionerRole)."""

from datetime import date, datetime
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from services.matching.domain.duty import Caps, Period, PeriodKind, Shift
from services.matching.domain.told import Modality, Told, Word
from services.matching.domain.track import PeerReview
from shared.contracts.base import BodyRegion, OpaqueId, PartnerId, ReaderId

__all__ = ["Caps", "Credential", "Licence", "Period", "Privilege", "Reader", "Shift"]


@cache
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def known_zone(name: str) -> str:
    """Take the name of an IANA time zone, as it is."""
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("an IANA time zone is wanted, such as Europe/Berlin") from None
    return name


class Licence(Told):
    """A licence to practise where the patient is. Valid through the day `expires_on`."""

    jurisdiction: OpaqueId
    expires_on: date


class Credential(Told):
    """Something that must be in force to read: board certification, malpractice cover.

    `code` is the platform's word for it. Valid through the day `expires_on`.
    """

    code: Word
    expires_on: date


class Privilege(Told):
    """A partner's leave to read for it. Valid through the day `expires_on`."""

    partner: PartnerId
    expires_on: date


class Reader(Told):
    """A reader as the roster has them.

    `identifiers` are the professional ids (NPI, the partner's own) under which a first report may
    name the same person. `capacity` is how many cases they hold at once, offers included.
    `staff_of` are the partners that employ them; `conflicts` the partners, groups and first readers
    whose cases they declared they must not read. Without `body_regions` they read all.
    `peer_review` is what is known of their readings from elsewhere.
    """

    id: ReaderId
    kind: Literal["human", "ai"] = "human"
    active: bool = True
    identifiers: tuple[OpaqueId, ...] = ()
    groups: tuple[OpaqueId, ...] = ()
    staff_of: tuple[PartnerId, ...] = ()
    conflicts: tuple[OpaqueId, ...] = ()
    subspecialties: Annotated[tuple[Word, ...], Field(min_length=1)]
    fellowships: tuple[Word, ...] = ()
    modalities: Annotated[tuple[Modality, ...], Field(min_length=1)]
    body_regions: tuple[BodyRegion, ...] = ()
    licences: tuple[Licence, ...]
    credentials: tuple[Credential, ...] = ()
    privileges: tuple[Privilege, ...] = ()
    languages: Annotated[tuple[OpaqueId, ...], Field(min_length=1)] = ("en",)
    time_zone: Annotated[str, AfterValidator(known_zone)]
    shifts: tuple[Shift, ...]
    calendar: tuple[Period, ...] = ()
    capacity: Annotated[int, Field(ge=0, le=1000)]
    caps: Caps = Caps()
    peer_review: PeerReview = PeerReview()

    def local(self, now: datetime) -> datetime:
        """Give the wall clock where the reader is (naive)."""
        return now.astimezone(zone(self.time_zone)).replace(tzinfo=None)

    def on_shift(self, now: datetime) -> bool:
        return self.shift_began(now) is not None

    def on_call_at(self, now: datetime) -> bool:
        """Tell whether the calendar has them on call, to be paged."""
        return self._covered(now, "on_call") and not self._covered(now, "busy")

    def shift_began(self, now: datetime) -> datetime | None:
        """Give when the shift began that they are in now; None: they are in none.

        A shift of the week and a duty of the calendar count alike, the earlier where both run.
        """
        if self._covered(now, "busy"):
            return None
        duties = [one.begins_at for one in self.calendar if one.kind == "duty" and one.covers(now)]
        place, local = zone(self.time_zone), self.local(now)
        weekly = [began for one in self.shifts if (began := one.began(local))]
        # A wall-clock time that comes twice as the clocks go back: the shift began at the first.
        return min([*duties, *(one.replace(tzinfo=place, fold=0) for one in weekly)], default=None)

    def licensed(self, jurisdiction: str, now: datetime) -> bool:
        """Tell whether a licence is valid there on the day of reading, where the reader reads."""
        day = self.day(now)
        return any(
            one.jurisdiction == jurisdiction and one.expires_on >= day for one in self.licences
        )

    def day(self, now: datetime) -> date:
        """Give the day it is where the reader reads."""
        return self.local(now).date()

    def _covered(self, now: datetime, kind: PeriodKind) -> bool:
        return any(one.kind == kind and one.covers(now) for one in self.calendar)
