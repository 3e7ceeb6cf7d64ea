"""How does one Kafka broker in KRaft mode start, stop and crash on this machine?"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from string import Template

from shared.runtime.local import ports
from shared.runtime.local.child import Child, Command
from shared.runtime.local.failure import SetupError
from shared.runtime.local.kafka.jars import archive_file, find_java, jars_folder

HERE = Path(__file__).parent
# A broker without replicas and with six partitions a topic is content with half a gigabyte.
# It is started often and runs for minutes: what its second compiler would gain it never earns.
JVM = (
    "-Xmx512m",
    "-Xms128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)
# One fixed id: this cluster is always alone, and a data folder must fit its broker again.
CLUSTER_ID = "b3ZlcnJlYWQtbG9jYWwtMQ"


class KafkaServer:
    """One broker with its log under `folder`, on 127.0.0.1:`port`."""

    def __init__(
        self, folder: Path, port: int, controller_port: int, log: Path, jvm: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.port = port
        self.controller_port = controller_port
        self._properties = folder / "server.properties"
        argv = [*_java(jvm), "kafka.Kafka", str(self._properties)]
        self.child = Child(Command("Kafka", argv, log), folder / "pid.json")

    @property
    def bootstrap(self) -> str:
        return f"{ports.HOST}:{self.port}"

    def start(self) -> None:
        """Start and wait until clients are served; the first time, format the log's folder."""
        if self.child.is_alive:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        template = Template((HERE / "server.properties").read_text(encoding="utf-8"))
        files = self.folder / "data"
        self._properties.write_text(
            template.substitute(port=self.port, controller_port=self.controller_port, folder=files),
            encoding="utf-8",
        )
        if not (files / "meta.properties").exists():
            self._format()
        self.child.start()
        self.child.await_ready(self._serves, seconds=180)

    def stop(self) -> None:
        self.child.stop(seconds=30)

    def kill9(self) -> None:
        self.child.kill9()

    def _format(self) -> None:
        argv = [*_java(), "kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID]
        argv += ["--config", str(self._properties), "--ignore-formatted"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SetupError(
                "Kafka could not make its files", quote=(done.stdout + done.stderr)[-500:]
            )

    def _serves(self) -> bool:
        """The broker opens this port last, once it is registered and has its metadata."""
        return ports.is_listening(self.port) and ports.listens(self.child.pid, self.port)


def _fast_start() -> tuple[str, ...]:
    archive = archive_file()
    return (f"-XX:SharedArchiveFile={archive}",) if archive.exists() else ()


def _java(jvm: Sequence[str] = ()) -> list[str]:
    classpath = f"{jars_folder()}/*"
    logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
    return [find_java(), *JVM, *(jvm or _fast_start()), logging, "-cp", classpath]
