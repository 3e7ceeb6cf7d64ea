"""What becomes of a batch of messages? All handled; the guilty parked; weather waited out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from traceback import walk_tb
from typing import Any

import structlog

from shared.contracts.base import Event
from shared.runtime.errors import Unprocessable, is_weather
from shared.runtime.handle import Incoming, Runner
from shared.runtime.patience import Patience, tell_weather
from shared.runtime.wire import Foreign, Message, Poison, Readable, read

LOG = structlog.get_logger()
# Of a trace we name the deepest line that is none of these: the place where a person has to look.
LIBRARIES = ("asyncpg", "pydantic", "asyncio", "contextlib", "json")


@dataclass(slots=True)
class Feed:
    """Handles messages for ever: returns only when each is handled or parked."""

    runner: Runner[Any]
    wanted: Mapping[str, type[Event]]
    patience: Patience = field(default_factory=Patience)
    healthy: bool = True

    async def __call__(self, messages: Sequence[Message]) -> None:
        await self.handle(self.read(messages))

    def read(self, messages: Sequence[Message]) -> Sequence[Incoming | Poison]:
        """Read what was polled, without waiting for anything; nothing happens to it yet."""
        reads = [read(message, self.wanted) for message in messages]
        return [_item(one) for one in reads if not isinstance(one, Foreign)]

    async def handle(self, items: Sequence[Incoming | Poison]) -> None:
        for poison in items:
            if isinstance(poison, Poison):
                _tell(poison)
        if items:
            await self._outlast(items)

    async def _outlast(self, items: Sequence[Incoming | Poison]) -> None:
        """Try until the weather allows; split a batch in which one is guilty."""
        while True:
            try:
                await self.runner.handle(items)
            except Exception as error:  # noqa: BLE001 - here weather and guilt are told apart
                if not is_weather(error):
                    await self._split(items, error)
                    return
                self.healthy = False
                tell_weather("consumer", error)
                await self.patience.pause()
            else:
                self.healthy = True
                self.patience.reset()
                return

    async def _split(self, items: Sequence[Incoming | Poison], error: Exception) -> None:
        """Halve until the guilty one stands alone: the order stays, and the others go on."""
        if len(items) > 1:
            middle = len(items) // 2
            await self._outlast(items[:middle])
            await self._outlast(items[middle:])
            return
        [guilty] = items
        if not isinstance(guilty, Incoming) or guilty.readable is None:
            raise error
        poison = guilty_of(guilty.readable, error)
        _tell(poison)
        await self._outlast([poison])


def guilty_of(readable: Readable, error: Exception) -> Poison:
    """Name the cause without the error's words, which may quote what was in the message."""
    kind = type(readable.event).ce_type()
    return Poison(readable.message, cause_of(error), readable.case_id, readable.event_id, kind)


def cause_of(error: Exception) -> str:
    return error.reason if isinstance(error, Unprocessable) else f"handler: {_place(error)}"


def _place(error: Exception) -> str:
    """Name the error's type and the deepest line of our own that it came through."""
    frames = [
        (str(frame.f_globals.get("__name__", "")), frame.f_code.co_name, line)
        for frame, line in walk_tb(error.__traceback__)
    ]
    ours = [frame for frame in frames if not frame[0].startswith(LIBRARIES)]
    module, function, line = (ours or frames or [("", "", 0)])[-1]
    return f"{type(error).__name__} in {module}.{function}, line {line}"


def _item(one: Readable | Poison) -> Incoming | Poison:
    if isinstance(one, Poison):
        return one
    return incoming(one)


def incoming(readable: Readable, *, waits: bool = True) -> Incoming:
    """Turn a message into an input; one that `waits` stays behind a parked one of its case."""
    return Incoming(
        readable.event_id,
        readable.case_id,
        readable.event,
        readable.traceparent,
        readable=readable if waits else None,
    )


def _tell(poison: Poison) -> None:
    LOG.error(
        "parked",
        topic=poison.message.topic,
        partition=poison.message.partition,
        offset=poison.message.offset,
        event_type=poison.type,
        cause=poison.cause.replace(" ", "_"),
    )
