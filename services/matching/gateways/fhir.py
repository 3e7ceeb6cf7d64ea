"""What does a hospital's directory say of our readers? FHIR R4B, laid over the roster.

Of a Bundle these count: PractitionerRole (active, specialty, organization, availableTime,
notAvailable), the Practitioner it names (qualification with the place where it is valid, and
communication), and Schedules of either with their Slots (free: on duty, busy-unavailable: busy).
Whoever is not on the roster yet is told back: FHIR has no word for a reader's modalities and
capacity.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhir.resources.R4B.bundle import Bundle

from services.matching.domain.reader import Reader
from shared.contracts.base import ReaderId

NPI: Final = "http://hl7.org/fhir/sid/us-npi"
OURS: Final = "urn:overread:reader"
SPECIALTY: Final = "urn:overread:subspecialty"
NUCC: Final = "http://nucc.org/provider-taxonomy"
# Health Care Provider Taxonomy (NUCC), Radiology.
TAXONOMY: Final[Mapping[str, str]] = {
    "2085B0100X": "abdominal",
    "2085N0700X": "neuroradiology",
    "2085P0229X": "pediatric",
    "2085R0202X": "general",
    "2085R0204X": "interventional",
    "2085U0001X": "ultrasound",
    "2085N0904X": "nuclear",
}
# Da Vinci PDex Plan Net, Practitioner Qualification: whereValid.
QUALIFIED: Final = (
    "http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/practitioner-qualification"
)
SOURCE: Final = "fhir"
SLOTS: Final[Mapping[str, str]] = {"free": "duty", "busy-unavailable": "busy"}
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An entry of the Bundle that changed nobody, and why. `entry` counts from 0."""

    entry: int
    why: str


@dataclass(slots=True)
class Laid:
    """What the Bundle says of each reader, as fields of the roster's record."""

    changes: dict[ReaderId, dict[str, Any]] = field(default_factory=dict)
    entries: dict[ReaderId, int] = field(default_factory=dict)
    unmatched: list[Unmatched] = field(default_factory=list)


def laid_over(bundle: Any, roster: Mapping[ReaderId, Reader]) -> Laid:
    """Say what changes; the caller validates and writes it."""
    directory, laid = _Directory(bundle), Laid()
    known = {name: one.id for one in roster.values() for name in (one.id, *one.identifiers)}
    for number, role in directory.of("PractitionerRole"):
        person = directory.find(role.practitioner)
        names = [*_names(role.identifier), *_names(getattr(person, "identifier", None))]
        reader = next((known[name] for name in names if name in known), None)
        if reader is None:
            laid.unmatched.append(Unmatched(number, "no reader of the roster has its identifiers"))
            continue
        changes = laid.changes.setdefault(reader, {})
        laid.entries.setdefault(reader, number)
        changes.update(_of_role(role, roster[reader]) | _of_person(person))
        periods = [*_absences(role, roster[reader]), *directory.slots(role, person)]
        if periods or role.notAvailable is not None:
            others = [one.model_dump() for one in roster[reader].calendar if one.source != SOURCE]
            changes["calendar"] = [*others, *periods]
    return laid


def parsed(body: bytes) -> Any:
    """Give the Bundle; raises pydantic's ValidationError."""
    return Bundle.model_validate_json(body)


class _Directory:
    """A Bundle's resources, found by reference."""

    def __init__(self, bundle: Any) -> None:
        self.entries = [
            (number, one.fullUrl, one.resource)
            for number, one in enumerate(bundle.entry or ())
            if one.resource is not None
        ]

    def of(self, kind: str) -> Iterator[tuple[int, Any]]:
        for number, _, resource in self.entries:
            if resource.get_resource_type() == kind:
                yield number, resource

    def find(self, reference: Any) -> Any:
        where = getattr(reference, "reference", None)
        for _, url, resource in self.entries:
            if where and where in (url, self._place(resource)):
                return resource
        return None

    def slots(self, *actors: Any) -> Iterator[dict[str, Any]]:
        """Give the periods of the schedules of a role or its person."""
        mine = [one for one in actors if one is not None]
        for _, slot in self.of("Slot"):
            schedule = self.find(slot.schedule)
            held = [self.find(one) for one in getattr(schedule, "actor", None) or ()]
            kind = SLOTS.get(slot.status)
            if kind and any(one is actor for one in held for actor in mine):
                yield _period(slot.start, slot.end, kind)

    @staticmethod
    def _place(resource: Any) -> str:
        return f"{resource.get_resource_type()}/{resource.id}"


def _names(identifiers: Iterable[Any] | None) -> Iterator[str]:
    for one in identifiers or ():
        if one.value:
            yield f"npi:{one.value}" if one.system == NPI else one.value


def _of_role(role: Any, reader: Reader) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if role.active is not None:
        changes["active"] = role.active
    if fields := list(dict.fromkeys(_specialties(role))):
        changes["subspecialties"] = fields
    group = getattr(getattr(role.organization, "identifier", None), "value", None)
    if group:
        changes["groups"] = list(dict.fromkeys((*reader.groups, group)))
    if role.availableTime is not None:
        changes["shifts"] = [_shift(one) for one in role.availableTime]
    return changes


def _specialties(role: Any) -> Iterator[str]:
    for concept in role.specialty or ():
        for one in concept.coding or ():
            if one.system == SPECIALTY and one.code:
                yield one.code
            elif one.system == NUCC and one.code in TAXONOMY:
                yield TAXONOMY[one.code]


def _shift(available: Any) -> dict[str, Any]:
    start, end = available.availableStartTime, available.availableEndTime
    if available.allDay or start is None or end is None:
        start = end = time(0)
    days = {"days": available.daysOfWeek} if available.daysOfWeek else {}
    return {"start": start, "end": end} | days


def _of_person(person: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    licences = list(_licences(person))
    if licences:
        changes["licences"] = licences
    spoken = [
        one.code
        for concept in getattr(person, "communication", None) or ()
        for one in concept.coding or ()
        if one.code
    ]
    if spoken:
        changes["languages"] = spoken
    return changes


def _licences(person: Any) -> Iterator[dict[str, Any]]:
    for one in getattr(person, "qualification", None) or ():
        ends = getattr(one.period, "end", None)
        for outer in one.extension or ():
            inner = (outer.extension or ()) if outer.url == QUALIFIED else ()
            for valid in (each for each in inner if each.url == "whereValid"):
                for coding in getattr(valid.valueCodeableConcept, "coding", None) or ():
                    if ends is not None and coding.code:
                        yield {"jurisdiction": coding.code, "expires_on": _day(ends)}


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _absences(role: Any, reader: Reader) -> Iterator[dict[str, Any]]:
    place = ZoneInfo(reader.time_zone)
    for one in role.notAvailable or ():
        if one.during is None or one.during.start is None or one.during.end is None:
            continue
        begins, ends = one.during.start, one.during.end
        # A period that ends on a date includes that day (FHIR, Period.end).
        last = ends if isinstance(ends, datetime) else ends + DAY
        yield _period(_instant(begins, place), _instant(last, place), "busy")


def _instant(moment: date | datetime, place: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(0))
    return (moment if moment.tzinfo else moment.replace(tzinfo=place)).astimezone(UTC)


def _period(begins: datetime, ends: datetime, kind: str) -> dict[str, Any]:
    return {"begins_at": begins, "ends_at": ends, "kind": kind, "source": SOURCE}
