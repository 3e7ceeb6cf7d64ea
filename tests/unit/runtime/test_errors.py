"""Is weather told apart from the message's fault and from bugs?"""

from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import errors as kafka
from obstore import exceptions as objects

from shared.runtime.errors import PROBLEMS, Problem, Unavailable, Unprocessable, is_weather

# As asyncpg raises it before it sends anything; it quotes the value.
REFUSED_ARGUMENT = asyncpg.exceptions._base.DataError("invalid input for query argument: 'closed'")
WEATHER = [
    asyncpg.InternalClientError("cannot switch to state 12; another operation is in progress"),
    asyncpg.ConnectionDoesNotExistError("x"),
    asyncpg.CannotConnectNowError("x"),
    asyncpg.AdminShutdownError("x"),
    asyncpg.CrashShutdownError("x"),
    asyncpg.TooManyConnectionsError("x"),
    asyncpg.DiskFullError("x"),
    asyncpg.SerializationError("x"),
    asyncpg.DeadlockDetectedError("x"),
    asyncpg.ReadOnlySQLTransactionError("x"),
    asyncpg.InterfaceError("cannot perform operation: connection is closed"),
    asyncpg.InterfaceError("pool is closing"),
    asyncpg.InterfaceError("connection has been released back to the pool"),
    asyncpg.InvalidPasswordError("x"),
    asyncpg.InvalidCatalogNameError("x"),
    ConnectionRefusedError(),
    FileNotFoundError("the socket of a Postgres that is down"),
    TimeoutError(),
    httpx.ConnectError("x"),
    kafka.KafkaConnectionError(),
    kafka.KafkaTimeoutError(),
    kafka.NotLeaderForPartitionError(),
    kafka.CommitFailedError("x"),
    kafka.ProducerClosed(),
    objects.GenericError("x"),
    Unavailable("x"),
    ExceptionGroup("x", [TimeoutError(), ExceptionGroup("y", [OSError()])]),
]
NO_WEATHER = [
    Unprocessable("unknown_type"),
    asyncpg.UniqueViolationError("x"),
    asyncpg.UndefinedTableError("x"),
    asyncpg.DataError("x"),
    asyncpg.InsufficientPrivilegeError("x"),
    asyncpg.InterfaceError("another operation is in progress"),
    REFUSED_ARGUMENT,
    kafka.MessageSizeTooLargeError("x"),
    kafka.RecordTooLargeError(),
    objects.NotFoundError("x"),
    objects.AlreadyExistsError("x"),
    KeyError("x"),
    ValueError("x"),
    ExceptionGroup("x", [TimeoutError(), KeyError()]),
]


@pytest.mark.parametrize("exception", WEATHER, ids=repr)
def test_weather_is_waited_out(exception: Exception) -> None:
    assert is_weather(exception)


@pytest.mark.parametrize("exception", NO_WEATHER, ids=repr)
def test_what_would_fail_again_is_no_weather(exception: Exception) -> None:
    assert not is_weather(exception)


def test_each_problem_says_how_to_mend_it() -> None:
    for code, kind in PROBLEMS.items():
        assert code == code.lower()
        assert 400 <= kind.status < 600
        assert kind.title
        assert kind.mend.endswith(".")


def test_a_field_becomes_the_one_wrong_field() -> None:
    problem = Problem(422, "laterality", "must be L or R", "#/laterality")

    assert [(e.pointer, e.detail) for e in problem.errors] == [("#/laterality", "must be L or R")]


def test_the_guide_explains_each_problem() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "problems.md").read_text()

    for code, kind in PROBLEMS.items():
        assert f"| `{code}` | {kind.status} | {kind.title} | {kind.mend} |" in guide
