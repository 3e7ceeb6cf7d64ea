"""Who may read, said a second time: slowly, without sharing a line with the rules."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.matching.domain.eligibility import Candidate, Question
from services.matching.domain.need import Need
from services.matching.domain.reader import Reader

WORK = {"DX": 0.22, "CT": 1.4, "MR": 1.8}


def faults(question: Question, candidate: Candidate) -> set[str]:
    """Give the names of all constraints that exclude the reader."""
    need, reader = question.need, candidate.reader
    day = question.now.astimezone(ZoneInfo(reader.time_zone)).date()
    found = skills(need, reader) | papers(need, reader, day.toordinal()) | ties(question, reader)
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


def ties(question: Question, reader: Reader) -> set[str]:
    need, found = question.need, set()
    if need.first_reader == reader.id or need.first_reader in reader.identifiers:
        found.add("first_reader")
    if need.first_group in reader.groups:
        found.add("first_group")
    if need.rules.excludes_own_staff and need.partner in reader.staff_of:
        found.add("own_staff")
    for one in reader.conflicts:
        if one in (need.partner, need.first_reader, need.first_group):
            found.add("conflict")
    for earlier in question.earlier:
        if earlier.reader == reader.id or [g for g in earlier.groups if g in reader.groups]:
            found.add("earlier_reader")
    return found


def moment(question: Question, candidate: Candidate) -> set[str]:
    reader, found = candidate.reader, set()
    began = _shift(reader, question.now)
    if began is None:
        found.add("on_shift")
    elif reader.caps.hours and question.now - began >= timedelta(hours=reader.caps.hours):
        found.add("fatigue_hours")
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


def _shift(reader: Reader, now: datetime) -> datetime | None:
    """Walk through the days around now, and see which shift holds the moment."""
    zone = ZoneInfo(reader.time_zone)
    today = now.astimezone(zone).date()
    starts = []
    for one in reader.shifts:
        for day in (today - timedelta(days=1), today):
            start = datetime.combine(day, one.start, zone)
            end_day = day if one.end > one.start else day + timedelta(days=1)
            if start <= now < datetime.combine(end_day, one.end, zone):
                starts.append(start)
    return min(starts, default=None)
