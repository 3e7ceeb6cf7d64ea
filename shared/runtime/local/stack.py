"""How does one whole Overread, servers and services, start, stop and get hurt in a folder?"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from shared.contracts.topics import SERVICES
from shared.runtime.local import environment, ports
from shared.runtime.local.child import Child, Command
from shared.runtime.local.clients import make_clients
from shared.runtime.local.database import service_dsn
from shared.runtime.local.kafka.server import KafkaServer
from shared.runtime.local.keys import read_or_make_keys
from shared.runtime.local.places import CHECKOUT, Places
from shared.runtime.local.postgres import PostgresServer
from shared.runtime.local.prepare import prepare_kafka, prepare_postgres
from shared.runtime.local.program import Program

LISTENERS = (*SERVICES, "issuer", "kafka", "kafka_controller", "postgres", "smtp")


def _quiet(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Plan:
    """What a stack is made of. What is not said is made: free ports, embedded servers, new keys.

    `argv` and `extra` are by service: another command to start it by, more variables for it.
    An external `kafka`, `postgres` (an administrator's DSN), `objects` or `issuer` is used, not
    started.
    `mailbox`: keep the mails in the folder; without it nobody listens on the SMTP port.
    """

    folder: Path
    ports: Mapping[str, int] = field(default_factory=dict)
    kafka: str | None = None
    postgres: str | None = None
    objects: str | None = None
    issuer: str | None = None
    database: str = "overread"
    topic_prefix: str = "overread"
    passwords: Mapping[str, str] | None = None
    services: tuple[str, ...] = SERVICES
    argv: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mailbox: bool = False


class Stack:
    """All its methods block: in async code `await asyncio.to_thread(stack.restart, "deid")`."""

    def __init__(self, plan: Plan, tell: Callable[[str], None] = _quiet) -> None:
        self.plan = plan
        self.tell = tell
        self.places = Places(plan.folder.absolute())
        self.places.make()
        chosen = zip(LISTENERS, ports.free_ports(len(LISTENERS)), strict=True)
        self.ports = {**dict(chosen), **plan.ports}
        self.keys = read_or_make_keys(self.places.keys, plan.passwords)
        self.clients = make_clients(self.places)
        self.postgres = None if plan.postgres else self._embedded_postgres()
        self.kafka = None if plan.kafka else self._embedded_kafka()
        self.mailbox = self._mailbox() if plan.mailbox else None
        self.issuer = None if plan.issuer else self._program("issuer", "shared.runtime.issuer")
        self.services = {name: self._program(name, f"services.{name}") for name in plan.services}

    @property
    def bootstrap(self) -> str:
        return self.plan.kafka or f"{ports.HOST}:{self.ports['kafka']}"

    @property
    def admin_dsn(self) -> str:
        """The Postgres administrator's address, of the database `postgres`."""
        return self.postgres.dsn if self.postgres else str(self.plan.postgres)

    @property
    def urls(self) -> dict[str, str]:
        return {name: program.url for name, program in self._programs()}

    @property
    def children(self) -> dict[str, Child]:
        """All that runs here, in the order in which it is started."""
        servers = {"postgres": self.postgres, "kafka": self.kafka}
        found = {name: server.child for name, server in servers.items() if server}
        if self.mailbox:
            found["mailbox"] = self.mailbox
        return {**found, **{name: program.child for name, program in self._programs()}}

    def dsn(self, service: str) -> str:
        """The service's own login: for tests that look into its schema."""
        password = self.keys.passwords[service]
        return service_dsn(self.admin_dsn, service, password, self.plan.database)

    def start(self) -> None:
        """Start all and wait until each is ready; raises SetupError, leaving nothing running."""
        try:
            self._start_servers()
            asyncio.run(self._prepare())
            for name, program in self._programs():
                program.child.start()
                self.tell(f"{name} started")
            for name, program in self._programs():
                program.await_ready()
                self.tell(f"{name} ready on {program.url}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Services first, so that they say goodbye to Kafka and Postgres; then the servers."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: one[1].child.stop(), self._programs()))
        self.tell("services stopped")
        if self.mailbox:
            self.mailbox.stop()
        for name, server in (("Kafka", self.kafka), ("Postgres", self.postgres)):
            if server:
                server.stop()
                self.tell(f"{name} stopped")

    def kill(self, service: str) -> None:
        """SIGKILL one service with its children; nothing restarts it here."""
        self.services[service].child.kill9()

    def restart(self, service: str) -> None:
        """Stop it, if it runs, start it and wait until it is ready."""
        program = self.services[service]
        program.child.stop()
        program.child.start()
        program.await_ready()

    def _programs(self) -> Iterator[tuple[str, Program]]:
        if self.issuer:
            yield "issuer", self.issuer
        yield from self.services.items()

    def _start_servers(self) -> None:
        """Side by side: Kafka takes four seconds, Postgres one."""
        servers = [server for server in (self.postgres, self.kafka) if server]
        with ThreadPoolExecutor() as pool:
            for server in pool.map(_started, servers):
                self.tell(f"{server.child.command.name} ready on port {server.port}")
        if self.mailbox:
            self.mailbox.start()
            self.tell(f"mailbox: mails to port {self.ports['smtp']} go to {self.places.mail}")

    async def _prepare(self) -> None:
        await prepare_postgres(self.admin_dsn, self.keys.passwords, self.plan.database)
        await prepare_kafka(self.bootstrap, self.plan.topic_prefix)
        self.tell("roles, schemas and topics are there")

    def _embedded_postgres(self) -> PostgresServer:
        log = self.places.log("postgres")
        admin = self.keys.postgres_admin
        return PostgresServer(self.places.postgres, self.ports["postgres"], log, admin)

    def _embedded_kafka(self) -> KafkaServer:
        log = self.places.log("kafka")
        both = self.ports["kafka"], self.ports["kafka_controller"]
        return KafkaServer(self.places.kafka, *both, log)

    def _mailbox(self) -> Child:
        listen = f"{ports.HOST}:{self.ports['smtp']}"
        handler = ("-c", "aiosmtpd.handlers.Mailbox", str(self.places.mail))
        argv = (sys.executable, "-m", "aiosmtpd", "-n", "-l", listen, *handler)
        command = Command("mailbox", argv, self.places.log("mailbox"))
        return Child(command, self.places.record("mailbox"))

    def _program(self, name: str, module: str) -> Program:
        argv = self.plan.argv.get(name, (sys.executable, "-m", module))
        variables = environment.outer_environment() | self._variables(name)
        command = Command(name, argv, self.places.log(name), variables, CHECKOUT)
        return Program(command, self.places.record(name), self.ports[name])

    def _variables(self, name: str) -> dict[str, str]:
        addresses = environment.Addresses(
            kafka=self.bootstrap,
            postgres={service: self.dsn(service) for service in self.keys.passwords},
            objects=self.plan.objects or str(self.places.objects),
            issuer=self.plan.issuer or f"http://{ports.HOST}:{self.ports['issuer']}",
            ports=self.ports,
            topic_prefix=self.plan.topic_prefix,
            smtp=f"{ports.HOST}:{self.ports['smtp']}",
            telemetry=self.places.telemetry,
        )
        if name == "issuer":
            return environment.issuer_environment(addresses, self.places.issuer)
        own = environment.service_environment(name, addresses, self.keys)
        return own | dict(self.plan.extra.get(name, {}))


def _started(server: PostgresServer | KafkaServer) -> PostgresServer | KafkaServer:
    server.start()
    return server
