"""The contract's rules, conflicts, the calendar and fatigue; and an oracle for all of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.author import author_of
from services.matching.domain.columns import Columns
from services.matching.domain.crowd import tied
from services.matching.domain.eligibility import (
    CONSTRAINTS,
    Candidate,
    Earlier,
    Question,
    Work,
    barred,
)
from services.matching.domain.inputs import OfferCase
from services.matching.domain.need import Need, need_of
from services.matching.domain.need import supplemented as with_late
from services.matching.domain.plan import Round
from services.matching.domain.reader import Caps, Credential, Licence, Period, Privilege, Reader
from services.matching.domain.told import Rules
from shared.contracts.intake import FirstRead
from tests.unit.matching import oracle
from tests.unit.matching.cases import NOON, accepted, at, reader, shift, supplemented
from tests.unit.matching.test_plan import waits

TODAY = date(2026, 11, 2)
YESTERDAY, TOMORROW = date(2026, 11, 1), date(2026, 11, 3)


def need(rules: Rules | None = None, **changes: Any) -> Need:
    return need_of(accepted(**changes), rules or Rules())


def excluded(who: Reader, case: Need, **rest: Any) -> str | None:
    earlier = rest.pop("earlier", ())
    now = rest.pop("now", NOON)
    by = barred(Question(case, frozenset(), now, earlier), Candidate(who, 0, **rest))
    return by.name if by else None


STAFF, GRANTED = Rules(excludes_own_staff=True), Rules(needs_privileges=True)
BOARD = Rules(credentials=("board",))


@pytest.mark.parametrize(
    ("who", "case", "name"),
    [
        (reader(body_regions=("CHEST",)), need(), "body_region"),
        (reader(body_regions=("HAND", "CHEST")), need(), None),
        (reader(body_regions=("HAND",)), need(body_regions=("HAND", "CHEST")), "body_region"),
        (reader(body_regions=("CHEST",)), need(body_regions=("UNKNOWN",)), None),
        (reader(credentials=(Credential(code="board", expires_on=TODAY),)), need(BOARD), None),
        (
            reader(credentials=(Credential(code="board", expires_on=YESTERDAY),)),
            need(BOARD),
            "credentials",
        ),
        (
            reader(credentials=(Credential(code="cover", expires_on=YESTERDAY),)),
            need(),
            "credentials",
        ),
        (reader(), need(BOARD), "credentials"),
        (reader(), need(GRANTED), "privileges"),
        (
            reader(privileges=(Privilege(partner="st-elsewhere", expires_on=TODAY),)),
            need(GRANTED),
            None,
        ),
        (
            reader(privileges=(Privilege(partner="st-elsewhere", expires_on=YESTERDAY),)),
            need(GRANTED),
            "privileges",
        ),
        (
            reader(privileges=(Privilege(partner="other", expires_on=TOMORROW),)),
            need(GRANTED),
            "privileges",
        ),
        (reader(), need(language="es"), "language"),
        (reader(), need(language="en-US"), None),
        (reader(languages=("es-MX",)), need(language="es"), None),
        (reader(), need(Rules(translates_reports=True), language="es"), None),
        (reader(staff_of=("st-elsewhere",)), need(STAFF), "own_staff"),
        (reader(staff_of=("st-elsewhere",)), need(), None),
        (reader(staff_of=("other",)), need(STAFF), None),
        (reader(conflicts=("st-elsewhere",)), need(), "conflict"),
        (reader(conflicts=("valley",)), need(), "conflict"),
        (reader(conflicts=("npi:1111",)), need(), "conflict"),
        (reader(conflicts=("somebody",)), need(), None),
    ],
)
def test_the_rules_of_contract_and_conflict(who: Reader, case: Need, name: str | None) -> None:
    assert excluded(who, case) == name


@pytest.mark.parametrize(
    ("earlier", "name"),
    [
        ((Earlier(reader="dr-osei"),), "earlier_reader"),
        ((Earlier(reader="dr-lund", groups=("boston",)),), "earlier_reader"),
        ((Earlier(reader="dr-lund", groups=("oslo",)), Earlier(reader="dr-x")), None),
    ],
)
def test_who_adjudicates_differs_from_both_and_from_their_groups(
    earlier: tuple[Earlier, ...], name: str | None
) -> None:
    assert excluded(reader(), need(), earlier=earlier) == name


FIRST = reader("dr-first", identifiers=("npi:1", "e-1"), groups=("east", "north"))
AGAIN = reader("dr-first-2", identifiers=("npi:1",), groups=("west",))


@pytest.mark.parametrize(
    ("who", "named", "name"),
    [
        (reader(groups=("east",)), "npi:1", "first_group"),
        (reader(groups=("north",)), "dr-first", "first_group"),
        (reader(groups=("west",)), "npi:1", "first_group"),
        (reader(groups=("west",)), "e-1", None),
        (reader(groups=("east",)), "npi:2", None),
        (reader(groups=("east",)), None, None),
        (reader(identifiers=("e-1",)), "npi:1", "first_reader"),
        (reader(conflicts=("dr-first",)), "npi:1", "conflict"),
        (reader(conflicts=("npi:1",)), "dr-first", "conflict"),
        (reader(conflicts=("north",)), "e-1", "conflict"),
        (reader(conflicts=("dr-first",)), "npi:2", None),
    ],
)
def test_the_first_reader_is_whom_the_roster_knows_by_that_name(
    who: Reader, named: str | None, name: str | None
) -> None:
    case = need(first_read=FirstRead(status="present", reader=named))
    roster = [who, FIRST, AGAIN]

    by = barred(
        Question(case, frozenset(), NOON, author=author_of(case, roster)), Candidate(who, 0)
    )

    assert (by.name if by else None) == name
    columns = Columns(tuple(roster))
    assert columns.author(case) == author_of(case, roster)
    excluded = {n for _, rows in tied(Question(case, frozenset(), NOON), columns) for n in rows}
    assert (0 in excluded) == (name is not None)


def test_who_is_away_is_not_asked() -> None:
    assert excluded(reader(), need(), away=True) == "available"


def test_the_calendar_adds_duty_and_takes_leave_out() -> None:
    duty = Period(begins_at=at(hours=-1), ends_at=at(hours=1))
    leave = Period(begins_at=at(hours=-1), ends_at=at(hours=1), kind="busy")
    call = Period(begins_at=at(hours=-1), ends_at=at(hours=1), kind="on_call")

    assert excluded(reader(shifts=(), calendar=(duty,)), need()) is None
    assert excluded(reader(shifts=(), calendar=(duty,)), need(), now=at(hours=1)) == "on_shift"
    assert excluded(reader(calendar=(leave,)), need()) == "on_shift"
    assert excluded(reader(calendar=(leave,)), need(), now=at(hours=1)) is None
    assert excluded(reader(shifts=(), calendar=(call,)), need()) == "on_shift"
    assert reader(calendar=(call,)).on_call_at(NOON)
    assert not reader(calendar=(call, leave)).on_call_at(NOON)


@pytest.mark.parametrize(
    ("now", "began"),
    [
        # The clocks go forward on 14 March 2027: the night shift of 22:00 to 06:00 has 7 hours.
        (datetime(2027, 3, 14, 9, 59, tzinfo=UTC), datetime(2027, 3, 14, 3, 0, tzinfo=UTC)),
        # They go back on 7 November 2027: that night has 9 hours.
        (datetime(2027, 11, 7, 10, 59, tzinfo=UTC), datetime(2027, 11, 7, 2, 0, tzinfo=UTC)),
    ],
)
def test_a_night_with_a_change_of_the_clocks_counts_real_hours(
    now: datetime, began: datetime
) -> None:
    who = reader(shifts=(shift("22:00", "06:00"),))

    assert who.shift_began(now) == began


def test_late_images_may_need_another_skill_and_region() -> None:
    study = supplemented("MR").studies[0].model_copy(update={"body_region": "WRIST"})
    late = supplemented("MR").model_copy(update={"studies": (study,)})

    after = with_late(need(), late)

    assert after.modalities == ("DX", "MR")
    assert after.body_regions == ("HAND", "WRIST")
    assert with_late(need(), supplemented("MR", prior=True)) == need()


CODES = st.sampled_from(("st-elsewhere", "valley", "boston", "npi:1111", "dr-a"))
FEW = st.lists(CODES, max_size=2).map(tuple)
DAYS = st.sampled_from((YESTERDAY, TODAY, TOMORROW))
PERIODS = st.builds(
    lambda start, hours, kind: Period(
        begins_at=at(hours=start), ends_at=at(hours=start + hours), kind=kind
    ),
    st.integers(-50, 30),
    st.sampled_from((1, 4, 8, 14, 40)),
    st.sampled_from(("duty", "on_call", "busy")),
)
READERS = st.builds(
    reader,
    st.sampled_from(("dr-a", "dr-b", "dr-c")),
    active=st.sampled_from((True, True, False)),
    kind=st.sampled_from(("human", "human", "ai")),
    identifiers=FEW,
    groups=FEW,
    staff_of=st.lists(st.sampled_from(("st-elsewhere", "other")), max_size=1).map(tuple),
    conflicts=st.lists(CODES, max_size=1).map(tuple),
    subspecialties=st.lists(
        st.sampled_from(("musculoskeletal", "chest", "pediatric", "obstetric")), min_size=1
    ).map(tuple),
    fellowships=st.lists(st.sampled_from(("musculoskeletal", "chest")), max_size=2).map(tuple),
    modalities=st.lists(st.sampled_from(("DX", "CT")), min_size=1).map(tuple),
    body_regions=st.lists(st.sampled_from(("HAND", "CHEST")), max_size=2).map(tuple),
    licences=st.lists(
        st.builds(Licence, jurisdiction=st.sampled_from(("US-MA", "US-VT")), expires_on=DAYS),
        max_size=3,
    ).map(tuple),
    credentials=st.lists(
        st.builds(Credential, code=st.sampled_from(("board", "cover")), expires_on=DAYS), max_size=2
    ).map(tuple),
    privileges=st.lists(
        st.builds(Privilege, partner=st.sampled_from(("st-elsewhere", "other")), expires_on=DAYS),
        max_size=2,
    ).map(tuple),
    languages=st.lists(st.sampled_from(("en", "es", "es-MX")), min_size=1).map(tuple),
    time_zone=st.sampled_from(("America/New_York", "Australia/Sydney", "UTC")),
    shifts=st.sampled_from(
        (
            (),
            (shift(),),
            (shift("08:00", "16:00"),),
            (shift("22:00", "06:00"),),
            (shift("08:00", "16:00"), shift("16:00", "00:00", "sun", "tue")),
        )
    ),
    calendar=st.lists(PERIODS, max_size=3).map(tuple),
    capacity=st.integers(0, 3),
    caps=st.builds(
        Caps,
        hours=st.sampled_from((None, 2.0, 8.0)),
        cases=st.sampled_from((None, 1, 3)),
        rvu=st.sampled_from((None, 0.3, 2.0)),
    ),
)
NEEDS = st.builds(
    lambda rules, first, group, **fields: need_of(
        accepted(first_read=FirstRead(status="present", reader=first, group=group), **fields), rules
    ),
    st.builds(
        Rules,
        excludes_own_staff=st.booleans(),
        needs_privileges=st.booleans(),
        credentials=st.sampled_from(((), ("board",))),
        translates_reports=st.booleans(),
    ),
    st.none() | CODES,
    st.none() | CODES,
    reason_for_review=st.sampled_from(
        ("cancer", "pediatric", "pregnancy_fetal", "not_read_by_subspecialist")
    ),
    modalities=st.sampled_from((("DX",), ("CT", "DX"))),
    body_regions=st.sampled_from((("HAND",), ("UNKNOWN",), ("HAND", "CHEST"))),
    subspecialty=st.sampled_from(("general", "musculoskeletal", "chest")),
    age_band=st.sampled_from(("12-17", "18-29", "unknown")),
    language=st.sampled_from(("en", "es", "en-US")),
)
MOMENTS = st.integers(0, 48).map(lambda hours: NOON + timedelta(hours=hours))
EARLIER = st.lists(
    st.builds(Earlier, reader=st.sampled_from(("dr-a", "dr-z")), groups=FEW), max_size=2
).map(tuple)
WORK = st.builds(Work, cases=st.integers(0, 4), rvu=st.sampled_from((0.0, 0.2, 1.9)))


QUESTIONS = st.builds(
    Question,
    NEEDS,
    st.sampled_from((frozenset(), frozenset({"dr-a"}))),
    MOMENTS,
    EARLIER,
)
CANDIDATES = st.builds(Candidate, READERS, st.integers(0, 3), WORK, st.booleans())


@settings(max_examples=1000, deadline=None)
@given(QUESTIONS, CANDIDATES, st.lists(READERS, max_size=2), st.booleans())
def test_the_rules_agree_with_the_oracle(
    question: Question, candidate: Candidate, others: list[Reader], paged: bool
) -> None:
    roster = [candidate.reader, *others]
    question = replace(question, author=author_of(question.need, roster), paged=paged)

    faults = {one.name for one in CONSTRAINTS if not one.rule(question, candidate)}

    assert faults == oracle.faults(question, candidate, roster)


@settings(max_examples=200, deadline=None)
@given(st.lists(READERS, max_size=3, unique_by=lambda one: one.id), NEEDS, MOMENTS, EARLIER, WORK)
def test_a_round_asks_exactly_whom_the_oracle_would(
    readers: list[Reader], case: Need, now: datetime, earlier: tuple[Earlier, ...], work: Work
) -> None:
    roster = {one.id: one for one in readers}
    done = dict.fromkeys(roster, work)
    plan = Round(roster, {}, now, work=done).plan([waits(need=case, earlier=earlier, room=5)])

    asked = {one.reader.id for one in plan if isinstance(one, OfferCase)}

    question = Question(case, frozenset(), now, earlier)
    each = [Candidate(one, 0, work) for one in readers]
    able = {one.reader.id for one in each if not oracle.faults(question, one, readers)}
    assert asked == able
