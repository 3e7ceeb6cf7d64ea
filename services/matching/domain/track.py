"""What is known of how a reader reads? Counted from what happened, and from peer review.

None of it lets anybody read who may not: it only tells those apart who may.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from pydantic import Field, NonNegativeInt

from services.matching.domain.told import Told
from shared.contracts.base import Frozen
from shared.contracts.reporting import Radpeer

Counts: TypeAlias = Mapping[str, int]

# The median of US radiologists is about 10,000 work RVU a year; second opinions of complex cases
# go slower than that. Measured times outweigh it as they come in.
USUAL_RVU_PER_HOUR: Final = 5.0
# How much a reviewed reading held: RADPEER 2016 (JACR 2017;14:1080). 2 is not ordinarily expected
# to be made, 3 should be made most of the time; b is likely clinically significant.
HELD: Final[Mapping[Radpeer, float]] = {"1": 1.0, "2a": 0.8, "2b": 0.5, "3a": 0.4, "3b": 0.0}
# What is believed of a reader of whom nothing is known, and how many cases outweigh the belief:
# about 3 % of reviewed readings differ, and one in five offers is not taken.
USUAL_QUALITY: Final = 0.97
USUAL_ACCEPTANCE: Final = 0.8
SHRINKAGE: Final = 20.0


class FollowUp(Told):
    """Readings that pathology, surgery or the course have judged since."""

    right: NonNegativeInt = 0
    wrong: NonNegativeInt = 0


class PeerReview(Told):
    """What peer review found elsewhere: how many readings got each RADPEER score, and follow-up."""

    radpeer: Mapping[Radpeer, NonNegativeInt] = Field(default_factory=dict)
    follow_up: FollowUp = FollowUp()


class Track(Frozen):
    """What happened to a reader here.

    `read`: signed cases by modality, `reasons` by reason for review. `asked` and `accepted`:
    offers that were answered or expired, and those taken. `reviewed`: their own first reports that
    second readers scored, by RADPEER. `speed`: RVU an hour, shrunk; `rvu_read` in `hours_read` is
    what was measured. `day_rvu`: accepted in the last
    24 h; `week`: in the last seven days, in shares of what all readers have in the mean.
    """

    read: Counts = Field(default_factory=dict)
    reasons: Counts = Field(default_factory=dict)
    asked: int = 0
    accepted: int = 0
    reviewed: Counts = Field(default_factory=dict)
    speed: float = USUAL_RVU_PER_HOUR
    rvu_read: float = 0.0
    hours_read: float = 0.0
    day_rvu: float = 0.0
    week: float = 1.0


UNTRIED: Final = Track()


def familiarity(count: int) -> float:
    """Say how much so many cases are worth, in [0, 1]: the first teach most."""
    return count / (count + SHRINKAGE)


def experienced(track: Track, modalities: Iterable[str], reason: str) -> float:
    """Say how much they have read of the modalities, and for the reason, in [0, 1]."""
    least = min((track.read.get(one, 0) for one in modalities), default=0)
    return (familiarity(least) + familiarity(track.reasons.get(reason, 0))) / 2


def quality(elsewhere: PeerReview, here: Counts) -> float:
    """Say how far their readings held, in [0, 1]. A few scores move it little."""
    scores = [(HELD[one], n) for one, n in elsewhere.radpeer.items()]
    scores += [(HELD[one], here.get(one, 0)) for one in HELD]
    told = elsewhere.follow_up
    held = sum(value * n for value, n in scores) + told.right
    reviewed = sum(n for _, n in scores) + told.right + told.wrong
    return _shrunk(held, reviewed, USUAL_QUALITY)


def acceptance(track: Track) -> float:
    """Say how likely they take what they are offered."""
    return _shrunk(track.accepted, track.asked, USUAL_ACCEPTANCE)


def _shrunk(found: float, of: float, usual: float) -> float:
    return (found + usual * SHRINKAGE) / (of + SHRINKAGE)
