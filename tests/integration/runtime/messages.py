"""Messages as Kafka would give them."""

from shared.contracts.envelope import Recorded, headers
from shared.contracts.intake import InformationProvided
from shared.runtime.wire import Message

WANTED = {InformationProvided.ce_type(): InformationProvided}


def message(recorded: Recorded, offset: int = 0, partition: int = 0) -> Message:
    return Message(
        "overread.intake",
        partition,
        offset,
        str(recorded.case_id).encode(),
        recorded.event.model_dump_json().encode(),
        tuple(headers(recorded)),
    )
