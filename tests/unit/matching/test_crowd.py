"""The rules over a whole roster give what they give reader by reader, whatever the world."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.matching.domain.columns import Columns
from services.matching.domain.crowd import EXCLUDES, FREE, LETS, Crowd, barriers, tied
from services.matching.domain.eligibility import CONSTRAINTS, Candidate, Question, Work, barred
from services.matching.domain.reader import Caps, Period, Reader
from services.matching.domain.staff import Staff
from services.matching.domain.stint import at_work_since, overdue
from services.matching.domain.timetable import OFF, micros
from tests.unit.matching.cases import NOON, at, reader, shift
from tests.unit.matching.test_rules import CANDIDATES, QUESTIONS

# Each reader once, as busy as they happen to be.
CROWDS = st.lists(CANDIDATES, max_size=6).map(
    lambda each: [
        replace(one, reader=one.reader.model_copy(update={"id": f"dr-{'abcdef'[n]}"}))
        for n, one in enumerate(each)
    ]
)
FLAGS = st.booleans()


def crowd_of(candidates: list[Candidate], now: datetime) -> Crowd:
    loads = {one.reader.id: one.load for one in candidates}
    work = {one.reader.id: one.work for one in candidates}
    away = {one.reader.id for one in candidates if one.away}
    columns = Columns(tuple(one.reader for one in candidates))
    return Crowd.of(columns, now).busy(loads, work, away)


def test_every_constraint_has_its_rule_over_all_readers() -> None:
    assert [one.name for one in CONSTRAINTS if one.name in LETS or one.name in EXCLUDES] == [
        one.name for one in CONSTRAINTS
    ]
    assert not LETS.keys() & EXCLUDES.keys()


@settings(max_examples=600, deadline=None)
@given(QUESTIONS, CROWDS, FLAGS, FLAGS)
def test_every_rule_says_of_all_what_it_says_of_each(
    question: Question,
    candidates: list[Candidate],
    broad: bool,
    paged: bool,
) -> None:
    asked = replace(question, broad=broad, paged=paged)
    crowd = crowd_of(candidates, asked.now)
    known = replace(asked, author=crowd.columns.author(asked.need))

    for one in CONSTRAINTS:
        each = [one.rule(known, candidate) for candidate in candidates]
        if one.name in LETS:
            found = LETS[one.name](asked, crowd).tolist()
        else:
            out = set(EXCLUDES[one.name](asked, crowd.columns).tolist())
            found = [n not in out for n in range(len(candidates))]
        assert found == each, one.name


@settings(max_examples=300, deadline=None)
@given(QUESTIONS, CROWDS)
def test_the_first_barrier_is_the_one_that_the_table_names(
    question: Question, candidates: list[Candidate]
) -> None:
    crowd = crowd_of(candidates, question.now)

    codes = np.minimum(*(barriers(question, crowd, scope) for scope in ("skill", "moment")))
    for place, rows in tied(question, crowd.columns):
        codes[rows] = np.minimum(codes[rows], place)

    named = [None if n == FREE else CONSTRAINTS[n] for n in codes]
    known = replace(question, author=crowd.columns.author(question.need))
    assert named == [barred(known, one) for one in candidates]


@settings(max_examples=200, deadline=None)
@given(st.lists(QUESTIONS, min_size=2, max_size=4), CROWDS)
def test_a_kind_of_case_is_asked_once_and_again_on_another_day(
    questions: list[Question], candidates: list[Candidate]
) -> None:
    staff = Staff({one.reader.id: one.reader for one in candidates})

    for one in questions:
        fresh = Staff(staff.roster).able(one.need, one.now)
        kept = staff.able(one.need, one.now)
        assert kept.right.tolist() == fresh.right.tolist()
        assert kept.broad.tolist() == fresh.broad.tolist()


PERIODS = st.lists(
    st.builds(
        lambda start, hours, kind: Period(
            begins_at=NOON + timedelta(hours=start),
            ends_at=NOON + timedelta(hours=start + hours),
            kind=kind,
        ),
        st.integers(-30, 30),
        st.integers(1, 20),
        st.sampled_from(("duty", "on_call", "busy")),
    ),
    max_size=4,
).map(tuple)
WALLS = st.sampled_from(("00:00", "01:30", "02:30", "08:00", "22:00", "23:59:59.999999"))
SHIFTS = st.lists(
    st.builds(
        lambda start, end, days: shift(start, end, *days),
        WALLS,
        WALLS,
        st.lists(st.sampled_from(("mon", "tue", "sat", "sun")), unique=True, max_size=3),
    ),
    max_size=3,
).map(tuple)
ON_DUTY = st.lists(
    st.builds(
        lambda shifts, calendar, zone, caps: reader(
            shifts=shifts, calendar=calendar, time_zone=zone, caps=caps
        ),
        SHIFTS,
        PERIODS,
        st.sampled_from(("America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu")),
        st.sampled_from((Caps(), Caps(hours=1), Caps(hours=7.5), Caps(hours=30), Caps(rvu=9))),
    ),
    max_size=5,
)
# Around the day on which New York's clocks go forward, that on which they go back, and any other.
TURNS = st.sampled_from(
    (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC), NOON)
)
MINUTES = st.integers(-30 * 60, 30 * 60)


@settings(max_examples=500, deadline=None)
@given(ON_DUTY, TURNS, MINUTES)
@example([reader(shifts=(shift("01:30", "05:00"),))], datetime(2026, 11, 1, 6, tzinfo=UTC), 35)
def test_the_timetable_is_that_of_each_reader(
    readers: list[Reader], turn: datetime, minutes: int
) -> None:
    now = turn + timedelta(minutes=minutes)
    table = Columns(tuple(readers)).timetable

    began = table.began(now)

    each = [one.shift_began(now) for one in readers]
    assert began.tolist() == [OFF if one is None else micros(one) for one in each]
    assert table.on_call(now).tolist() == [one.on_call_at(now) for one in readers]
    since = table.since(now, began)
    spans = [at_work_since(one, now) if one.caps != Caps() else None for one in readers]
    assert since.tolist() == [OFF if one is None else micros(one) for one in spans]
    assert table.overdue(now, since).tolist() == [overdue(one, now) for one in readers]
    assert table.days(now).tolist() == [one.day(now).toordinal() for one in readers]


def test_nobody_is_a_crowd_too() -> None:
    crowd = Crowd.of(Columns(()), at()).busy({"dr-gone": 3}, {"dr-gone": Work()}, {"dr-gone"})

    assert crowd.loads.tolist() == crowd.began.tolist() == []
