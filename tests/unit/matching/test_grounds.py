"""Why this reader by the default policy: the terms that decided, all others, and made again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.directed import Directed
from services.matching.domain.eligibility import Candidate, Work
from services.matching.domain.fit import Asking
from services.matching.domain.grounds import Grounds, grounds, weights
from services.matching.domain.inputs import OfferCase, TakeCase
from services.matching.domain.liking import SOFT, Likings, liking
from services.matching.domain.need import need_of
from services.matching.domain.pace import Paces, predicted
from services.matching.domain.policy import DIRECTED, Policy, Weights
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.proposing import Facts, disturb, take
from services.matching.domain.reader import Caps
from services.matching.domain.replay import replay
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Staff
from services.matching.domain.track import Track
from services.matching.domain.urging import Crew, urged
from services.matching.domain.why import Decision, Scored
from shared.contracts.base import CaseId
from tests.unit.matching.cases import NOON, accepted, reader
from tests.unit.matching.test_urging import HOUR, NOW, asking, directed

GOOD = Track(read={"DX": 500}, reasons={"persistent_symptoms": 500}, asked=100, accepted=95)
BAD = Track(reviewed={"3b": 300}, asked=100, accepted=5, day_rvu=40, week=3)
ROSTER = {
    one.id: one
    for one in (
        reader("dr-right"),
        reader("dr-broad", subspecialties=("chest",)),
        reader("dr-right-2", languages=("en", "es")),
        reader("dr-tired", caps=Caps(cases=1)),
        *(reader(f"dr-{n:02}", subspecialties=("chest", "musculoskeletal")) for n in range(12)),
    )
}
FACTS = Facts("v1", {"dr-right": 1, "dr-02": 1}, work={"dr-tired": Work(cases=1, rvu=0.2)})


def laid_out(policy: Policy = DIRECTED, **tracks: Track) -> Directed:
    """Lay out one STAT case and one routine case, with everybody on shift and at a case."""
    here = [(NOW - HOUR, NOW + 8 * HOUR)]
    found = Directed(Pool(Staff(ROSTER), Rota.of([here] * len(ROSTER)), policy))
    found.learn({name.replace("_", "-"): one for name, one in tracks.items()})
    stat = accepted(service_level="emergent")
    found.add(Entry(need_of(stat), NOW + 0.9 * HOUR), NOW)
    found.present[:] = True
    found.free_at[:] = NOW + 2 * HOUR
    return found


def weighing(found: Directed) -> Grounds:
    return grounds(found, 0, np.arange(len(ROSTER)), NOW + HOUR, NOW)


def asked_in_need(found: Directed) -> OfferCase:
    everybody = Crew(np.ones(len(ROSTER), bool), np.zeros(len(ROSTER), bool))
    [one, *_] = urged(found, 0, (), everybody, NOW)
    return disturb(found, found.pool.entry(0), one, FACTS, NOON)


def taken(found: Directed, name: str = "dr-right") -> TakeCase:
    choice = found.next_for(found.pool.staff.index[name], NOW)
    assert choice is not None
    return take(found, choice, FACTS, NOON)


def kept(received: OfferCase | TakeCase) -> Decision:
    """Give the decision as it is read again from the table."""
    assert received.considered is not None
    decision = Decision(
        considered=received.considered.written(),
        assignment="a-1",
        reader=received.reader.id,
        explanation=received.explanation,
        chosen=getattr(received, "chosen", None),
    )
    return Decision.model_validate_json(decision.model_dump_json())


def candidates(decision: Decision) -> tuple[Scored, ...]:
    assert decision.considered is not None
    return decision.considered.candidates


HOW = pytest.mark.parametrize("how", [asked_in_need, taken], ids=["in need", "next case"])
How = Callable[[Directed], OfferCase | TakeCase]


def test_who_is_disturbed_is_told_by_the_terms_that_decided_in_their_order() -> None:
    offer = asked_in_need(laid_out(dr_right=BAD, dr_right_2=GOOD))

    told = offer.explanation
    assert (offer.reader.id, told.policy) == ("dr-right-2", DIRECTED.name)
    assert [one.term for one in told.terms][:2] == ["right", "in_time"]
    assert told.terms[-1].term in (*SOFT, "busy")
    assert {one.term for one in told.terms} == {"right", "in_time", "busy", *SOFT}
    values = {one.term: one.value for one in told.terms}
    assert values["experience"] == pytest.approx(500 / 520, abs=1e-4)
    assert values["acceptance"] == pytest.approx((95 + 16) / 120, abs=1e-4)
    assert told.score == pytest.approx(sum(o.value * o.weight for o in told.terms), abs=1e-3)


@HOW
def test_the_best_ten_are_kept_with_their_tracks_and_who_is_excluded_is_counted(how: How) -> None:
    received = how(laid_out(dr_right=GOOD, dr_right_2=BAD))
    decision = kept(received)

    shown = candidates(decision)
    assert len(shown) == 10
    tracks = {one.reader: one.track for one in shown}
    assert tracks["dr-right"] == GOOD
    again = replay(decision, ROSTER)
    assert again.differs == ()
    assert ("dr-tired", "fatigue_cases") in [(name, by.name) for name, by in again.rejected]
    counts = {one.constraint: one.readers for one in received.explanation.excluded}
    assert counts["fatigue_cases"] == 1
    assert received.explanation.eligible == len(ROSTER) - sum(counts.values())


def test_the_best_of_who_is_disturbed_comes_first_and_who_asked_does() -> None:
    found = laid_out(dr_right=BAD, dr_right_2=GOOD)
    scores = [one.score for one in candidates(kept(asked_in_need(found)))]
    assert scores == sorted(scores, reverse=True)
    first, *others = candidates(kept(taken(found)))
    assert first.reader == "dr-right"
    assert [one.score for one in others] == sorted((o.score for o in others), reverse=True)


def test_what_was_not_known_of_readers_decides_nothing_and_replays_alike() -> None:
    decision = kept(asked_in_need(laid_out()))

    assert decision.explanation is not None
    assert [one.term for one in decision.explanation.terms] == ["right", "in_time", "busy"]
    assert replay(decision, ROSTER).differs == ()


Fields = dict[str, Any]


def _track(fields: Fields) -> None:
    known = {"read": {"DX": 9000}, "reasons": {"persistent_symptoms": 9000}}
    fields["considered"]["candidates"][1]["track"] |= known


# A lie about each ground, planted in what is kept.
LIES: dict[str, Callable[[Fields], None]] = {
    "a term": lambda all_: all_["considered"]["candidates"][0]["terms"][-1].update(value=0.9),
    "a score": lambda all_: all_["considered"]["candidates"][1].update(score=9.5),
    "a track": _track,
    "the leisure": lambda all_: all_["considered"]["candidates"][0].update(
        free_at=(NOON - timedelta(days=3)).isoformat()
    ),
    "the explanation": lambda all_: all_["explanation"]["terms"][2].update(value=0.77),
    "the score that went out": lambda all_: all_["explanation"].update(score=1.5),
    "who": lambda all_: all_.update(reader="dr-broad"),
    "the excluded": lambda all_: all_["explanation"].update(excluded=[]),
    "a case's term": lambda all_: all_["chosen"]["cases"][0]["terms"][0].update(value=0.1),
}


def falsified(decision: Decision, what: str) -> Decision:
    fields = decision.model_dump(mode="json")
    LIES[what](fields)
    return Decision.model_validate(fields)


BOTH = ("a term", "a score", "a track", "the explanation", "the score that went out", "who",
        "the excluded")  # fmt: skip


@pytest.mark.parametrize("what", [*BOTH, "the leisure"])
def test_a_ground_that_was_falsified_is_found_where_somebody_was_disturbed(what: str) -> None:
    decision = kept(asked_in_need(laid_out(dr_right=BAD, dr_right_2=GOOD)))

    assert replay(falsified(decision, what), ROSTER).differs


@pytest.mark.parametrize("what", [*BOTH, "a case's term"])
def test_a_ground_that_was_falsified_is_found_where_somebody_asked(what: str) -> None:
    decision = kept(taken(laid_out(dr_right=BAD, dr_right_2=GOOD)))

    assert replay(falsified(decision, what), ROSTER).differs


def test_an_older_form_is_not_made_again_but_named() -> None:
    decision = kept(taken(laid_out(dr_right=GOOD)))
    assert decision.chosen is not None
    old = decision.chosen.model_copy(update={"form": "pair_1"})

    assert "policy" in replay(decision.model_copy(update={"chosen": old}), ROSTER).differs


# Each soft term, with a track that is better by it alone.
BETTER: dict[str, Track] = {
    "experience": Track(read={"DX": 500}),
    "quality": Track(reviewed={"1": 300}),
    "fairness": Track(week=0.2),
    "workload": Track(day_rvu=0.0),
    "speed": Track(speed=9.0),
    "acceptance": Track(asked=100, accepted=100),
}
PLAIN = Track(day_rvu=10)


@pytest.mark.parametrize("name", sorted(BETTER))
def test_each_soft_weight_decides_between_equals_and_none_without_it(name: str) -> None:
    better = BETTER[name].model_copy(
        update={} if name == "workload" else {"day_rvu": PLAIN.day_rvu}
    )
    only = Weights(**{one: float(one == name) for one in SOFT})
    without = Weights(**dict.fromkeys(SOFT, 0.0))
    tracks = dict.fromkeys(ROSTER, PLAIN) | {"dr-right-2": better}

    for policy, best in (
        (Policy(weights=only), "dr-right-2"),
        (Policy(weights=without), "dr-right"),
    ):
        found = laid_out(policy)
        found.learn(tracks)
        assert found.pool.staff.readers[weighing(found).best].id == best
        choice = found.reader_for(0, np.ones(len(ROSTER), bool), NOW)
        assert choice is not None
        assert found.pool.staff.readers[choice.reader].id == best


@pytest.mark.parametrize("name", ["continuity", "language"])
def test_of_two_cases_alike_who_asks_gets_that_of_their_patient_or_language(name: str) -> None:
    seen = frozenset({"dr-right-2"}) if name == "continuity" else frozenset[str]()
    language = "es" if name == "language" else "en"
    second = need_of(accepted(CaseId(UUID(int=8)), service_level="emergent", language=language))
    zeros = dict.fromkeys(SOFT, 0.0)
    found = laid_out(Policy(weights=Weights(**zeros | {name: 0.5})))
    found.learn(dict.fromkeys(ROSTER, PLAIN))
    row = found.add(Entry(second, NOW + 0.9 * HOUR, seen_by=seen), NOW)

    mine = found.next_for(found.pool.staff.index["dr-right-2"], NOW)
    others = found.next_for(found.pool.staff.index["dr-right"], NOW)

    assert (mine and mine.row, others and others.row) == (row, 0)
    best = found.reader_for(row, np.ones(len(ROSTER), bool), NOW)
    assert best is not None
    assert best.reader == found.pool.staff.index["dr-right-2"]


def test_the_field_comes_first_and_being_in_time_before_what_speaks_for_somebody() -> None:
    slow = GOOD.model_copy(update={"rvu_read": 10.0, "hours_read": 400.0})
    found = laid_out(dr_broad=GOOD, dr_right=BAD, dr_right_2=slow)

    scores = weighing(found).scores
    index = found.pool.staff.index
    assert scores[index["dr-right"]] > scores[index["dr-right-2"]] > scores[index["dr-broad"]]


def test_the_weights_of_who_is_disturbed_never_outweigh_what_comes_before_them() -> None:
    each = weights(Policy(weights=Weights(quality=100, experience=0)))

    soft = sum(each[name] for name in SOFT)
    assert soft == pytest.approx(1)
    assert each["in_time"] > soft + each["busy"]
    assert each["right"] > each["in_time"] + soft + each["busy"]


TRACKS = st.builds(
    Track,
    read=st.dictionaries(st.sampled_from(["DX", "CT"]), st.integers(0, 900)),
    reasons=st.dictionaries(st.just("persistent_symptoms"), st.integers(0, 900)),
    asked=st.integers(10, 90),
    accepted=st.integers(0, 10),
    reviewed=st.dictionaries(st.sampled_from(["1", "2a", "3b"]), st.integers(0, 90)),
    speed=st.floats(1, 20),
    rvu_read=st.floats(0, 500),
    hours_read=st.floats(0, 500),
    day_rvu=st.floats(0, 60),
    week=st.floats(0, 4),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TRACKS, min_size=len(ROSTER), max_size=len(ROSTER)))
def test_over_a_staff_the_terms_are_those_of_each_reader(tracks: list[Track]) -> None:
    known = dict(zip(ROSTER, tracks, strict=True))
    staff, need = Staff(ROSTER), need_of(accepted())
    likings, paces = Likings(staff, known), Paces.of(staff, known)
    who, seen = np.arange(len(ROSTER)), frozenset({"dr-03"})

    over = likings.readers(need, seen, who)
    lasts = paces.predicted(who, 1080.0, 1.4, 20.0)

    for n, (one, track) in enumerate(zip(ROSTER.values(), tracks, strict=True)):
        mine = liking(Asking(need, NOON, seen_by=seen), Candidate(one, 0, track=track))
        assert {name: value[n] for name, value in over.items()} == pytest.approx(mine)
        assert lasts[n] == pytest.approx(predicted(track, 1080.0, 1.4, 20.0))


def test_measured_pace_outweighs_the_usual_time_as_hours_come_in() -> None:
    assert predicted(Track(), 1080, 1.4, 20) == 1080
    few, many = (Track(rvu_read=10.0 * h, hours_read=h) for h in (1.0, 2000.0))
    exact = 1.4 * 3600 / 10
    assert exact < predicted(many, 1080, 1.4, 20) < exact + 10
    assert predicted(few, 1080, 1.4, 20) == pytest.approx(1080 + (exact - 1080) / 21)
    assert predicted(few, 1080, 1.4, 0) == pytest.approx(exact)


def test_a_case_must_be_begun_the_sooner_the_slower_its_readers_are() -> None:
    usual = laid_out().pool
    slow = laid_out(dr_right=Track(rvu_read=10, hours_read=300)).pool
    all_slow = laid_out()
    all_slow.learn(dict.fromkeys(ROSTER, Track(rvu_read=30, hours_read=300)))
    row = all_slow.add(usual.entry(0), NOW)

    assert usual.reading[0] == DIRECTED.reading_of("emergent").total_seconds()
    assert slow.latest[0] < usual.latest[0]
    assert all_slow.pool.latest[row] < usual.latest[0]


def test_who_asked_before_this_is_unchanged_by_the_soft_terms_of_nobody() -> None:
    """Without a track record the choice is by the field, and then by who is busy the longest."""
    found = directed(0.9 * HOUR)
    found.free_at[0] += 60
    found.free_at[2] += 120
    assert asking(found)[0].choice.reader == 0  # not before the offer is of no more use, both
    found.free_at[0], found.free_at[2] = NOW + 60, NOW + 120
    assert asking(found)[0].choice.reader == 2
