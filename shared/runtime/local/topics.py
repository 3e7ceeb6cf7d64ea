"""How do the five topics come into being, and go?"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts.topics import SERVICES, topic

PARTITIONS = 6  # replicas of one service that can share the work on one machine, and some to spare
KEEP_FOR_EVER = "-1"
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.02


async def create_topics(bootstrap: str, prefix: str = "overread") -> list[str]:
    """Make each service's topic that is missing; gives all five names. Twice is harmless.

    The replication factor is the broker's own default: 1 here, 3 on a real cluster.
    """
    names = [topic(service, prefix) for service in SERVICES]
    await create_named_topics(bootstrap, names)
    return names


async def create_named_topics(
    bootstrap: str, names: Sequence[str], partitions: int = PARTITIONS
) -> None:
    """Raises the broker's error for a topic that could not be made."""
    wanted = [
        NewTopic(
            name=name,
            num_partitions=partitions,
            replication_factor=-1,
            replica_assignments={},  # aiokafka takes -1 only together with this
            topic_configs={"retention.ms": KEEP_FOR_EVER, "max.message.bytes": "16777216"},
        )
        for name in names
    ]
    async with _admin(bootstrap) as admin:
        answer = await admin.create_topics(wanted)
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(name)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await _have_leaders(admin, names):  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(POLL_SECONDS)


async def delete_topics(bootstrap: str, prefix: str) -> None:
    """Remove every topic that begins with the prefix and a dot: for tests."""
    async with _admin(bootstrap) as admin:
        names = [name for name in await admin.list_topics() if name.startswith(f"{prefix}.")]
        if names:
            await admin.delete_topics(names)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not set(names).isdisjoint(await admin.list_topics()):  # noqa: ASYNC110 - as above
                await asyncio.sleep(POLL_SECONDS)


async def _have_leaders(admin: AIOKafkaAdminClient, names: Sequence[str]) -> bool:
    """The controller answers before the brokers know the topic: who writes at once is refused."""
    return all(
        described["error_code"] == 0
        and described["partitions"]
        and all(partition["leader"] >= 0 for partition in described["partitions"])
        for described in await admin.describe_topics(list(names))
    )


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
