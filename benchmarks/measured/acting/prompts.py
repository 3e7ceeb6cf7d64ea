"""When does a person act? When the service has committed what they waited for."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from shared.contracts.base import Event
from shared.runtime.errors import Problem
from shared.runtime.handle import Change
from shared.runtime.postgres import Db
from shared.runtime.service import Core, Edges, Loop, Service

T = TypeVar("T")
AGAIN_SECONDS = 0.02
# What a person's app is told while an event is still on its way.
NOT_YET = {404, 409, 412}
AT_ONCE = 32

Act = Callable[[Any], Coroutine[Any, Any, object]]


@dataclass
class Prompts:
    """Calls `act` with each event of one kind that the service decides or hears of."""

    kind: type[Event]
    act: Act | None = None
    _due: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    _prompted: set[str] = field(default_factory=set)

    def beside(self, service: Service[Any], act: Callable[[Core[Any]], Act]) -> Service[Any]:
        """Give the service with somebody acting in it; nothing else of it is changed."""

        async def save(db: Db, changes: Sequence[Change[Any]]) -> None:
            await service.save(db, changes)
            for change in changes:
                for one in change.recorded:
                    if isinstance(one.event, self.kind):
                        self._prompt(one.event)

        def edges(core: Core[Any]) -> Edges:
            own, loop = service.edges(core), self._loop(act(core))
            return replace(own, loops={**own.loops, "people": loop})

        return replace(service, save=save, edges=edges)

    def _prompt(self, event: Event) -> None:
        """Once: a transaction that the weather undid saves the same again."""
        if (text := event.model_dump_json()) not in self._prompted:
            self._prompted.add(text)
            self._due.put_nowait(event)

    def _loop(self, act: Act) -> Loop:
        async def run() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._person(act))

        return run

    async def _person(self, act: Act) -> None:
        while True:
            await act(await self._due.get())


async def persist(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again until it is answered: the prompt comes a moment before its commit."""
    while True:
        try:
            return await ask()
        except Problem as problem:
            if problem.status_code not in NOT_YET:
                raise
        await asyncio.sleep(AGAIN_SECONDS)
