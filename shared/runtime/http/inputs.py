"""What do many routes ask of a request's headers?"""

from typing import Annotated

from fastapi import Header

from shared.runtime.errors import Problem

LONGEST_KEY = 255
LONGEST_EVENT_ID = 255


def idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="A key of your own choice; the same request again gives the same answer.",
        ),
    ] = None,
) -> str:
    """Demand the key, 1 to 255 visible ASCII characters. It is the caller's: never log it."""
    if key is None:
        raise Problem(400, "missing-idempotency-key", "The header Idempotency-Key is missing.")
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Problem(
            400,
            "missing-idempotency-key",
            f"The header Idempotency-Key must have 1 to {LONGEST_KEY} visible ASCII characters.",
        )
    return key


def last_event_id(
    event_id: Annotated[
        str | None,
        Header(alias="Last-Event-ID", description="The last event you saw; the stream resumes."),
    ] = None,
) -> str | None:
    """Give where an event stream resumes, as EventSource sends it; None at the first time."""
    if event_id is not None and len(event_id) > LONGEST_EVENT_ID:
        raise Problem(400, "rejected", "The header Last-Event-ID is none of ours.")
    return event_id or None
