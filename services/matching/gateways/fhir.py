"""What does a hospital's directory say of our readers? FHIR R4B, laid over the roster.

Of a Bundle these count: PractitionerRole (active, specialty, organization, availableTime,
notAvailable), the Practitioner it names (qualification with the place where it is valid, and
communication), and Schedules of either with their Slots (free: on duty, busy-unavailable: busy).
Whoever is not on the roster yet is told back: FHIR has no word for a reader's modalities and
capacity. Who has several roles (one for each hospital) is what these say together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# Health Care Provider Taxonomy (NUCC), Radiology. Diagnostic radiology (2085R0202X) is everybody's:
# it says nothing of the fields that the roster knows, and replaces none.
TAXONOMY: Final[Mapping[str, str]] = {
    "2085B0100X": "abdominal",
    "2085N0700X": "neuroradiology",
    "2085P0229X": "pediatric",
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
    roles: dict[ReaderId, list[Any]] = {}
    for number, role in directory.of("PractitionerRole"):
        person = directory.find(role.practitioner)
        names = [*_names(role.identifier), *_names(getattr(person, "identifier", None))]
        reader = next((known[name] for name in names if name in known), None)
        if reader is None:
            laid.unmatched.append(Unmatched(number, "no reader of the roster has its identifiers"))
            continue
        laid.entries.setdefault(reader, number)
        roles.setdefault(reader, []).append(role)
    for name, each in roles.items():
        laid.changes[name] = _of_reader(directory, each, roster[name])
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


def _of_reader(directory: _Directory, roles: Sequence[Any], reader: Reader) -> dict[str, Any]:
    """Add up what a reader's roles say; those that are not active say no more than that."""
    active = [one for one in roles if one.active is not False]
    changes: dict[str, Any] = {}
    if any(one.active for one in active) or not active:
        changes["active"] = bool(active)
    if fields := list(dict.fromkeys(name for one in active for name in _specialties(one))):
        changes["subspecialties"] = fields
    groups = [name for one in active if (name := _organization(one))]
    if groups:
        changes["groups"] = list(dict.fromkeys((*reader.groups, *groups)))
    if any(one.availableTime is not None for one in active):
        shifts = [_shift(each) for one in active for each in one.availableTime or ()]
        changes["shifts"] = _each_once(shifts)
    people = [directory.find(one.practitioner) for one in roles]
    changes |= _of_people(people)
    return changes | _calendar(directory, active, people, reader)


def _organization(role: Any) -> str | None:
    name: str | None = getattr(getattr(role.organization, "identifier", None), "value", None)
    return name


def _calendar(
    directory: _Directory, active: Sequence[Any], people: Sequence[Any], reader: Reader
) -> dict[str, Any]:
    """Replace what the last import said of absences and duties, if this one says anything."""
    absences = [one for role in active for one in _absences(role, reader)]
    periods = _each_once([*absences, *directory.slots(*active, *people)])
    if not periods and all(one.notAvailable is None for one in active):
        return {}
    others = [one.model_dump() for one in reader.calendar if one.source != SOURCE]
    return {"calendar": [*others, *periods]}


def _each_once(each: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for one in each:
        if one not in kept:
            kept.append(one)
    return kept


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


def _of_people(people: Sequence[Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if licences := _each_once(one for person in people for one in _licences(person)):
        changes["licences"] = licences
    spoken = [
        one.code
        for person in people
        for concept in getattr(person, "communication", None) or ()
        for one in concept.coding or ()
        if one.code
    ]
    if spoken:
        changes["languages"] = list(dict.fromkeys(spoken))
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
