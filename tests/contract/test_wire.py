"""Our messages are CloudEvents to anybody's library, and to our own reader."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from cli.contracts import MESSAGES, ROOT, short
from shared.contracts.base import Event
from shared.contracts.envelope import Recorded, headers
from shared.contracts.topics import EVENTS, topic
from shared.runtime.wire import Foreign, Message, Readable, read

CAUSE = UUID("00000000-0000-5000-8000-00000000000c")
EVENT = UUID("00000000-0000-5000-8000-00000000000e")
WHEN = datetime(2026, 11, 2, 9, 0, 0, 250_000, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def recorded(kind: type[Event]) -> Recorded:
    said = (ROOT / MESSAGES / f"{short(kind.ce_type())}.json").read_text()
    return Recorded(kind.model_validate_json(said), EVENT, WHEN, CAUSE, TRACE)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=lambda kind: kind.ce_type())
def test_the_cloudevents_library_reads_our_headers(kind: type[Event]) -> None:
    one = recorded(kind)
    value = one.event.model_dump_json().encode()
    message = KafkaMessage(dict(headers(one)), str(one.case_id).encode(), value)

    found = from_binary(message, JSONFormat())

    assert found.get_specversion() == "1.0"
    assert found.get_id() == str(EVENT)
    assert found.get_type() == kind.ce_type()
    assert found.get_source() == f"/overread/{kind.publisher()}"
    assert found.get_subject() == str(one.case_id)
    assert found.get_time() == WHEN
    assert found.get_datacontenttype() == "application/json"
    assert found.get_extension("causationid") == str(CAUSE)
    assert found.get_extension("partitionkey") == str(one.case_id)
    assert kind.model_validate(found.get_data()) == one.event


@pytest.mark.parametrize("kind", EVENTS.values(), ids=lambda kind: kind.ce_type())
def test_our_own_reader_reads_what_we_write(kind: type[Event]) -> None:
    one = recorded(kind)
    message = Message(
        topic(kind.publisher()),
        0,
        7,
        str(one.case_id).encode(),
        one.event.model_dump_json().encode(),
        tuple(headers(one)),
    )

    assert read(message, {kind.ce_type(): kind}) == Readable(
        message, EVENT, one.case_id, one.event, TRACE
    )
    assert read(message, {}) == Foreign(message)
