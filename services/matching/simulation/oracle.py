"""Did anybody get a case who may not read it? Asked again, without the product's own rules.

Written from the words of the rules and from the world's facts alone: nothing here imports
eligibility, hours or staff, so a mistake there can't hide itself.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.matching.domain.reader import Reader
from services.matching.simulation.people import Folder
from services.matching.simulation.play import Play
from shared.contracts.intake import CaseAccepted

CHILD: Final = ("0-1", "2-5", "6-11", "12-17")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def broken(play: Play) -> list[str]:
    """Name every acceptance in the run that breaks a hard constraint."""
    found = [f"case {number}: {why}" for number, why in _twice(play)]
    for at, folder, number, paged in play.accepted:
        reader, case = play.world.readers[number], folder.arrival.accepted
        when = datetime.fromtimestamp(at, UTC)
        faults = [*_may_not(case, reader, when), *_not_there(reader, when, paged=paged)]
        found += [f"case {folder.number}, {reader.id}: {why}" for why in faults]
    return found


def _may_not(case: CaseAccepted, reader: Reader, when: datetime) -> Iterator[str]:
    today = when.astimezone(ZoneInfo(reader.time_zone)).date()
    valid = {one.jurisdiction for one in reader.licences if one.expires_on >= today}
    if reader.kind != "human" or not reader.active:
        yield "no active human"
    if case.jurisdiction not in valid:
        yield "no licence"
    if any(one not in reader.modalities for one in case.modalities):
        yield "not their modality"
    if case.first_read.reader in (reader.id, *reader.identifiers):
        yield "their own first report"
    if case.first_read.group is not None and case.first_read.group in reader.groups:
        yield "their group's first report"
    yield from _lacks(case, reader)


def _lacks(case: CaseAccepted, reader: Reader) -> Iterator[str]:
    fields, why = reader.subspecialties, case.reason_for_review
    if case.age_band in CHILD and "pediatric" not in fields:
        yield "a child, and no paediatric radiologist"
    if why == "pregnancy_fetal" and "obstetric" not in fields:
        yield "a fetus, and no obstetric expertise"
    if why == "not_read_by_subspecialist" and case.subspecialty not in reader.fellowships:
        yield "no fellowship"


def _not_there(reader: Reader, when: datetime, *, paged: bool) -> Iterator[str]:
    local = when.astimezone(ZoneInfo(reader.time_zone))
    if paged and any(one.begins_at <= when < one.ends_at for one in reader.calendar):
        return
    for shift in reader.shifts:
        length = (
            (shift.end.hour - shift.start.hour) % 24 * 60 + shift.end.minute - shift.start.minute
        )
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            minutes = back * 24 * 60 + local.hour * 60 + local.minute
            since = minutes - shift.start.hour * 60 - shift.start.minute
            if DAYS[day.weekday()] in shift.days and 0 <= since < (length % 1440 or 1440):
                return
    yield "not on shift" if not paged else "neither on shift nor on call"


def _twice(play: Play) -> Iterator[tuple[int, str]]:
    """Find readers who got a case again that they had before, and cases read by two."""
    readers: defaultdict[int, list[int]] = defaultdict(list)
    for _, folder, number, _ in play.accepted:
        readers[folder.number].append(number)
    for number, each in readers.items():
        if len(each) != len(set(each)):
            yield number, "given twice to the same reader"
    yield from _overfull(play)


def _overfull(play: Play) -> Iterator[tuple[int, str]]:
    """Count what each reader holds, from acceptance to the report, against their capacity."""
    turns: list[tuple[float, int, int, Folder]] = []
    for at, folder, number, _ in play.accepted:
        until = play.ended_after(folder, at)
        turns += [(at, 1, number, folder), (until, -1, number, folder)]
    held: defaultdict[int, int] = defaultdict(int)
    for _, step, number, folder in sorted(turns, key=lambda one: one[:3]):
        held[number] += step
        if held[number] > play.world.readers[number].capacity:
            yield folder.number, "over the reader's capacity"
