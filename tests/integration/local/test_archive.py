"""Does the broker really load its classes from the archive that the set-up made?"""

from pathlib import Path

import pytest

from shared.runtime.local import ports
from shared.runtime.local.kafka.jars import archive_file
from shared.runtime.local.kafka.server import KafkaServer

SHOWN = "source: shared objects file (top)"  # Java's word for the archive above its own


def test_the_brokers_classes_come_from_the_archive(tmp_path: Path) -> None:
    if not archive_file().exists():
        pytest.skip("this checkout was not set up by bin/setup")
    jvm = (
        f"-XX:SharedArchiveFile={archive_file()}",
        f"-Xlog:class+load:file={tmp_path / 'loaded'}",
    )
    port, controller_port = ports.free_ports(2)
    broker = KafkaServer(tmp_path / "kafka", port, controller_port, tmp_path / "log", jvm)

    broker.start()
    broker.stop()

    loaded = (tmp_path / "loaded").read_text().splitlines()
    own = [line for line in loaded if " kafka.server.KafkaRaftServer source" in line]
    assert [SHOWN in line for line in own] == [True]
