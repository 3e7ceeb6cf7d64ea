"""How do we talk to Kafka? The only file that knows FastStream and aiokafka.

FastStream subscribes: it builds, starts and stops the consumer, acknowledges nothing by itself and
sees no message. The poll, the bytes and the offsets are ours, because every acknowledgement policy
it offers loses or loops on a bad message.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.partitioner import DefaultPartitioner
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.runtime import clock
from shared.runtime.errors import is_weather
from shared.runtime.failpoints import failpoint
from shared.runtime.outbox import Outgoing
from shared.runtime.patience import Patience, tell_weather
from shared.runtime.telemetry import metrics
from shared.runtime.wire import Message

POLL_MS = 500
POLL_RECORDS = 500
# A consumer that had nothing for so long asks the broker whether there is really nothing.
ASK_SECONDS = 5.0
# Nothing for so long though the broker has more means a consumer that stopped.
SILENT_SECONDS = 30.0
# A replica that was killed is missed after so long, and its partitions go to others.
SESSION_MS = 10_000
# Above the largest event of ours, so that one batch per partition can always hold one event; below
# what a broker takes by default (message.max.bytes, 1,048,588).
BATCH_BYTES = 1_040_000
START_SECONDS = 15
PRODUCE_TIMEOUT_MS = 10_000
ACKNOWLEDGE_SECONDS = 20
NOT_UTF_8 = (("", b"\xff"),)
LOG = structlog.get_logger()

Handle = Callable[[Sequence[Message]], Awaitable[None]]


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
class Subscription:
    """Feeds topics to `handle`, in batches, at least once, a partition's messages in order.

    `handle` returns when the batch is done for good, and raises only for weather that it could
    not outlast; then the consumer is made anew and reads on from the last committed offset.
    """

    bootstrap: str
    group: str
    topics: Sequence[str]
    handle: Handle
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
        asked_at = clock.ticks()
        while True:
            got = await _taken(consumer, self.most_at_once)
            if got:
                await failpoint("consumer.polled")
                await self.handle([_message(record) for some in got.values() for record in some])
                await failpoint("consumer.handled")
                await _commit(consumer, {tp: some[-1].offset + 1 for tp, some in got.items()})
                await failpoint("consumer.acknowledged")
                self._progressed(consumer, got)
                patience.reset()
            elif clock.ticks() - asked_at > min(ASK_SECONDS, self.silent_seconds / 2):
                await self._ask(consumer)
                asked_at = clock.ticks()

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


async def _taken(consumer: Any, most: int) -> dict[TopicPartition, list[Any]]:
    try:
        taken = await consumer.getmany(timeout_ms=POLL_MS, max_records=most)
    except UnicodeDecodeError:
        taken = await _one_of_each(consumer)
    return dict(taken)


async def _one_of_each(consumer: Any) -> dict[TopicPartition, list[Any]]:
    """Step around a record in which a header's *name* is no UTF-8.

    aiokafka gives none of a fetch that holds one, and forgets what it took from other partitions
    for it. So we go back, take the next record of each partition alone, and in the place of that
    one a record of which only the place is known; its bytes stay in the topic.
    """
    taken: dict[TopicPartition, list[Any]] = {}
    for tp in consumer.assignment():
        await _go_back(consumer, tp)
        try:
            taken |= await consumer.getmany(tp, timeout_ms=POLL_MS, max_records=1)
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


@dataclass(slots=True)
class Publisher:
    """Publishes waves of the outbox with an idempotent producer, made anew after any error."""

    bootstrap: str
    _producer: Any = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def connected(self) -> bool:
        return self._producer is not None

    async def __call__(self, wave: Sequence[Outgoing], /) -> list[int]:
        """Publish at most one batch per partition; give the `seq` of what was acknowledged."""
        producer = await self._started()
        batches = await self._batches(producer, wave)
        sent = await asyncio.gather(
            *(_send(producer, tp, builder) for tp, (builder, _) in batches.items()),
            return_exceptions=True,
        )
        errors = [error for error in sent if isinstance(error, BaseException)]
        done = [
            seq
            for (_, seqs), error in zip(batches.values(), sent, strict=True)
            if not isinstance(error, BaseException)
            for seq in seqs
        ]
        if errors:
            await self.close()
        if errors and not done:
            raise errors[0]
        return done

    async def reachable(self) -> bool:
        """Tell whether Kafka answers a producer now."""
        try:
            producer = await asyncio.wait_for(self._started(), 2)
            return bool(await asyncio.wait_for(producer.client.force_metadata_update(), 2))
        except (KafkaError, TimeoutError, OSError):
            return False

    async def close(self) -> None:
        """Drop the producer and what it has not yet sent: that is still in the outbox."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await _abandon(producer)

    async def _started(self) -> Any:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self.bootstrap,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=BATCH_BYTES,
                    max_request_size=BATCH_BYTES,
                    request_timeout_ms=PRODUCE_TIMEOUT_MS,
                )
                try:
                    await asyncio.wait_for(producer.start(), START_SECONDS)
                except BaseException:
                    await _abandon(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _batches(
        self, producer: Any, wave: Iterable[Outgoing]
    ) -> dict[TopicPartition, tuple[Any, list[int]]]:
        batches: dict[TopicPartition, tuple[Any, list[int]]] = {}
        full: set[TopicPartition] = set()
        partitions: dict[str, list[int]] = {}
        for one in wave:
            if one.topic not in partitions:
                partitions[one.topic] = sorted(await producer.partitions_for(one.topic))
            known = partitions[one.topic]
            tp = TopicPartition(one.topic, _partition(one.key, tuple(known)))
            if tp in full:
                continue
            builder, seqs = batches.setdefault(tp, (producer.create_batch(), []))
            taken = builder.append(
                key=one.key, value=one.value, timestamp=None, headers=one.headers
            )
            if taken is None:
                full.add(tp)
            else:
                seqs.append(one.seq)
        return batches


@lru_cache(maxsize=20_000)
def _partition(key: bytes, known: tuple[int, ...]) -> int:
    """Give a case's partition, as every client of Kafka does; the hash is slow in Python."""
    return int(DefaultPartitioner()(key, known, known))


async def _send(producer: Any, tp: TopicPartition, builder: Any) -> None:
    builder.close()
    acknowledged = await producer.send_batch(builder, tp.topic, partition=tp.partition)
    await asyncio.wait_for(acknowledged, ACKNOWLEDGE_SECONDS)


async def _abandon(producer: Any) -> None:
    """Drop a producer at once.

    Its own stop() first sends what it holds, for as long as that takes, and one that is cut short
    in it goes on sending behind our back.
    """
    producer._closed = True  # noqa: SLF001 - or it complains of not having been stopped
    with suppress(Exception):
        await asyncio.wait_for(producer.client.close(), 5)
    with suppress(Exception):
        await asyncio.wait_for(producer._sender.close(), 5)  # noqa: SLF001 - see above
