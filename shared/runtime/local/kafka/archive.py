"""How does the broker start in half the time? From an archive of its loaded classes, made once.

Java's class data sharing (JEP 350). An archive that does not fit, after an upgrade of Java for
instance, is ignored by Java: it is a matter of speed alone.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.runtime.local import ports
from shared.runtime.local.failure import SetupError
from shared.runtime.local.kafka.jars import CACHE, archive_file
from shared.runtime.local.kafka.server import KafkaServer

DUMP_SECONDS = 120  # writing 50 MB takes Java ten seconds, and a busy machine longer


def make_archive(cache: Path = CACHE) -> None:
    """Run a broker once and keep what it loaded, unless that was done before."""
    archive = archive_file(cache)
    if archive.exists():
        return
    unfinished = archive.with_suffix(".new")
    dump = (f"-XX:ArchiveClassesAtExit={unfinished}",)
    port, controller_port = ports.free_ports(2)
    with TemporaryDirectory() as folder:
        broker = KafkaServer(Path(folder), port, controller_port, Path(folder) / "log", dump)
        broker.start()
        broker.child.stop(seconds=DUMP_SECONDS)
    if unfinished.exists():
        unfinished.rename(archive)


if __name__ == "__main__":
    try:
        make_archive()
    except SetupError as error:
        sys.exit(str(error))
