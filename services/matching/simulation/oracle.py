"""Did anybody get a case who may not read it? Asked again, without the product's own rules.

Written from the words of the rules and from the world's facts alone: nothing here, nor in
oracle_hours.py, imports eligibility, author, stint, hours or staff, so a mistake there can't hide
itself.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from services.matching.domain.contract import Contract
from services.matching.domain.reader import Reader
from services.matching.simulation.oracle_hours import Hours
from services.matching.simulation.people import Folder
from services.matching.simulation.play import Play
from services.matching.simulation.world import World
from shared.contracts.intake import CaseAccepted

CHILD: Final = ("0-1", "2-5", "6-11", "12-17")
SOFTWARE_NEVER: Final = "no active human"


def broken(play: Play) -> list[str]:
    """Name every acceptance in the run that breaks a hard constraint."""
    found = [f"case {number}: {why}" for number, why in (*_twice(play), *_overfull(play))]
    hours, first = Hours(play), _First(play.world)
    for at, folder, number, paged in play.accepted:
        reader, case = play.world.readers[number], folder.arrival.accepted
        today = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(reader.time_zone)).date()
        contract = play.world.contracts.by_partner[case.partner]
        broad = (folder.number, number) in play.record.broadened
        faults = [
            *_lacks(case, reader, broad=broad),
            *_papers(case, reader, contract, today),
            *_tied(case, reader, contract, first),
            *_spoke(play, folder, number, at),
            *hours.faults(at, folder, number, paged=paged),
        ]
        found += [f"case {folder.number}, {reader.id}: {why}" for why in faults]
    return found


def _lacks(case: CaseAccepted, reader: Reader, *, broad: bool) -> Iterator[str]:
    fields, why = reader.subspecialties, case.reason_for_review
    if reader.kind != "human" or not reader.active:
        yield SOFTWARE_NEVER
    if any(one not in reader.modalities for one in case.modalities):
        yield "not their modality"
    if reader.body_regions and any(one not in reader.body_regions for one in case.body_regions):
        yield "not their body region"
    if not broad and case.subspecialty != "general" and case.subspecialty not in fields:
        yield "not their field, and the pool was not broadened"
    if case.age_band in CHILD and "pediatric" not in fields:
        yield "a child, and no paediatric radiologist"
    if why == "pregnancy_fetal" and "obstetric" not in fields:
        yield "a fetus, and no obstetric expertise"
    if why == "not_read_by_subspecialist" and case.subspecialty not in reader.fellowships:
        yield "no fellowship"


def _papers(case: CaseAccepted, reader: Reader, contract: Contract, today: date) -> Iterator[str]:
    rules = contract.rules
    if not [
        1
        for one in reader.licences
        if _valid(one.expires_on, today) and one.jurisdiction == case.jurisdiction
    ]:
        yield "no licence"
    in_force = {one.code for one in reader.credentials if _valid(one.expires_on, today)}
    if not {*rules.credentials, *(one.code for one in reader.credentials)} <= in_force:
        yield "a credential is missing or ran out"
    granted = {one.partner for one in reader.privileges if _valid(one.expires_on, today)}
    if rules.needs_privileges and case.partner not in granted:
        yield "no privileges"
    if not rules.translates_reports and case.language[:2] not in {
        one[:2] for one in reader.languages
    }:
        yield "not their language"


def _valid(last: date, today: date) -> bool:
    return last.toordinal() >= today.toordinal()


class _First:
    """Who made the first report, by all that the roster knows of them."""

    def __init__(self, world: World) -> None:
        self.named: defaultdict[str, list[Reader]] = defaultdict(list)
        for one in world.readers:
            for name in {one.id, *one.identifiers}:
                self.named[name].append(one)

    def of(self, case: CaseAccepted) -> tuple[set[str], set[str]]:
        known = self.named.get(case.first_read.reader or "", [])
        names = {case.first_read.reader or ""}.union(*({one.id, *one.identifiers} for one in known))
        groups = {case.first_read.group or ""}.union(*(set(one.groups) for one in known))
        return names - {""}, groups - {""}


def _tied(case: CaseAccepted, reader: Reader, contract: Contract, first: _First) -> Iterator[str]:
    names, groups = first.of(case)
    if names & {reader.id, *reader.identifiers}:
        yield "their own first report"
    if groups & {*reader.groups}:
        yield "their group's first report"
    if ({case.partner} | names | groups) & {*reader.conflicts}:
        yield "a conflict of interest"
    if contract.rules.excludes_own_staff and case.partner in reader.staff_of:
        yield "the partner's own staff"


def _spoke(play: Play, folder: Folder, number: int, at: float) -> Iterator[str]:
    """Look at what was said of this very case: a no, or a reading that they are to judge."""
    if play.record.declined.get((folder.number, number), at) < at:
        yield "they had said no"
    read = play.record.read.get(folder.number)
    if read is not None and at > read.at:
        reader, earlier = (play.world.readers[n] for n in (number, read.reader))
        if reader.id == earlier.id or {*reader.groups} & {*earlier.groups}:
            yield "decides on a reading of their own, or their group's"


def _twice(play: Play) -> Iterator[tuple[int, str]]:
    """Find readers who got a case again that they had before."""
    readers: defaultdict[int, list[int]] = defaultdict(list)
    for _, folder, number, _ in play.accepted:
        readers[folder.number].append(number)
    for number, each in readers.items():
        if len(each) != len(set(each)):
            yield number, "given twice to the same reader"


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
