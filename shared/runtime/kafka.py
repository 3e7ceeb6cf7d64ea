"""How do we hear from Kafka? The only file that knows FastStream.

FastStream subscribes: it builds, starts and stops the consumer, acknowledges nothing by itself and
sees no message. The poll, the bytes and the offsets are ours, because every acknowledgement policy
it offers loses or loops on a bad message.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.runtime import clock
from shared.runtime.errors import is_weather
from shared.runtime.failpoints import failpoint
from shared.runtime.patience import Pace, Patience, tell_weather
from shared.runtime.telemetry import metrics
from shared.runtime.wire import Message

POLL_MS = 500
POLL_RECORDS = 500
# There is a record, so a fetch gives it; one that were cut short would begin anew for ever.
SLOW_FETCH_MS = 10_000
# A consumer that had nothing for so long asks the broker whether there is really nothing.
ASK_SECONDS = 5.0
# Nothing for so long though the broker has more means a consumer that stopped.
SILENT_SECONDS = 30.0
# A replica that was killed is missed after so long, and its partitions go to others.
SESSION_MS = 10_000
NOT_UTF_8 = (("", b"\xff"),)
LOG = structlog.get_logger()


class Feeding(Protocol):
    """What becomes of the messages of a subscription (feed.py)."""

    def read(self, messages: Sequence[Message], /) -> Sequence[Any]:
        """Read a batch, without waiting for anything: the one before may still be handled."""

    async def handle(self, items: Sequence[Any], /) -> None:
        """Return when the batch is done for good; raise only for weather not to be outlasted."""


@dataclass(slots=True)
class Progress(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Does consumption move? A broker that answers a ping proves nothing.

    `member`: the group gave us our share, which may be nothing where replicas are many.
    """

    moved_at: float = field(default_factory=clock.ticks)
    connected: bool = False
    member: bool = False
    behind: int = 0
    restarts: int = 0

    def moved(self) -> None:
        self.moved_at = clock.ticks()

    @property
    def seconds_still(self) -> float:
        return clock.ticks() - self.moved_at

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - aiokafka names it
        self.member = True

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.member = False
        for tp in revoked:
            with suppress(KeyError):
                metrics.forget(tp.topic, tp.partition)


@dataclass(slots=True)
class Turn:
    """One batch's turn, in the background; the next may begin when it is `over`."""

    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        return

    async def __aexit__(self, *_: object) -> None:
        """End it half-way if need be: what was not acknowledged comes again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(work)

    async def over(self) -> None:
        """Wait for its end; raises what it raised."""
        if self._task is not None:
            await self._task
            self._task = None


@dataclass(slots=True)
class Subscription:
    """Feeds topics to `feed`, in batches, at least once, a partition's messages in order.

    Under a backlog the next batch is polled and read while one is handled, and handled after it.
    When handling raises, the consumer is made anew and reads on from the last committed offset.
    """

    bootstrap: str
    group: str
    topics: Sequence[str]
    feed: Feeding
    silent_seconds: float = SILENT_SECONDS
    session_ms: int | None = None
    most_at_once: int = POLL_RECORDS
    member: str | None = None
    progress: Progress = field(default_factory=Progress)

    async def run(self) -> None:
        """Consume for ever, over as many consumers as it takes."""
        patience = Patience()
        while True:
            try:
                await self._consume(patience)
            except Exception as error:
                if not is_weather(error) and not isinstance(error, KafkaError):
                    raise
                tell_weather("kafka", error)
            finally:
                self.progress.connected = self.progress.member = False
            self.progress.restarts += 1
            await patience.pause()

    async def _consume(self, patience: Patience) -> None:
        session_ms = self.session_ms or SESSION_MS
        broker = KafkaBroker(
            self.bootstrap,
            logger=None,
            client_id=f"overread-{self.group}",
            consumer_only=True,
        )
        subscriber = broker.subscriber(
            *self.topics,
            group_id=self.group,
            group_instance_id=self.member,
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 4,
            max_poll_interval_ms=300_000,
            listener=self.progress,
        )
        try:
            await asyncio.wait_for(broker.start(), 60)
            self.progress.connected = True
            self.progress.moved()
            await self._poll(subscriber.consumer, patience)
        finally:
            with suppress(Exception):
                await asyncio.wait_for(broker.stop(), 15)

    async def _poll(self, consumer: Any, patience: Patience) -> None:
        asked_at, pace, turn = clock.ticks(), Pace(), Turn()
        async with turn:
            while True:
                await pace.rest()
                got = await self._taken(consumer, turn)
                if got:
                    await failpoint("consumer.polled")
                    messages = [_message(one) for some in got.values() for one in some]
                    items = self.feed.read(messages)
                    await turn.over()
                    turn.begin(self._handled(consumer, got, items))
                    if len(messages) < self.most_at_once:
                        with pace.turn():
                            await turn.over()
                    patience.reset()
                elif clock.ticks() - asked_at > min(ASK_SECONDS, self.silent_seconds / 2):
                    await turn.over()
                    await self._ask(consumer)
                    asked_at = clock.ticks()

    async def _handled(
        self, consumer: Any, got: Mapping[TopicPartition, Sequence[Any]], items: Sequence[Any]
    ) -> None:
        await self.feed.handle(items)
        await failpoint("consumer.handled")
        await _commit(consumer, {tp: some[-1].offset + 1 for tp, some in got.items()})
        await failpoint("consumer.acknowledged")
        self._progressed(consumer, got)

    async def _taken(self, consumer: Any, turn: "Turn") -> dict[TopicPartition, list[Any]]:
        try:
            return dict(await consumer.getmany(timeout_ms=POLL_MS, max_records=self.most_at_once))
        except UnicodeDecodeError:
            await turn.over()  # what goes back to the committed offset must not overtake it
            return await _one_of_each(consumer)

    def _progressed(self, consumer: Any, got: Mapping[TopicPartition, Sequence[Any]]) -> None:
        self.progress.connected = True
        self.progress.moved()
        self.progress.behind = 0
        for tp in got.keys() & consumer.assignment():
            lag = max(0, (consumer.highwater(tp) or 0) - got[tp][-1].offset - 1)
            self.progress.behind += lag
            metrics.progressed(tp.topic, tp.partition)
            metrics.LAG.labels(tp.topic, str(tp.partition)).set(lag)

    async def _ask(self, consumer: Any) -> None:
        """Ask the broker what there is; raises when a silent consumer should have had more."""
        try:
            self.progress.behind = await asyncio.wait_for(_behind(consumer), ASK_SECONDS)
            self.progress.connected = True
            if self.progress.behind == 0 and self.progress.member:
                self.progress.moved()
        except (KafkaError, TimeoutError, OSError):
            self.progress.connected = False
        if self.progress.seconds_still > self.silent_seconds:
            raise KafkaError("the consumer stands still")


async def _one_of_each(consumer: Any) -> dict[TopicPartition, list[Any]]:
    """Step around a record in which a header's *name* is no UTF-8.

    aiokafka gives none of a fetch that holds one, and forgets what it took from other partitions
    for it. So we go back, take the next record of each partition alone, and in the place of that
    one a record of which only the place is known; its bytes stay in the topic.
    """
    taken: dict[TopicPartition, list[Any]] = {}
    ends = await consumer.end_offsets(consumer.assignment())
    for tp, end in ends.items():
        await _go_back(consumer, tp)
        if await consumer.position(tp) >= end:
            continue
        try:
            taken |= await consumer.getmany(tp, timeout_ms=SLOW_FETCH_MS, max_records=1)
        except UnicodeDecodeError:
            offset = await consumer.position(tp)
            consumer.seek(tp, offset + 1)
            taken[tp] = [Message(tp.topic, tp.partition, offset, None, None, NOT_UTF_8)]
    return taken


async def _go_back(consumer: Any, tp: TopicPartition) -> None:
    done = await consumer.committed(tp)
    if done is None:
        await consumer.seek_to_beginning(tp)
    else:
        consumer.seek(tp, done)


async def _behind(consumer: Any) -> int:
    """Count the messages that the broker has and we have not seen."""
    partitions = consumer.assignment()
    ends = await consumer.end_offsets(partitions) if partitions else {}
    return sum([end - await consumer.position(tp) for tp, end in ends.items()])


def _message(record: Any) -> Message:
    return Message(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        tuple(record.headers),
    )


async def _commit(consumer: Any, offsets: dict[Any, int]) -> None:
    """Acknowledge. Partitions that were taken from us meanwhile are another's to acknowledge."""
    mine = consumer.assignment()
    offsets = {tp: offset for tp, offset in offsets.items() if tp in mine}
    with suppress(CommitFailedError, IllegalStateError):
        if offsets:
            await consumer.commit(offsets)
