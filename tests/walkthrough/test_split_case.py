"""A split case between matching and reporting: however their words cross, it ends in one report."""

from collections import deque
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.matching.domain.decide import MATCHING
from services.matching.domain.inputs import (
    ReaderWentOffline,
    ReleaseAssignment,
    SplitCase,
    TakeCase,
)
from services.matching.domain.state import Closed, assigned_in
from services.matching.domain.waiting import waiting
from services.reporting.domain import inputs as reading
from services.reporting.domain.access import held
from services.reporting.domain.canonical import sha256
from services.reporting.domain.compare import Comparison, Pairing
from services.reporting.domain.decide import REPORTING
from services.reporting.domain.signing import report_document
from services.reporting.domain.state import Assigned, Comparing, Locked, Reading, Signed
from shared.contracts.base import Event
from shared.contracts.intake import CaseSupplemented
from shared.contracts.matching import (
    AssignmentAccepted,
    AssignmentClosed,
    AssignmentReleased,
    AssignmentRevoked,
    CaseSplit,
)
from shared.contracts.report import ReportDocument
from shared.contracts.reporting import (
    AdjudicationRequested,
    OpinionLocked,
    ReadingStarted,
    ReportFinalized,
)
from tests.unit.matching.cases import CASE, EXPLANATION, NOON, deidentified, reader
from tests.unit.matching.test_parts import SPLIT, arrives, study
from tests.unit.reporting.cases import accepted, no_fracture, opinion, stored
from tests.unit.reporting.cases import deidentified as cleaned

TO_REPORTING = (CaseSplit, AssignmentAccepted, AssignmentReleased, AssignmentRevoked,
                AssignmentClosed)  # fmt: skip
TO_MATCHING = (ReadingStarted, OpinionLocked, AdjudicationRequested, ReportFinalized)
FIELDS = {"HAND": "musculoskeletal", "CHEST": "chest", "BRAIN": "neuroradiology"}
LATE = CaseSupplemented(case_id=CASE, partner="st-elsewhere", studies=(study("c", "BRAIN", "MR"),))
ROUNDS = 40


class Between:
    """Both deciders, and the words that are on their way from each to the other."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = NOON
        self.matching, self.reporting = MATCHING.initial, REPORTING.initial
        self.to_reporting: deque[Event] = deque()
        self.to_matching: deque[Event] = deque()
        self.signed = self.readers = 0
        self.said: list[Event] = []
        for received in (arrives(), deidentified(), SPLIT):
            self.match(received)
        for told in (accepted(case_id=CASE), cleaned(case_id=CASE)):
            self.report(told)

    def match(self, received: Any) -> None:
        self.now += timedelta(seconds=1)
        step = MATCHING.step(self.matching, received, self.now)
        self.matching = step.state
        self.to_reporting.extend(one for one in step.events if isinstance(one, TO_REPORTING))

    def report(self, received: Any) -> None:
        step = REPORTING.step(self.reporting, received, self.now)
        self.reporting = step.state
        self.said += step.events
        self.signed += sum(isinstance(one, ReportFinalized) for one in step.events)
        self.to_matching.extend(one for one in step.events if isinstance(one, TO_MATCHING))

    def deliver(self) -> None:
        """Let one word arrive, if one is on its way; each side's come in their order."""
        if self.to_reporting and self.random.random() < 0.5:
            self.report(self.to_reporting.popleft())
        elif self.to_matching:
            self.match(self.to_matching.popleft())

    def settle(self) -> None:
        while self.to_reporting or self.to_matching:
            self.deliver()

    def take(self) -> None:
        """Let somebody new take what waits."""
        for one in waiting(self.matching.assignment, self.now):
            if one.need.part is None:
                self.match(SplitCase(case_id=CASE, parts=tuple((r,) for r in sorted(
                    one.need.regions))))  # fmt: skip
                continue
            self.readers += 1
            who = reader(
                f"dr-{self.readers}",
                groups=(),
                subspecialties=(FIELDS[one.need.part],),
                modalities=("CT", "DX", "MR"),
            )
            self.match(
                TakeCase(
                    case_id=CASE, reader=who, load=0, explanation=EXPLANATION, part=one.need.part
                )
            )

    def leave(self) -> None:
        for one in assigned_in(self.matching.assignment):
            if self.random.random() < 0.5:
                name = {"case_id": CASE, "reader": one.reader}
                gone = ReaderWentOffline(**name, reason="silent")
                back = ReleaseAssignment(**name, assignment=one.assignment, reason="other")
                self.match(self.random.choice((gone, back)))
                return

    def read(self) -> None:
        """Let one of the readers do their next step."""
        who = f"dr-{self.random.randint(1, max(1, self.readers))}"
        mine = held(self.reporting, who)
        asked = {"case_id": CASE, "reader": who}
        match mine:
            case Assigned():
                self.report(reading.StartReading(**asked))
            case Reading(revision=0):
                self.report(reading.SaveDraft(**asked, revision=0, opinion=opinion()))
            case Reading():
                self.report(reading.LockOpinion(**asked))
            case Locked():
                self.report(reading.RevealFirstReport(**asked))
            case Comparing(comparison=None):
                self.report(reading.CompareClaims(**asked, revision=mine.revision,
                                                  comparison=compared(mine)))  # fmt: skip
            case Comparing():
                document = report_document(CASE, mine, self.now)
                assert isinstance(document, ReportDocument)
                at = stored(sha256(document))
                self.report(reading.FinalizeReport(**asked, report=at, signed_at=self.now))
            case _:
                return

    def ask_a_third(self) -> None:
        if isinstance(self.reporting, Comparing):
            who = self.reporting.assignment.reader
            self.report(reading.RequestAdjudication(case_id=CASE, reader=who, why="uncertain"))

    def finish(self) -> None:
        """Let all words arrive, all parts be taken, and everybody go on with their work."""
        for _ in range(ROUNDS):
            self.settle()
            self.take()
            self.settle()
            for _ in range(self.readers * 8):
                self.read()


def compared(state: Comparing) -> Comparison:
    first, *rest = [one.id for one in state.sealed.opinion.claims]
    added = [Pairing(second=one, clinically_important=True) for one in rest]
    pair = Pairing(first="f-1", second=first, clinically_important=True)
    return Comparison(first_claims=(no_fracture(),), pairs=(pair, *added))


WORK = ["take"] * 3 + ["read"] * 10 + ["deliver"] * 6 + ["settle"] * 3
ACTS = st.lists(st.sampled_from([*WORK, "leave", "ask_a_third", "late"]), min_size=20, max_size=120)


THIRD = [*["take"] * 10, "settle", *["read"] * 8, "ask_a_third"]


@settings(max_examples=60, deadline=None)
@given(ACTS, st.integers(0, 2**16))
@example(acts=THIRD, seed=0)  # split again for the adjudicators, whose assignments are new ones
def test_however_their_words_cross_it_ends_in_one_report(acts: list[str], seed: int) -> None:
    between = Between(seed)

    for act in acts:
        if act == "late":
            between.match(LATE)
        else:
            getattr(between, act)()
    between.finish()

    assert isinstance(between.reporting, Signed)
    assert between.signed == 1
    assert isinstance(between.matching.assignment, Closed)
    assert between.matching.assignment.reason == "read"
    assert assigned_in(between.matching.assignment) == ()
    regional = between.reporting.material.regional
    assert {one.assignment.regions for one in regional} == set(between.reporting.material.parts)
    assert len({one.assignment.reader for one in regional}) == len(regional) >= 2
