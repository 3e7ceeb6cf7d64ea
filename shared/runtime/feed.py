"""What becomes of a batch of messages? All handled; the guilty parked; weather waited out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from shared.contracts.base import Event
from shared.runtime.errors import Unprocessable, is_weather
from shared.runtime.handle import Incoming, Runner
from shared.runtime.patience import Patience
from shared.runtime.wire import Foreign, Message, Poison, Readable, read

LOG = structlog.get_logger()


@dataclass(slots=True)
class Feed:
    """Handles messages for ever: returns only when each is handled or parked."""

    runner: Runner[Any]
    wanted: Mapping[str, type[Event]]
    patience: Patience = field(default_factory=Patience)
    healthy: bool = True

    async def __call__(self, messages: Sequence[Message]) -> None:
        reads = [read(message, self.wanted) for message in messages]
        items = [_item(one) for one in reads if not isinstance(one, Foreign)]
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
                LOG.warning("weather", cause=type(error).__name__)
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
    cause = error.reason if isinstance(error, Unprocessable) else f"handler: {_place(error)}"
    kind = type(readable.event).ce_type()
    return Poison(readable.message, cause, readable.case_id, readable.event_id, kind)


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_name}, line {trace.tb_lineno}"


def _item(one: Readable | Poison) -> Incoming | Poison:
    if isinstance(one, Poison):
        return one
    return incoming(one)


def incoming(readable: Readable) -> Incoming:
    return Incoming(
        readable.event_id,
        readable.case_id,
        readable.event,
        readable.traceparent,
        readable=readable,
    )


def _tell(poison: Poison) -> None:
    LOG.error(
        "parked",
        topic=poison.message.topic,
        partition=poison.message.partition,
        offset=poison.message.offset,
        event_type=poison.type,
        cause=poison.cause,
    )
