"""How many events a second go through one hop of the real runner, and how many could at most?

A hop is: consume, decode, inbox, load, decide, save, outbox, relay, publish. The raw limit does the
same I/O without us, one after the other: aiokafka consumes the same messages, asyncpg inserts the
same rows in batches, aiokafka produces the same events.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measured import raw, replicas
from benchmarks.measured.hopping import Hopping
from benchmarks.measured.hospital import inputs
from benchmarks.measured.place import Place, opened
from benchmarks.measured.servers import Servers
from shared.runtime import collector
from shared.runtime.kafka import POLL_RECORDS


@dataclass(frozen=True, slots=True)
class Hop:
    """Events a second of each round: by two replicas, by one, one by one, and the raw limit."""

    shared: Sequence[float]
    batched: Sequence[float]
    single: Sequence[float]
    limits: Sequence[raw.Limit]

    def of_limit(self, rates: Sequence[float]) -> float:
        """The median over the rounds of the share of that round's limit."""
        return median(rate / one.all for rate, one in zip(rates, self.limits, strict=True))

    @property
    def times_single(self) -> float:
        return median(b / s for b, s in zip(self.batched, self.single, strict=True))


async def measure(servers: Servers, rounds: int, count: int) -> Hop:
    """Alternate the four, because the machine is shared; one by one goes a twentieth of them."""
    limits, shared, batched, single = [], [], [], []
    work = raw.decided(list(inputs(count)))
    events = [one.received for one in work]
    few = events[: max(1, count // 20)]
    collector.rarely()  # a service does not hold the events to come
    async with opened(servers) as place:
        for _ in range(rounds):
            prefix = await place.told(events)
            await place.emptied()
            limits.append(await raw.limit(servers.kafka, place.pool, prefix, work))
            batched.append(await _rate(place, prefix, count))
            await place.emptied()
            shared.append(count / await replicas.seconds(place, events))
            single.append(await _rate(place, await place.told(few), len(few), most_at_once=1))
    return Hop(shared, batched, single, limits)


async def _rate(place: Place, prefix: str, count: int, most_at_once: int = POLL_RECORDS) -> float:
    await place.emptied()
    return count / await Hopping(place, prefix, most_at_once).seconds(count)
