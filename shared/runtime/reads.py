"""How are many askers answered by few queries? Who asks while a query runs shares the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.contracts.base import CaseId

State = TypeVar("State")
MOST_AT_ONCE = 200
# So many queries may run at once; below that nobody waits for anybody.
QUERIES = 2


@dataclass(slots=True)
class Reads(Generic[State]):
    """Groups reads of cases. Each asker sees the case as it stood after they asked."""

    load: Callable[[Collection[CaseId]], Awaitable[Mapping[CaseId, State]]]
    _waiting: dict[CaseId, asyncio.Future[State]] = field(default_factory=dict)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def one(self, case_id: CaseId) -> State:
        """Read a case; raises what its query raised."""
        answer = self._waiting.get(case_id)
        if answer is None:
            answer = self._waiting[case_id] = asyncio.get_running_loop().create_future()
            if len(self._running) < QUERIES:
                self._begin()
        return await asyncio.shield(answer)  # others may wait for the same answer

    def _begin(self) -> None:
        task = asyncio.create_task(self._turn())
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._waiting and not task.cancelled():
            self._begin()

    async def _turn(self) -> None:
        asked = {case: self._waiting.pop(case) for case in list(self._waiting)[:MOST_AT_ONCE]}
        try:
            if asked:
                await self._query(asked)
        finally:
            for answer in asked.values():
                answer.cancel()  # without effect on those that were answered

    async def _query(self, asked: Mapping[CaseId, asyncio.Future[State]]) -> None:
        """Answer all by one query; if that fails, each by its own: one may be to blame."""
        try:
            states = await self.load(asked.keys())
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            if len(asked) > 1:
                for case, answer in asked.items():
                    await self._query({case: answer})
                return
            [answer] = asked.values()
            answer.set_exception(error)
            answer.exception()  # whoever asked may have gone: then nobody is to be told
        else:
            for case, answer in asked.items():
                answer.set_result(states[case])
