"""A case comes while readers wait for one: the best of them gets it, or it is held for another."""

import numpy as np
import pytest

from services.matching.domain.directed import Directed
from services.matching.domain.fit import POLICY
from services.matching.domain.handing import best, idle
from services.matching.domain.inputs import OfferCase
from services.matching.domain.need import need_of
from services.matching.domain.policy import DIRECTED
from services.matching.domain.pool import Entry, Pool
from services.matching.domain.proposing import Facts, hand
from services.matching.domain.replay import replay
from services.matching.domain.rota import Rota
from services.matching.domain.staff import Staff
from services.matching.domain.track import Track
from services.matching.domain.why import Decision
from tests.unit.matching.cases import NOON, accepted, reader

NOW = NOON.timestamp()
HOUR = 3600.0
NAMES = ("dr-right", "dr-second", "dr-chest")
FIELDS = (("musculoskeletal",), ("chest", "musculoskeletal"), ("chest",))
ROSTER = {n: reader(n, subspecialties=f) for n, f in zip(NAMES, FIELDS, strict=True)}


def directed(*, asked: frozenset[str] = frozenset(), right_free_in: float = 0.0) -> Directed:
    """Lay out one urgent case of the hand; everybody is on shift."""
    here = [(NOW - HOUR, NOW + 20 * HOUR)]
    pool = Pool(Staff(ROSTER), Rota.of([here, here, here]), DIRECTED)
    entry = Entry(need_of(accepted(service_level="urgent")), NOW + 11 * HOUR, asked=asked)
    pool.add(entry, NOW)
    found = Directed(pool)
    found.present[:] = True
    found.free_at[:] = NOW
    found.free_at[:2] = NOW + right_free_in
    return found


def decided(offer: OfferCase) -> Decision:
    """What is kept of it."""
    assert offer.considered is not None
    written = offer.considered.written()
    return Decision(considered=written, reader=offer.reader.id, explanation=offer.explanation)


def given(found: Directed, *waiting: str) -> str | None:
    urge = best(found, 0, idle(found, waiting, ()), NOW)
    return None if urge is None else NAMES[urge.choice.reader]


@pytest.mark.parametrize(
    ("waiting", "asked", "free_in", "who"),
    [
        (NAMES, (), 0.0, "dr-right"),  # the first of their fields
        (("dr-second", "dr-chest"), (), 0.0, "dr-second"),
        (("dr-chest",), (), 0.0, None),  # held for those of the field, who will be free
        (("dr-chest",), (), 30 * HOUR, "dr-chest"),  # nobody of them in time
        ((), (), 0.0, None),
        (NAMES, ("dr-right",), 0.0, "dr-second"),  # who was asked is not asked again so
    ],
    ids=str,
)
def test_the_best_of_those_who_wait_gets_it(
    waiting: tuple[str, ...], asked: tuple[str, ...], free_in: float, who: str | None
) -> None:
    found = directed(asked=frozenset(asked), right_free_in=free_in)

    assert given(found, *waiting) == who


def test_only_who_is_there_and_has_nothing_waits() -> None:
    found = directed()
    found.present[1] = False

    wait = idle(found, (*NAMES, "dr-gone"), ("dr-right", "dr-unknown"))

    assert np.flatnonzero(wait).tolist() == [2]


def test_it_is_kept_for_them_for_as_long_as_they_wait_and_the_choice_is_explained() -> None:
    found = directed()
    urge = best(found, 0, idle(found, NAMES, ()), NOW)
    assert urge is not None

    offer = hand(found, found.pool.entry(0), urge, Facts("v1", {}), NOON)

    assert offer.until == NOON + DIRECTED.waits
    assert (offer.reader.id, offer.broad, offer.paged) == ("dr-right", False, False)
    told = offer.explanation
    assert told.policy == DIRECTED.name != POLICY
    assert {one.term for one in told.terms} == {"urgency", "depth"}
    assert replay(decided(offer), ROSTER).differs == ()


def test_what_is_known_of_readers_decides_too_and_a_lie_about_it_is_found() -> None:
    found = directed()
    found.learn({"dr-right": Track(week=9.0), "dr-second": Track(accepted=40)})
    urge = best(found, 0, idle(found, NAMES, ()), NOW)
    assert urge is not None

    offer = hand(found, found.pool.entry(0), urge, Facts("v1", {}), NOON)

    decision = decided(offer)
    considered = decision.considered
    assert considered is not None
    assert {"quality", "fairness", "acceptance"} <= {one.term for one in offer.explanation.terms}
    assert [one.reader for one in considered.candidates] == ["dr-right", "dr-second"]
    assert replay(decision, ROSTER).differs == ()
    first, second = considered.candidates
    swapped = considered.model_copy(update={"candidates": (second, first)})
    worse = second.model_copy(update={"track": Track(week=50.0)})
    lied = considered.model_copy(update={"candidates": (first, worse)})
    other = decision.model_copy(update={"reader": "dr-second"})
    assert replay(decision.model_copy(update={"considered": swapped}), ROSTER).differs == ()
    assert replay(decision.model_copy(update={"considered": lied}), ROSTER).differs == ("scores",)
    assert "choice" in replay(other, ROSTER).differs
