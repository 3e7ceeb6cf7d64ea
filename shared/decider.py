"""How does every service think? decide what happened, evolve what we know, say what is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any, Generic, NamedTuple, TypeVar

State = TypeVar("State")
In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to one who asked for what can't be: nothing changed, nothing is published.

    `code` is a stable word (`already_taken`), `detail` a sentence without patient data, `field`
    the JSON pointer of the wrong field where there is one.
    """

    code: str
    detail: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment at which the case wants to be asked again. One per kind and case."""

    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """Heavy work that a decided event asks for; a performer does it outside any transaction.

    The payload is JSON. The result comes back as an input of the same case.
    """

    kind: str
    payload: Mapping[str, Any] = field(default_factory=dict)


class Step(NamedTuple, Generic[State, Out]):
    """What one input led to."""

    state: State
    events: tuple[Out, ...]
    refused: Refused | None = None


def nothing(_: Any) -> tuple[()]:
    """What a decider without deadlines, or without jobs, wants."""
    return ()


@dataclass(frozen=True)
class Decider(Generic[State, In, Out]):
    """Pure parts of one service. Nothing here, or behind these callables, may do I/O.

    `decide(state, input, now)` gives events in the past tense, or one `Refused`; an input that is
    late, repeated or not ours gives nothing. `deadlines(state)` is the whole set that the case
    wants now. `jobs(event)` is the heavy work that a decided event asks for.
    """

    initial: State
    decide: Callable[[State, In, datetime], Sequence[Out | Refused]]
    evolve: Callable[[State, Out], State]
    deadlines: Callable[[State], Sequence[Deadline]] = nothing
    jobs: Callable[[Out], Sequence[Job]] = nothing

    def step(self, state: State, received: In, now: datetime) -> Step[State, Out]:
        """Decide, then fold the decisions back into the state."""
        answers = self.decide(state, received, now)
        events = tuple([answer for answer in answers if not isinstance(answer, Refused)])
        refused = None
        if len(events) < len(answers):
            refused = next(answer for answer in answers if isinstance(answer, Refused))
        return Step(reduce(self.evolve, events, state), events, refused)
