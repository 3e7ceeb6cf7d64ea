"""Whose fault is an error: the message's, the weather's, the caller's, or our own (a bug)?

The runner parks what is `Unprocessable`, waits out what `is_weather`, and treats the rest as a
bug. An HTTP edge answers a `Problem`; PROBLEMS says what each kind means and how to mend it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from aiokafka import errors as kafka
from obstore import exceptions as objects
from starlette.exceptions import HTTPException


class Unprocessable(Exception):  # noqa: N818 - it names the message, not the failure
    """The message can never be handled: park it. `reason` is a code or ids, no patient data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(Exception):  # noqa: N818 - a state of the world, not a failure of the code
    """What we depend on is away for longer than a caller should wait. Weather; 503 at the edge."""


# What passes by itself when the database comes back, drains or is given room.
_POSTGRES_WEATHER = (
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.InsufficientResourcesError,  # class 53: disk full, too many connections
    asyncpg.OperatorInterventionError,  # class 57: shutdown, starting up, cancelled
    asyncpg.PostgresSystemError,  # class 58: I/O error under the server
    asyncpg.TransactionRollbackError,  # class 40: serialization, deadlock
    asyncpg.ReadOnlySQLTransactionError,  # 25006: a standby during a switch-over
    asyncpg.IdleInTransactionSessionTimeoutError,  # 25P03: we were stopped for too long
    asyncpg.LockNotAvailableError,  # 55P03
    # Wrong for every event and not for this one: wait until somebody mends it.
    asyncpg.InvalidAuthorizationSpecificationError,  # class 28: our password was changed
    asyncpg.InvalidCatalogNameError,  # 3D000: our database is not there
)
# Kafka's errors are weather, whether it calls them retriable or not, except those that blame the
# message itself: the same bytes would be refused again.
_KAFKA_BLAMES_THE_MESSAGE = (
    kafka.MessageSizeTooLargeError,
    kafka.RecordTooLargeError,
    kafka.RecordListTooLargeError,
    kafka.InvalidMessageError,
    kafka.InvalidTopicError,
    kafka.IllegalArgumentError,
    kafka.UnsupportedCodecError,
)
_OBJECT_WEATHER = (
    objects.GenericError,  # what obstore calls a network error and a 5xx after its own retries
    # Wrong keys are wrong for every event and not for this one: wait until somebody mends them.
    objects.PermissionDeniedError,
    objects.UnauthenticatedError,
)
_WEATHER = (
    Unavailable,
    OSError,
    TimeoutError,
    httpx.TransportError,
    *_POSTGRES_WEATHER,
    asyncpg.InternalClientError,  # a connection cut between two steps of asyncpg's own protocol
    *_OBJECT_WEATHER,
)


def is_weather(exception: BaseException) -> bool:
    """Tell whether trying again later, unchanged, may succeed."""
    match exception:
        case BaseExceptionGroup():
            return all(is_weather(one) for one in exception.exceptions)
        case asyncpg.InterfaceError():
            # asyncpg has one class for misuse and for a connection that went away; only its own
            # words tell them apart. A refused argument is quoted in them, and is never weather.
            gone = ("clos", "released back to the pool")
            words = str(exception)
            return not isinstance(exception, ValueError) and any(word in words for word in gone)
        case kafka.KafkaError():
            return not isinstance(exception, _KAFKA_BLAMES_THE_MESSAGE)
        case _:
            return isinstance(exception, _WEATHER)


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What a problem's code means to the one who meets it (RFC 9457, section 3.1)."""

    status: int
    title: str
    mend: str


# `type` on the wire is `urn:overread:problem:<code>`; docs/problems.md is this table.
PROBLEMS: Mapping[str, ProblemType] = {
    "malformed-body": ProblemType(400, "The body can't be parsed", "Send well-formed JSON."),
    "missing-idempotency-key": ProblemType(
        400,
        "The header Idempotency-Key is missing",
        "Send a key of your own choice, the same one when you repeat the request.",
    ),
    "invalid-token": ProblemType(
        401, "The bearer token is missing or not valid", "Ask the issuer for a new token."
    ),
    "insufficient-scope": ProblemType(
        403, "The token does not allow this", "Ask for a token with the scope that is named."
    ),
    "not-found": ProblemType(404, "There is nothing here", "Check the address."),
    "method-not-allowed": ProblemType(
        405, "This address knows other methods", "Use a method from the header Allow."
    ),
    "body-too-slow": ProblemType(
        408, "The body stopped coming", "Send the same request again on a better line."
    ),
    "conflict": ProblemType(409, "The case can't do this now", "Read the case again, then decide."),
    "body-too-large": ProblemType(413, "The body is too large", "Send less in one request."),
    "unsupported-media-type": ProblemType(
        415, "This content type is not understood", "Use a type from the API description."
    ),
    "invalid-request": ProblemType(
        422, "Some fields are wrong", "Mend each field that `errors` names."
    ),
    "rejected": ProblemType(400, "The request is refused", "See the detail."),
    "bug": ProblemType(500, "Our fault", "Tell the operator the trace id."),
    "unavailable": ProblemType(
        503, "Something we depend on is away", "Send the same request again later."
    ),
}


@dataclass(frozen=True, slots=True)
class WrongField:
    """One wrong field: JSON pointer into the body, or the name of a parameter, and the mend."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(HTTPException):
    """An answer to the caller as RFC 9457 problem details.

    A code outside PROBLEMS is welcome: it becomes a `type` of its own, with the status' title.
    `field` is a JSON pointer (`#/partner/study`). No part may carry patient data.
    """

    def __init__(  # noqa: PLR0913 - the members of RFC 9457, most of them optional
        self,
        status: int,
        code: str,
        detail: str,
        field: str | None = None,
        *,
        errors: Sequence[WrongField] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.errors = tuple(errors) or ((WrongField(detail, pointer=field),) if field else ())
        self.extra = dict(extra or {})
