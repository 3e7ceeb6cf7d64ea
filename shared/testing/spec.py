"""How is a decider put to the test? given(decider, *events).when(input, now)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Generic, TypeVar

from shared.decider import Decider, Step

State = TypeVar("State")
In = TypeVar("In")
Out = TypeVar("Out")

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Spec(Generic[State, In, Out]):
    """A decider in the state that some events led to."""

    decider: Decider[State, In, Out]
    state: State

    def when(self, received: In, now: datetime = NOON) -> Step[State, Out]:
        return self.decider.step(self.state, received, now)

    def then(self, received: In, now: datetime = NOON) -> "Spec[State, In, Out]":
        """Go on from what the input leads to."""
        return Spec(self.decider, self.when(received, now).state)


def given(decider: Decider[State, In, Out], *events: Out) -> Spec[State, In, Out]:
    return Spec(decider, reduce(decider.evolve, events, decider.initial))
