"""Who may read, said a second time: slowly, without sharing a line with the rules."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.matching.domain.eligibility import Candidate, Question
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader

NIGHT = timedelta(hours=11)
WORK = {"DX": 0.22, "CT": 1.4, "MR": 1.8}


def faults(question: Question, candidate: Candidate, roster: Iterable[Reader]) -> set[str]:
    """Give the names of all constraints that exclude the reader, who is on the roster."""
    need, reader = question.need, candidate.reader
    day = question.now.astimezone(ZoneInfo(reader.time_zone)).date()
    found = (
        skills(need, reader)
        | papers(need, reader, day.toordinal())
        | ties(question, reader, roster)
    )
    if reader.id in question.refused:
        found.add("asked_before")
    return found | moment(question, candidate)


def skills(need: Need, reader: Reader) -> set[str]:
    found = set()
    if not reader.active:
        found.add("on_roster")
    if reader.kind == "ai":
        found.add("human")
    if any(one not in reader.modalities for one in need.modalities):
        found.add("modality")
    for region in need.body_regions:
        if region != "UNKNOWN" and reader.body_regions and region not in reader.body_regions:
            found.add("body_region")
    if need.subspecialty not in (*reader.subspecialties, "general"):
        found.add("subspecialty")
    return found | training(need, reader)


def training(need: Need, reader: Reader) -> set[str]:
    found = set()
    child = need.age_band in ("0-1", "2-5", "6-11", "12-17")
    child = child or "pediatric" in (need.reason_for_review, need.subspecialty)
    if child and "pediatric" not in reader.subspecialties:
        found.add("pediatric")
    fetal = need.reason_for_review == "pregnancy_fetal" or need.subspecialty == "obstetric"
    if fetal and "obstetric" not in reader.subspecialties:
        found.add("obstetric")
    special = need.reason_for_review == "not_read_by_subspecialist"
    if special and need.subspecialty not in ("general", *reader.fellowships):
        found.add("fellowship")
    spoken = [one.split("-")[0] for one in reader.languages]
    if need.language.split("-")[0] not in spoken and not need.rules.translates_reports:
        found.add("language")
    return found


def papers(need: Need, reader: Reader, day: int) -> set[str]:
    found = set()
    if not [
        one
        for one in reader.licences
        if one.jurisdiction == need.jurisdiction and one.expires_on.toordinal() >= day
    ]:
        found.add("licence")
    last: dict[str, int] = {}
    for one in reader.credentials:
        last[one.code] = max(last.get(one.code, 0), one.expires_on.toordinal())
    if any(ends < day for ends in last.values()):
        found.add("credentials")
    if any(code not in last for code in need.rules.credentials):
        found.add("credentials")
    if need.rules.needs_privileges:
        ends = [p.expires_on.toordinal() for p in reader.privileges if p.partner == need.partner]
        if max(ends, default=0) < day:
            found.add("privileges")
    return found


def ties(question: Question, reader: Reader, roster: Iterable[Reader]) -> set[str]:
    need, found = question.need, set()
    names, groups = _first(need, roster)
    if reader.id in names or [name for name in reader.identifiers if name in names]:
        found.add("first_reader")
    if [name for name in reader.groups if name in groups]:
        found.add("first_group")
    if need.rules.excludes_own_staff and need.partner in reader.staff_of:
        found.add("own_staff")
    for party in reader.conflicts:
        if party == need.partner or party in names or party in groups:
            found.add("conflict")
    for earlier in question.earlier:
        if earlier.reader == reader.id or [g for g in earlier.groups if g in reader.groups]:
            found.add("earlier_reader")
    return found


def _first(need: Need, roster: Iterable[Reader]) -> tuple[set[str | None], set[str | None]]:
    """Give by what names and groups the case and the roster know who made the first report."""
    names, groups = {need.first_reader}, {need.first_group}
    for one in roster:
        if need.first_reader == one.id or need.first_reader in one.identifiers:
            names |= {one.id, *one.identifiers}
            groups |= {*one.groups}
    return names, groups


def moment(question: Question, candidate: Candidate) -> set[str]:
    reader, now, found = candidate.reader, question.now, set()
    busy, call = ([p for p in reader.calendar if p.kind == kind] for kind in ("busy", "on_call"))
    blocks = _rostered(reader, now)
    free = not [p for p in busy if p.begins_at <= now < p.ends_at]
    on = free and any(start <= now < end for start, end in blocks)
    called = free and not on and any(p.begins_at <= now < p.ends_at for p in call)
    if not on and not (called and question.paged):
        found.add("on_shift")
    if called:
        blocks += [(p.begins_at, p.ends_at) for p in call]
    rests = [p.ends_at for p in busy if p.ends_at <= now and p.ends_at - p.begins_at >= NIGHT]
    hours = (now - max([_walked(blocks, now), *rests])) / timedelta(hours=1)
    if reader.caps.hours and (on or called) and hours >= reader.caps.hours:
        found.add("fatigue_hours")
    return found | _full(question, candidate)


def _full(question: Question, candidate: Candidate) -> set[str]:
    reader, found = candidate.reader, set()
    if reader.caps.cases is not None and candidate.work.cases >= reader.caps.cases:
        found.add("fatigue_cases")
    more = sum(WORK[one] for one in question.need.modalities)
    cap = reader.caps.rvu
    if cap is not None and candidate.work.rvu > 0 and candidate.work.rvu + more > cap:
        found.add("fatigue_rvu")
    if candidate.away:
        found.add("available")
    if candidate.load >= reader.capacity:
        found.add("capacity")
    return found


def _rostered(reader: Reader, now: datetime) -> list[tuple[datetime, datetime]]:
    """Walk through the days around now, and write down what is rostered."""
    zone = ZoneInfo(reader.time_zone)
    today = now.astimezone(zone).date()
    found = [(p.begins_at, p.ends_at) for p in reader.calendar if p.kind == "duty"]
    for one in reader.shifts:
        for back in range(-1, 5):
            day = today - timedelta(days=back)
            if day.strftime("%a").lower() in one.days:
                end_day = day if one.end > one.start else day + timedelta(days=1)
                start, end = datetime.combine(day, one.start), datetime.combine(end_day, one.end)
                found.append((start.replace(tzinfo=zone), end.replace(tzinfo=zone)))
    return found


def _walked(blocks: list[tuple[datetime, datetime]], now: datetime) -> datetime:
    """Go back quarter of an hour by quarter of an hour, for as long as something is rostered."""
    moment = now
    while now - moment < timedelta(hours=48) and any(a < moment <= b for a, b in blocks):
        moment -= timedelta(minutes=15)
    return moment
