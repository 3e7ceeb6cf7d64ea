"""Cases in a group are asked once; the answer is each case's own, and is written down when used."""

from dataclasses import replace
from typing import NoReturn

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.crowd import FREE
from services.matching.domain.decide import MATCHING
from services.matching.domain.eligibility import CONSTRAINTS, Candidate, Question, barred
from services.matching.domain.events import Decided
from services.matching.domain.groups import Groups
from services.matching.domain.inputs import NobodyFits
from services.matching.domain.kind import kind_of
from services.matching.domain.picture import ASKED, SKILLS, Picture
from services.matching.domain.plan import WhyNobody
from services.matching.domain.reasons import Reasons
from services.matching.domain.staff import Staff
from shared.testing.spec import given as given_case
from tests.unit.matching.cases import CASE, NOON, accepted, deidentified, reader
from tests.unit.matching.test_crowd import CROWDS, crowd_of
from tests.unit.matching.test_plan import need, waits
from tests.unit.matching.test_rules import QUESTIONS

ASKED_OF = st.sampled_from((frozenset[str](), frozenset({"dr-a"}), frozenset({"dr-b", "dr-z"})))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(QUESTIONS, ASKED_OF), min_size=1, max_size=5), CROWDS)
def test_a_group_answers_for_each_of_its_cases(
    asked: list[tuple[Question, frozenset[str]]], candidates: list[Candidate]
) -> None:
    crowd = crowd_of(candidates, NOON)
    staff = Staff({one.reader.id: one.reader for one in candidates})
    groups = Groups(Picture(staff, crowd, "", {}))

    for question, names in asked:
        case = waits(
            need=question.need, refused=question.refused, earlier=question.earlier, asked=names
        )
        codes = groups.codes[groups.of(case)]
        for n, one in enumerate(candidates):
            by = barred(replace(question, now=NOON), one)
            place = FREE if by is None else CONSTRAINTS.index(by)
            thinks = one.reader.id in names and place >= SKILLS
            assert codes[n] == (ASKED if thinks else place)


def test_equal_needs_are_of_one_kind_and_others_are_not() -> None:
    assert kind_of(need(1)) is kind_of(need(2))
    assert kind_of(need(1)) is not kind_of(need(1, language="pt"))
    assert kind_of(need(1)) is not kind_of(need(1, modalities=("CT",)))


def test_cases_are_told_apart_by_ties_to_the_roster_alone() -> None:
    staff = Staff({"dr-osei": reader(groups=("valley",))})
    groups = Groups(Picture(staff, crowd_of([Candidate(reader(), 0)], NOON), "", {}))
    first = [
        need(n, first_read={"status": "present", "reader": "npi:99", "group": name})
        for n, name in enumerate(("elsewhere", "valley", "far-away", "valley"))
    ]

    numbers = [groups.of(waits(need=one)) for one in first]

    assert numbers == [0, 1, 0, 1]
    assert np.array(groups.codes).shape == (2, 1)


class Unread(Reasons):
    """Reasons that nobody may ask for."""

    def written(self) -> NoReturn:
        pytest.fail("written down, though nothing was decided")


def test_reasons_are_written_down_when_something_is_decided_and_not_before() -> None:
    waiting = given_case(MATCHING).then(accepted()).then(deidentified())
    staff = Staff({"dr-osei": reader()})
    picture = Picture(staff, crowd_of([Candidate(reader(), 0)], NOON), "v1", {})
    told = NobodyFits(
        case_id=CASE, why=(), considered=WhyNobody(picture, waits(need=need(CASE.int)))
    )
    unheard = NobodyFits(case_id=CASE, why=(), considered=Unread())

    nothing = given_case(MATCHING).when(unheard)  # the case is not known here
    decided = waiting.when(told)

    assert not nothing.events
    [kept] = [one for one in decided.events if isinstance(one, Decided)]
    assert kept.decision.considered is not None
    assert kept.decision.considered.roster == "v1"
