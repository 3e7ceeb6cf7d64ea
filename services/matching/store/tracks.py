"""What has each reader done here? Counted as it happens, in the transaction in which it does."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.matching.domain.forecast import Pace
from services.matching.domain.need import need_of_part
from services.matching.domain.reader import Reader
from services.matching.domain.state import Closed, Matching
from services.matching.domain.track import Track
from services.matching.store import watch
from shared.contracts.base import Event, ReaderId
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentOffered,
    OfferDeclined,
    OfferExpired,
)
from shared.runtime.handle import Change
from shared.runtime.postgres import Db

# Add to the counts. In one order, so that two who count the same readers never wait in a circle.
COUNT = """
    INSERT INTO tallies (name, what, count)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ORDER BY 1, 2
    ON CONFLICT (name, what) DO UPDATE SET count = tallies.count + excluded.count
"""
ALL = "SELECT name, what, count FROM tallies"
# The work that readers took and kept, of a day and of a week.
LATELY = """
    SELECT reader, coalesce(sum(rvu), 0)::float8 AS week,
           coalesce(sum(rvu) FILTER (WHERE accepted_at > $2), 0)::float8 AS day
    FROM assignments WHERE accepted_at > $1 AND standing IN ('assigned', 'done') GROUP BY reader
"""
# Who has read another case of the same patient. OFFSET 0 keeps the planner from turning the look-up
# by patient into a join over the whole table, as it does before the table has statistics.
SEEN_BY = """
    WITH asked AS MATERIALIZED (
        SELECT case_id, partner, patient FROM cases
        WHERE case_id = ANY($1::uuid[]) AND patient IS NOT NULL)
    SELECT DISTINCT asked.case_id, seen.reader FROM asked CROSS JOIN LATERAL (
        SELECT reader FROM cases AS other
        JOIN assignments ON assignments.case_id = other.case_id AND assignments.standing = 'done'
        WHERE other.partner = asked.partner AND other.patient = asked.patient
            AND other.case_id <> asked.case_id
        OFFSET 0) AS seen
"""
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)


async def count(db: Db, changes: Sequence[Change[Matching]]) -> None:
    """Count what happened to readers in these changes."""
    tally = Counter(one for change in changes for one in _counted(change))
    if tally:
        names, what = zip(*tally, strict=True)
        await db.execute(COUNT, names, what, list(tally.values()))


def _counted(change: Change[Matching]) -> Iterator[tuple[str, str]]:
    """Give each count. Who asked for a case was not asked: that says nothing of their answers."""
    events = [one.event for one in change.recorded]
    made = {one.assignment for one in events if isinstance(one, AssignmentOffered)}
    for event in events:
        if getattr(event, "assignment", None) not in made:
            yield from _of(change.state, event)


def _of(state: Matching, event: Event) -> Iterator[tuple[str, str]]:
    match event:
        case AssignmentAccepted():
            yield event.reader, "asked"
            yield event.reader, "accepted"
        case OfferDeclined() | OfferExpired():
            yield event.reader, "asked"
        case AssignmentClosed(reason="read") if isinstance(state.assignment, Closed):
            yield from _read(state.assignment)
        case _:
            return


def _read(closed: Closed) -> Iterator[tuple[str, str]]:
    need = closed.brief.need
    for one in (one for one in closed.brief.asked if one.standing == "done"):
        theirs = need_of_part(need, one.regions) if one.regions else need
        yield one.reader, f"reason:{need.reason_for_review}"
        for modality in theirs.modalities:
            yield one.reader, f"read:{modality}"
    if closed.radpeer is not None and need.first_reader is not None:
        yield need.first_reader, f"radpeer:{closed.radpeer}"


async def tracks(db: Db, known: Iterable[Reader], now: datetime) -> dict[ReaderId, Track]:
    """Give the track record of everybody on the roster."""
    counts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in await db.fetch(ALL):
        counts[row["name"]][row["what"]] = row["count"]
    lately = {row["reader"]: row for row in await db.fetch(LATELY, now - WEEK, now - DAY)}
    paces = await watch.paces(db, now)
    mean = sum(row["week"] for row in lately.values()) / max(1, len(lately))
    return {
        one.id: Track(
            **_counts(counts, one),
            **(_paced(paces[one.id]) if one.id in paces else {}),
            **_work(lately.get(one.id), mean),
        )
        for one in known
    }


def _paced(pace: Pace) -> dict[str, float]:
    return {"speed": pace.speed, "rvu_read": pace.rvu, "hours_read": pace.hours}


def _counts(counts: Mapping[str, Mapping[str, int]], reader: Reader) -> dict[str, Any]:
    mine = counts.get(reader.id, {})
    reviewed = Counter[str]()
    for name in {reader.id, *reader.identifiers}:
        reviewed.update(_named(counts.get(name, {}), "radpeer:"))
    return {
        "read": _named(mine, "read:"),
        "reasons": _named(mine, "reason:"),
        "asked": mine.get("asked", 0),
        "accepted": mine.get("accepted", 0),
        "reviewed": dict(reviewed),
    }


def _named(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {what.removeprefix(prefix): n for what, n in counts.items() if what.startswith(prefix)}


def _work(row: Any, mean: float) -> dict[str, float]:
    """Give what was taken; whoever took nothing in a week in which others did has no share."""
    if not mean:
        return {}
    return {"day_rvu": row["day"], "week": row["week"] / mean} if row else {"week": 0.0}


async def seen_by(db: Db, cases: Sequence[UUID]) -> dict[UUID, frozenset[ReaderId]]:
    """Give who has read the patient of each case before."""
    found: defaultdict[UUID, set[ReaderId]] = defaultdict(set)
    for row in await db.fetch(SEEN_BY, cases):
        found[row["case_id"]].add(row["reader"])
    return {case_id: frozenset(readers) for case_id, readers in found.items()}
