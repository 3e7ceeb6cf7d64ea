"""What does this installation prefer? Weights, holds and rungs, as data in a policy file.

Nothing here can let somebody read who may not: eligibility.py asks its rules whatever a policy
says. A policy's name is kept with each explanation, so another file needs another name.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from services.matching.domain.told import Told, Word
from shared.contracts.base import ServiceLevel

Weight = Annotated[float, Field(ge=0, le=100)]
Span = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=30))]


class Weights(Told):
    """How much each reason to prefer a pair of reader and case counts.

    `urgency` is of the case alone; the others tell readers, or the cases for one reader, apart.
    Those from `fairness` on are soft: they count where readers have track records (liking.py), and
    between people who are asked in need they weigh by their shares, together less than their field.
    """

    urgency: Weight = 10.0
    depth: Weight = 1.0
    scarcity: Weight = 0.6
    fairness: Weight = 0.6
    experience: Weight = 0.2
    quality: Weight = 0.3
    continuity: Weight = 0.4
    language: Weight = 0.1
    workload: Weight = 0.2
    speed: Weight = 0.1
    acceptance: Weight = 0.1

    def of(self, names: Iterable[str]) -> dict[str, float]:
        """Give the weights of these terms, in their order."""
        return {name: getattr(self, name) for name in names}

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(self.__dict__.values()):
            raise ValueError("at least one weight must be above 0")
        return self


class Better(Told):
    """When an offer that nobody has answered is withdrawn, because somebody fits better now.

    `by`: by so much of a score, which lies in [0, 1]. Not in the last part of the offer's window
    (`last_part`, a share of it): whoever thinks about a case so long is about to answer. `at_most`
    so many times a case; 0: never.
    """

    by: Annotated[float, Field(gt=0, le=1)] = 0.15
    last_part: Annotated[float, Field(ge=0, le=1)] = 0.25
    at_most: Annotated[int, Field(ge=0, le=20)] = 1


class Policy(Told):
    """A policy file.

    Cases of the levels in `push` are offered in rounds, as soon as a reader is free. All others
    wait for a reader who asks for the next case; offers of them are the exception.

    Who asked for the next case and got none waits for one, for `waits` from then: what comes
    meanwhile is given to the best of those who wait, and kept for them as long; 0: nobody waits.

    A case is held for a right subspecialist who is forecast to begin `margin` before it would be
    too late; the forecast takes `forecast_load` times the predicted readings, for what will still
    arrive. `urgent_within` is the slack at which urgency is half of what it can be. `late_after`
    and `late_share`: a case that can't be saved any more steps behind those that can, with this
    share of their urgency, which grows back to all of it over that time: nobody starves.

    A reading is planned `cautious` times as long as predicted when it is asked by when it must be
    begun: half of them take longer than the middle one. Once less than `interrupt_within` is left
    until then, a reader who is at a case that can wait for `patience` may be asked to set it aside;
    once no reader on shift will be free in time, who is on call is paged (`pages`). Neither waits
    for the answer alone: the case stays there for whoever asks, and as `ask_again` goes by one more
    is asked, `at_once` of each kind at most. A reading of `quickest` times the usual length is the
    quickest that is hoped for: until then a late start may still save a case, and nothing is more
    urgent.

    Who might alone be there for the next urgent case is kept ready: a reading that is forecast to
    make more than `keep_ready` of such cases late is put off, as long as more than `put_off` of the
    case's time is left until it must be begun.

    `reading` is what a reading takes until this installation has measured a reader: `shrinkage` so
    many hours of their reading count as much as that (pace.py).
    """

    name: Word = "directed_3"
    push: frozenset[ServiceLevel] = frozenset()
    better: Better = Better()
    weights: Weights = Weights()
    waits: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(hours=1))] = timedelta(
        minutes=1
    )
    urgent_within: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(hours=2)
    margin: Mapping[ServiceLevel, Span] = Field(default_factory=dict)
    reading: Mapping[ServiceLevel, Span] = Field(default_factory=dict)
    forecast_load: Annotated[float, Field(ge=1, le=10)] = 1.3
    forecast_every: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=5)
    late_after: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(hours=24)
    late_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    shrinkage: Annotated[float, Field(ge=0, le=1000)] = 20
    cautious: Annotated[float, Field(ge=1, le=5)] = 1.9
    quickest: Annotated[float, Field(ge=0, le=1)] = 0.5
    interrupt_within: Span = timedelta(minutes=30)
    patience: Span = timedelta(hours=2)
    ask_again: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=2)
    at_once: Annotated[int, Field(ge=1, le=50)] = 6
    keep_ready: Annotated[float, Field(ge=0, le=100)] = 0.005
    put_off: Annotated[float, Field(ge=0, le=1)] = 0.5
    page_within: Span = timedelta(minutes=45)
    pages: bool = True

    def reading_of(self, level: ServiceLevel) -> timedelta:
        return self.reading.get(level, READING[level])

    def margin_of(self, level: ServiceLevel) -> timedelta:
        return self.margin.get(level, MARGIN[level])


def _minutes(**each: float) -> dict[ServiceLevel, timedelta]:
    return {level: timedelta(minutes=one) for level, one in each.items()}  # type: ignore[misc]


# What a reading takes until this installation knows better, and how early a right subspecialist
# must be forecast to begin for the case to be held for them.
READING: Final = _minutes(emergent=18, urgent=28, expedited=45, routine=60, tumour_board=60)
MARGIN: Final = _minutes(emergent=16, urgent=60, expedited=120, routine=240, tumour_board=240)
DIRECTED: Final = Policy()
