"""By what was a case given to one of those who waited for one? Kept, to be made again."""

import numpy as np
from pydantic import AwareDatetime

from services.matching.domain.columns import Rows
from services.matching.domain.directed import Directed, depth, urgency_then, weighed
from services.matching.domain.eligibility import Candidate
from services.matching.domain.fit import Asking
from services.matching.domain.grounds import Grounds
from services.matching.domain.liking import liking
from services.matching.domain.policy import Policy
from services.matching.domain.rota import moment
from shared.contracts.base import Frozen


class Handed(Frozen):
    """What the terms of who waited looked at, besides the case and the readers.

    `begin_by`, `last_at` and `owed_at` are the case's, as in chosen.py. `tracked`: something was
    known of readers, so that the soft terms counted.
    """

    at: AwareDatetime
    begin_by: AwareDatetime | None
    last_at: AwareDatetime | None
    owed_at: AwareDatetime | None
    policy: Policy
    tracked: bool


def handed(directed: Directed, row: int, at: AwareDatetime) -> Handed:
    """Keep what is not the readers' own."""
    pool = directed.pool
    return Handed(
        at=at,
        begin_by=moment(float(pool.latest[row])),
        last_at=moment(float(pool.last[row])),
        owed_at=moment(float(pool.owed[row])),
        policy=pool.policy,
        tracked=bool(directed.likings.tracks),
    )


def waited(directed: Directed, row: int, who: Rows, now: float) -> Grounds:
    """Weigh those who wait for a case, and are not kept ready for another."""
    ready = [bool(directed.put_off(np.array([row]), int(one), now)[0]) for one in who]
    some = who[~np.array(ready, bool)]
    terms = directed.weigh(row, some, now)
    weights = directed.pool.policy.weights.of(terms)
    scores = weighed(terms, weights, len(some))
    return Grounds(some, terms, weights, directed.free_at[some], scores)


def again(kept: Handed, asking: Asking, one: Candidate) -> dict[str, float]:
    """Work out each term of a reader anew, of what was kept."""
    each = (kept.begin_by, kept.last_at, kept.owed_at)
    return {
        **(liking(asking, one) if kept.tracked else {}),
        "urgency": urgency_then(*each, kept.at, kept.policy),
        "depth": depth(asking.need.subspecialty, one.reader.subspecialties),
    }
