"""What hurts the system? Services killed every two seconds, the broker thrice, Postgres twice."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.runtime import clock
from shared.runtime.local.child import Child
from shared.runtime.local.failure import SetupError
from shared.runtime.local.kafka.server import KafkaServer
from shared.runtime.local.postgres import PostgresServer

KILL_SECONDS = 2.0
LOOK_SECONDS = 0.1
BROKER_KILLS = 3
POSTGRES_CRASHES = 2


@dataclass
class Weather:
    """Hurts for `seconds`, and brings back whatever died, by its own hand or by a fail point."""

    programs: dict[str, Child]
    kafka: KafkaServer
    postgres: PostgresServer
    seconds: float
    seed: int
    tell: Callable[[str], None]
    killed: dict[str, int] = field(default_factory=dict)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 - which service dies next is no secret
        self._over = threading.Event()
        self._calm = threading.Event()
        # One hand at a time: a child that is killed must not be started before it is dead.
        self._hand = threading.Lock()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._strike, self._bring_back)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_until_calm(self) -> None:
        """Wait for the last blow; what dies by itself is still brought back until `end`."""
        self._calm.wait()

    def sweep(self) -> None:
        """Kill every program once: each comes back as it is started now."""
        for name in self.programs:
            self._kill(name)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a thread's error must reach the run
            self.failure = error
        finally:
            self._calm.set()

    def _strike(self) -> None:
        began = clock.ticks()
        blows = sorted(self._plan(), key=lambda blow: blow[0])
        for at, name in blows:
            if self._over.wait(max(0.0, began + at - clock.ticks())):
                return
            self._blow(name)
        self._over.wait(max(0.0, began + self.seconds - clock.ticks()))

    def _plan(self) -> list[tuple[float, str]]:
        """Spread the blows over the time; the servers' at odd moments between the services'."""
        names = sorted(self.programs)
        count = int(self.seconds / KILL_SECONDS)
        blows = [(KILL_SECONDS * n, self._dice.choice(names)) for n in range(1, count + 1)]
        servers = [("kafka", BROKER_KILLS), ("postgres", POSTGRES_CRASHES)]
        for name, times in servers:
            share = self.seconds / (times + 1)
            blows += [(share * (n + 1) - 0.7 * self._dice.random(), name) for n in range(times)]
        return blows

    def _blow(self, name: str) -> None:
        self.killed[name] = self.killed.get(name, 0) + 1
        self.tell(f"kill -9 {name}")
        match name:
            case "kafka":
                self.kafka.kill9()
                _start(self.kafka)
            case "postgres":
                self.postgres.crash()
                _start(self.postgres)
            case _:
                self._kill(name)

    def _kill(self, name: str) -> None:
        with self._hand:
            self.programs[name].kill9()

    def _bring_back(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            for name, child in self.programs.items():
                with self._hand:
                    if not child.is_alive:
                        self.tell(f"{name} starts again")
                        child.start()


def _start(server: KafkaServer | PostgresServer) -> None:
    """Start again after a kill; a port or a lock may still be held for a moment."""
    for attempt in range(3):
        try:
            server.start()
        except SetupError:
            if attempt == 2:
                raise
        else:
            return
