"""How is a whole Overread run for a measurement? Five processes, people acting inside three."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import psutil
import yaml

from benchmarks.measured.acting.partner import PARTNER
from benchmarks.measured.servers import PASSWORDS, Servers
from cli.players import Operator
from shared.contracts.topics import SERVICES
from shared.runtime.local.child import last_lines
from shared.runtime.local.database import drop_database
from shared.runtime.local.stack import Plan, Stack
from shared.runtime.local.topics import delete_topics

ACTING = ("intake", "matching", "reporting")
READERS = 30
CAPACITY = 50
STILL_SECONDS = 60.0


@dataclass
class Receiver:
    """The hospital's system: takes every webhook, and remembers which came."""

    arrived: set[str] = field(default_factory=set)
    port: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        await reader.readexactly(int(fields.get("content-length", 0)))
        self.arrived.add(fields["webhook-id"])
        self.news.set()
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@dataclass
class Whole:
    """A running Overread; `name` is its topic prefix."""

    stack: Stack
    receiver: Receiver
    servers: Servers
    submitted: int = 0

    async def submit(self, count: int, rate: float = 0) -> None:
        """Let the integrator begin; `rate` in cases a second, 0 for as fast as it goes."""
        asked = {"first": self.submitted, "count": count, "rate": rate}
        async with httpx.AsyncClient(trust_env=False) as http:
            url = f"{self.stack.urls['intake']}/benchmark/cases"
            (await http.post(url, params=asked)).raise_for_status()
        self.submitted += count

    async def all_delivered(self) -> None:
        """Wait for the last one; raises when no other arrives for STILL_SECONDS."""
        while (arrived := len(self.receiver.arrived)) < self.submitted:
            self.receiver.news.clear()
            try:
                await asyncio.wait_for(self.receiver.news.wait(), STILL_SECONDS)
            except TimeoutError:
                stuck = f"{arrived} of {self.submitted} cases arrived, then none for a minute"
                raise RuntimeError(f"{stuck}\n{self._last_words()}") from None

    def _last_words(self) -> str:
        """Give the end of each service's log."""
        logs = [self.stack.places.log(name) for name in self.stack.services]
        return "\n".join(f"{log.name}:\n{last_lines(log)}" for log in logs)

    def cpu_seconds(self) -> dict[str, float]:
        """What each program has used so far, with its children."""
        services = {name: one.child.pid for name, one in self.stack.services.items()}
        return {name: _cpu(pid) for name, pid in {**services, **self.servers.pids}.items() if pid}


@asynccontextmanager
async def whole(servers: Servers, name: str = "bench_whole") -> AsyncIterator[Whole]:
    await drop_database(servers.postgres, name)
    prefix = name.replace("_", "-")
    stack = Stack(_plan(servers, name, prefix))
    receiver = Receiver()
    listening = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    try:
        await asyncio.to_thread(stack.start)
        receiver.port = listening.sockets[0].getsockname()[1]
        await _send_results_to(stack, receiver.port)
        yield Whole(stack, receiver, servers)
    finally:
        await asyncio.to_thread(stack.stop)
        listening.close()
        await delete_topics(servers.kafka, prefix)
        await drop_database(servers.postgres, name)


def _plan(servers: Servers, database: str, prefix: str) -> Plan:
    folder = servers.folder / prefix
    folder.mkdir()
    seed = folder / "readers.yaml"
    seed.write_text(yaml.safe_dump({"readers": [_reader(n) for n in range(READERS)]}))
    module = "benchmarks.measured.acting"
    return Plan(
        folder,
        kafka=servers.kafka,
        postgres=servers.postgres,
        database=database,
        topic_prefix=prefix,
        passwords=PASSWORDS,
        argv={name: (sys.executable, "-m", f"{module}.{name}") for name in ACTING},
        extra={
            **{name: {"OVERREAD_TELEMETRY": ""} for name in SERVICES},
            "matching": {"MATCHING_SEED": str(seed), "OVERREAD_TELEMETRY": ""},
        },
    )


def _reader(number: int) -> Mapping[str, object]:
    return {
        "id": f"dr-{number}",
        "subspecialties": ["chest"],
        "modalities": ["CT"],
        "licences": [{"jurisdiction": "US-VT", "expires_on": "2039-12-31"}],
        "languages": ["en"],
        "time_zone": "America/New_York",
        "shifts": [{"start": "00:00", "end": "00:00"}],
        "capacity": CAPACITY,
    }


async def _send_results_to(stack: Stack, port: int) -> None:
    async with Operator(stack.urls, "operator", stack.clients["operator"]) as operator:
        path = f"/v1/admin/partners/{PARTNER}"
        channels = {"webhook": f"http://127.0.0.1:{port}/results", "mail": False}
        await operator.ask("PUT", "notify", path, json=channels)
        await operator.act("notify", f"{path}/rotate-secret")


def _cpu(pid: int) -> float:
    one = psutil.Process(pid)
    family = [one, *one.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in family)
