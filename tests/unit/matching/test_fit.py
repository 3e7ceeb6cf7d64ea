"""Does what is known of a reader change who is asked? Each term by itself, between equals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.eligibility import Candidate
from services.matching.domain.fit import TERMS, Asking, explain, score
from services.matching.domain.track import (
    USUAL_QUALITY,
    FollowUp,
    PeerReview,
    Track,
    acceptance,
    quality,
)
from tests.unit.matching.cases import NOON, at, reader
from tests.unit.matching.test_plan import need, pairs, plan, waits

A, B = "dr-a", "dr-b"


def asked(tracks: dict[str, Track], *readers: Any, **changes: Any) -> str:
    """Give who is asked for one case."""
    known = list(readers) or [reader(A), reader(B)]
    [(_, name)] = pairs(plan([waits(**changes)], known, tracks=tracks))
    return name


def test_between_equals_the_name_decides() -> None:
    assert asked({}) == B


@pytest.mark.parametrize(
    "better",
    [
        Track(read={"DX": 30}),
        Track(reasons={"persistent_symptoms": 30}),
        Track(week=0.5),
        Track(speed=8.0),
        Track(asked=50, accepted=50),
        Track(reviewed={"1": 200}),
    ],
    ids=["modality", "reason", "fairness", "speed", "acceptance", "quality"],
)
def test_a_better_track_record_is_preferred(better: Track) -> None:
    assert asked({A: better}) == A


@pytest.mark.parametrize(
    "worse",
    [
        Track(day_rvu=20),
        Track(week=2.0),
        Track(speed=2.0),
        Track(asked=50, accepted=5),
        Track(reviewed={"3b": 5}),
    ],
    ids=["workload", "fairness", "speed", "acceptance", "quality"],
)
def test_a_worse_one_is_not(worse: Track) -> None:
    assert asked({B: worse}) == A


def test_who_knows_the_patient_is_preferred() -> None:
    assert asked({}, seen_by=frozenset({A})) == A


def test_peer_review_and_follow_up_from_elsewhere_count() -> None:
    praised = reader(A, peer_review=PeerReview(radpeer={"1": 300}))
    refuted = reader(B, peer_review=PeerReview(radpeer={}, follow_up=FollowUp(right=1, wrong=9)))

    assert asked({}, praised, reader(B)) == A
    assert asked({}, reader(A), refuted) == A


def test_who_is_done_in_time_is_preferred_the_more_the_nearer_the_deadline() -> None:
    quick, slow = Track(speed=10), Track(speed=1)

    def gap(hours: float) -> float:
        asking = Asking(need(), NOON, at(hours=hours))
        fast, late = (
            next(t.value for t in TERMS if t.value.__name__ == "deadline")(
                asking, Candidate(reader(), 2, track=one)
            )
            for one in (quick, slow)
        )
        return fast - late

    assert gap(1) > gap(100) > 0


def test_a_few_scores_move_quality_little_and_many_move_it_far() -> None:
    none = quality(PeerReview(), {})
    one_miss, many = quality(PeerReview(), {"3b": 1}), quality(PeerReview(), {"3b": 200})

    assert none == pytest.approx(USUAL_QUALITY)
    assert none - one_miss < 0.06
    assert many < 0.1
    assert acceptance(Track(asked=1, accepted=0)) > 0.7


TRACKS = st.builds(
    Track,
    read=st.dictionaries(st.sampled_from(["DX", "CT"]), st.integers(0, 10**6)),
    asked=st.integers(10, 100),
    accepted=st.integers(0, 10),
    reviewed=st.dictionaries(st.sampled_from(["1", "2a", "2b", "3a", "3b"]), st.integers(0, 999)),
    speed=st.floats(0.1, 50),
    day_rvu=st.floats(0, 500),
    week=st.floats(0, 100),
)


@given(TRACKS, st.integers(0, 20), st.floats(-50, 500))
def test_every_term_lies_between_nothing_and_one(track: Track, load: int, hours: float) -> None:
    candidate = Candidate(reader(), load, track=track)
    asking = Asking(need(), NOON, at(hours=hours), frozenset({"dr-osei"}))

    told = explain(asking, candidate, 1, ())

    assert all(0 <= one.value <= 1 for one in told.terms)
    assert told.score == pytest.approx(score(asking, candidate), abs=1e-3)
