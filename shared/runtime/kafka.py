"""How do we talk to Kafka? The only file that knows FastStream and aiokafka.

FastStream subscribes: it builds, starts and stops the consumer, acknowledges nothing by itself and
sees no message. The poll, the bytes and the offsets are ours, because every acknowledgement policy
it offers loses or loops on a bad message.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.partitioner import DefaultPartitioner
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.runtime.errors import is_weather
from shared.runtime.failpoints import failpoint
from shared.runtime.outbox import Outgoing
from shared.runtime.patience import Patience
from shared.runtime.wire import Message

POLL_MS = 500
POLL_RECORDS = 500
# A poll that gives nothing while the broker has more for so long means a consumer that stopped.
SILENT_SECONDS = 30.0
# Above the largest event of ours, so that one batch per partition can always hold one event.
BATCH_BYTES = 1_100_000
PRODUCE_TIMEOUT_MS = 15_000
LOG = structlog.get_logger()

Handle = Callable[[Sequence[Message]], Awaitable[None]]


@dataclass(slots=True)
class Progress:
    """Does consumption move? A broker that answers a ping proves nothing."""

    moved_at: float = field(default_factory=time.monotonic)
    connected: bool = False
    behind: int = 0
    restarts: int = 0

    def moved(self) -> None:
        self.moved_at = time.monotonic()

    @property
    def seconds_still(self) -> float:
        return time.monotonic() - self.moved_at


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
                LOG.warning("consumer_lost", cause=type(error).__name__)
            self.progress.connected = False
            self.progress.restarts += 1
            await patience.pause()

    async def _consume(self, patience: Patience) -> None:
        broker = KafkaBroker(self.bootstrap, logger=None, client_id=f"overread-{self.group}")
        subscriber = broker.subscriber(
            *self.topics,
            group_id=self.group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            max_poll_interval_ms=300_000,
        )
        try:
            await asyncio.wait_for(broker.start(), 60)
            consumer: Any = subscriber.consumer
            self.progress.connected = True
            self.progress.moved()
            await self._poll(consumer, patience)
        finally:
            with suppress(Exception):
                await asyncio.wait_for(broker.stop(), 15)

    async def _poll(self, consumer: Any, patience: Patience) -> None:
        while True:
            got = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            await failpoint("consumer.polled")
            if got:
                await self.handle([_message(record) for some in got.values() for record in some])
                await failpoint("consumer.handled")
                await _commit(consumer, {tp: some[-1].offset + 1 for tp, some in got.items()})
                await failpoint("consumer.acknowledged")
                patience.reset()
                self.progress.moved()
            elif self.progress.seconds_still > self.silent_seconds:
                await self._check(consumer)

    async def _check(self, consumer: Any) -> None:
        """Restart a consumer that gives nothing though the broker has more."""
        partitions = consumer.assignment()
        ends = await asyncio.wait_for(consumer.end_offsets(partitions), 20) if partitions else {}
        self.progress.behind = sum([end - await consumer.position(tp) for tp, end in ends.items()])
        if self.progress.behind > 0 or not partitions:
            raise KafkaError("the consumer stands still")
        self.progress.moved()


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
    connected: bool = False
    _producer: Any = None
    _partitioner: DefaultPartitioner = field(default_factory=DefaultPartitioner)

    async def __call__(self, wave: Sequence[Outgoing], /) -> list[int]:
        """Publish at most one batch per partition; give the `seq` of what was acknowledged."""
        producer = await self._started()
        batches = await self._batches(producer, wave)
        sent = await asyncio.gather(
            *(self._send(producer, tp, builder) for tp, (builder, _) in batches.items()),
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

    async def close(self) -> None:
        self.connected = False
        if self._producer is not None:
            producer, self._producer = self._producer, None
            with suppress(Exception):
                await asyncio.wait_for(producer.stop(), 5)

    async def _started(self) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap,
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES,
                max_request_size=BATCH_BYTES + 100_000,
                request_timeout_ms=PRODUCE_TIMEOUT_MS,
            )
            try:
                await asyncio.wait_for(producer.start(), 30)
            except BaseException:
                with suppress(Exception):
                    await asyncio.wait_for(producer.stop(), 5)
                raise
            self._producer = producer
        self.connected = True
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
            tp = TopicPartition(one.topic, self._partitioner(one.key, known, known))
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

    async def _send(self, producer: Any, tp: TopicPartition, builder: Any) -> None:
        builder.close()
        acknowledged = await producer.send_batch(builder, tp.topic, partition=tp.partition)
        await asyncio.wait_for(acknowledged, 2 * PRODUCE_TIMEOUT_MS / 1000)
