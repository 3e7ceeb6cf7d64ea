"""How do events get into Kafka? In waves, by an idempotent producer (outbox.py has the order)."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from shared.runtime.outbox import Outgoing

# Above the largest event of ours, so that one batch per partition can always hold one event; below
# what a broker takes by default (message.max.bytes, 1,048,588).
BATCH_BYTES = 1_040_000
START_SECONDS = 15
REACH_SECONDS = 2  # a Kafka that takes longer is away
PRODUCE_TIMEOUT_MS = 10_000
ACKNOWLEDGE_SECONDS = 20


@dataclass(slots=True)
class Publisher:
    """Publishes waves of the outbox with an idempotent producer, made anew after any error."""

    bootstrap: str
    _producer: Any = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _start: asyncio.Task[Any] | None = None

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
        """Tell whether Kafka answers a producer now.

        A start that takes longer goes on behind the answer: on a busy machine one that was ended
        with each question would never be over, and the service never ready.
        """
        if self._start is None or self._start.done():
            self._start = asyncio.create_task(self._started())
            self._start.add_done_callback(_heard)
        start = self._start
        await asyncio.wait({start}, timeout=REACH_SECONDS)
        if not start.done() or start.cancelled():
            return False
        try:
            asked = start.result().client.force_metadata_update()
            return bool(await asyncio.wait_for(asked, REACH_SECONDS))
        except (KafkaError, TimeoutError, OSError):
            return False

    async def close(self) -> None:
        """Drop the producer and what it has not yet sent: that is still in the outbox."""
        if self._start is not None:
            self._start.cancel()
            await asyncio.gather(self._start, return_exceptions=True)
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


def _heard(start: asyncio.Task[Any]) -> None:
    """Take note of how it ended, so that asyncio does not complain that nobody did."""
    if not start.cancelled():
        start.exception()


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
