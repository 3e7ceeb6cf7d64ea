"""How do inputs that are no messages reach the runner? People's, deadlines', finished jobs'.

They are grouped: what comes while a transaction runs is handled by the next one together, so that
a commit's cost is shared. Who waits gets an answer of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from shared.contracts.base import CaseId
from shared.runtime import tracing
from shared.runtime.errors import Problem, is_weather
from shared.runtime.handle import Incoming, Outcome, Runner
from shared.runtime.jobs import ClaimedJob, HasCase
from shared.runtime.patience import Pace, Patience, tell_weather
from shared.runtime.reads import Reads
from shared.runtime.timers import Timer

State = TypeVar("State")
MOST_AT_ONCE = 200
# A person waits no longer than this for a database that is away; their client tries again.
PATIENT_SECONDS = 8.0


@dataclass(frozen=True)
class Waiting(Generic[State]):
    """An input and whoever waits for its outcome."""

    incoming: Incoming
    answer: asyncio.Future[Outcome[State]]

    def give(self, outcome: Outcome[State] | None) -> None:
        if outcome is not None and not self.answer.done():
            self.answer.set_result(outcome)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(slots=True)
class Submissions(Generic[State]):
    """A queue in memory before the runner. Nothing in it was answered yet, so nothing is lost."""

    runner: Runner[State]
    lanes: int = 2
    healthy: bool = True
    _queue: asyncio.Queue[Waiting[State]] = field(default_factory=asyncio.Queue)
    _reads: Reads[State] = field(init=False)

    def __post_init__(self) -> None:
        self._reads = Reads(self.runner.states)

    async def run(self) -> None:
        """Serve for ever; several lanes, so that one case's lock does not hold up the others."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.lanes):
                group.create_task(self._lane())

    async def submit(self, received: HasCase, *, input_id: UUID) -> Outcome[State]:
        """Submit a person's input and wait for what it led to.

        Raises Problem 503 when the database stays away, and whatever a bug raises.
        """
        incoming = Incoming(input_id, received.case_id, received, tracing.current())
        try:
            async with asyncio.timeout(PATIENT_SECONDS):
                return await self.put(incoming)
        except TimeoutError:
            raise Problem(
                503,
                "unavailable",
                "The database is away. Send the same request again.",
                headers={"Retry-After": "5"},
            ) from None

    async def state(self, case_id: CaseId) -> State:
        """Read a case as it stands."""
        return await self._reads.one(case_id)

    async def deadlines(self, due: Sequence[Timer]) -> list[tuple[Timer, Exception]]:
        """Submit what the ticker found; give those that met a bug."""
        inputs = [Incoming(one.input_id, one.case_id, one.reached(), timer=one) for one in due]
        answers = await asyncio.gather(*map(self.put, inputs), return_exceptions=True)
        return [
            (timer, answer)
            for timer, answer in zip(due, answers, strict=True)
            if isinstance(answer, Exception)
        ]

    async def result(self, job: ClaimedJob, received: HasCase) -> None:
        """Submit what a performer found out."""
        if received.case_id != job.case_id:
            raise ValueError("a performer answered for another case")
        await self.put(
            Incoming(job.result_id, job.case_id, received, job.traceparent, lease=job.lease)
        )

    async def put(self, incoming: Incoming) -> Outcome[State]:
        answer: asyncio.Future[Outcome[State]] = asyncio.get_running_loop().create_future()
        await self._queue.put(Waiting(incoming, answer))
        return await answer

    async def _lane(self) -> None:
        patience, pace = Patience(), Pace()
        while True:
            if not self.healthy and self._queue.empty():
                await self._probe(patience)
                continue
            waiting = [await self._queue.get()]
            await pace.rest()
            while len(waiting) < MOST_AT_ONCE and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            with pace.turn():
                await self._serve(waiting, patience)
            if len(waiting) == MOST_AT_ONCE:
                pace.skip_rest()

    async def _probe(self, patience: Patience) -> None:
        """Ask the database how it is: nobody comes while we are red, so no input will tell."""
        try:
            async with self.runner.pool.acquire() as db:
                await db.execute("SELECT 1")
        except Exception as error:
            if not is_weather(error):
                raise
            await patience.pause()
        else:
            self.healthy = True
            patience.reset()

    async def _serve(self, group: Sequence[Waiting[State]], patience: Patience) -> None:
        """Handle a group; each alone after a bug; again and again in bad weather."""
        while group := [one for one in group if not one.answer.done()]:
            try:
                outcomes = await self.runner.handle([one.incoming for one in group])
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the answer
                await self._failed(group, error, patience)
            else:
                self.healthy = True
                patience.reset()
                for one, outcome in zip(group, outcomes, strict=True):
                    one.give(outcome)

    async def _failed(
        self, group: Sequence[Waiting[State]], error: Exception, patience: Patience
    ) -> None:
        if is_weather(error):
            self.healthy = False
            tell_weather("submissions", error)
            await patience.pause()
        elif len(group) == 1:
            group[0].fail(error)
        else:
            for one in group:
                await self._serve([one], patience)
