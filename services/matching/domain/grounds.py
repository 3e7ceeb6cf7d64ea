"""Who is disturbed for a case? Who knows the field, and will be done in time; and then the best.

The grounds decide in that order: `right`, who knows the field; `in_time`, who is predicted to be
done before the report is owed; then the soft terms of the policy, by their shares (liking.py); and,
of who is all but equal, `busy`, who would be free the latest by themselves: they would not come to
it otherwise. What they look at is kept with the decision, so that it can be made again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from pydantic import AwareDatetime

from services.matching.domain.columns import Rows
from services.matching.domain.directed import Directed, weighed
from services.matching.domain.eligibility import Candidate
from services.matching.domain.fit import Asking
from services.matching.domain.liking import liking, shares
from services.matching.domain.need import GENERAL
from services.matching.domain.pace import Seconds, predicted
from services.matching.domain.policy import Policy
from services.matching.domain.rota import NEVER
from shared.contracts.base import Frozen

# Each outweighs all that come after it; the soft terms together weigh 1.
RIGHT: Final = 10.0
IN_TIME: Final = 3.0
BUSY: Final = 0.1
DAY: Final = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Grounds:
    """Those who could be asked, each term over them, and `free_at` by themselves."""

    who: Rows
    terms: Mapping[str, Seconds]
    weights: Mapping[str, float]
    free_at: Seconds
    scores: Seconds

    @property
    def best(self) -> int:
        """Give the place of the best of them."""
        return int(np.argmax(self.scores))

    def first(self, most: int) -> list[int]:
        """Give the places of so many of them, the best first."""
        return [int(one) for one in np.argsort(-self.scores, kind="stable")[:most]]

    def of(self, place: int) -> dict[str, float]:
        return {name: float(value[place]) for name, value in self.terms.items()}


def weights(policy: Policy) -> dict[str, float]:
    return {"right": RIGHT, "in_time": IN_TIME, **shares(policy.weights), "busy": BUSY}


def grounds(directed: Directed, row: int, who: Rows, until: float, now: float) -> Grounds:
    """Weigh those who could be asked for a case now, by an offer that stands so long."""
    pool, entry = directed.pool, directed.pool.entry(row)
    by_then = now + pool.lasts(row, who) <= pool.owed[row]
    free_at = directed.free_at[who]
    terms = {
        "right": pool.right[row, who].astype(float),
        "in_time": by_then.astype(float),
        **directed.likings.readers(entry.need, entry.seen_by, who),
        "busy": busy(free_at, until, now),
    }
    weigh = {name: one for name, one in weights(pool.policy).items() if name in terms}
    scores = weighed(terms, weigh, len(who))
    return Grounds(who, terms, weigh, free_at, scores)


def busy(free_at: Seconds, until: float, now: float) -> Seconds:
    """Prefer who would be free the latest: 1 is not before `until`, 1/2 is now; then who was so."""
    ahead = np.clip((free_at - now) / (until - now), 0, 1)
    since = np.maximum(now - free_at, 0) / DAY
    return np.asarray((ahead + 1 / (1 + since)) / 2)


class Disturbed(Frozen):
    """What somebody was asked by when time was short, besides the case and the readers.

    The offer stands `until` then, and the report is `owed_at`. `tracked`: something was known of
    readers, so that the soft terms counted.
    """

    at: AwareDatetime
    until: AwareDatetime
    owed_at: AwareDatetime
    policy: Policy
    paged: bool
    tracked: bool


def again(
    kept: Disturbed, asking: Asking, one: Candidate, free_at: datetime | None
) -> dict[str, float]:
    """Work out each term of a reader anew, of what was kept."""
    need, fields = asking.need, one.reader.subspecialties
    usual = kept.policy.reading_of(need.service_level).total_seconds()
    lasts = predicted(one.track, usual, need.rvu, kept.policy.shrinkage)
    at, until = kept.at.timestamp(), kept.until.timestamp()
    free = NEVER if free_at is None else free_at.timestamp()
    return {
        "right": float(need.subspecialty == GENERAL or need.subspecialty in fields),
        "in_time": float(at + lasts <= kept.owed_at.timestamp()),
        **(liking(asking, one) if kept.tracked else {}),
        "busy": float(busy(np.array([free]), until, at)[0]),
    }
