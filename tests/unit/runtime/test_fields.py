"""Does only what is allowed come out of a log line or a span?"""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import pytest

from shared.runtime.telemetry.fields import FIELDS, REFUSED, admitted, is_name, word

ROOT = Path(__file__).parents[3]


class Colour(StrEnum):
    RED = "red"
    NAME = "DOE^JANE"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        (3, 3),
        (0.5, 0.5),
        (True, True),
        ("overread.intake", "overread.intake"),
        ("asyncpg.exceptions.DiskFullError", "asyncpg.exceptions.DiskFullError"),
        ("/v1/cases/{case_id}", "/v1/cases/{case_id}"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Colour.RED, "red"),
        (("a", "b"), ["a", "b"]),
        (list(range(30)), list(range(20))),
    ],
    ids=str,
)
def test_numbers_times_ids_and_codes_come_out(value: object, told: object) -> None:
    assert word(value) == told


@pytest.mark.parametrize(
    "value",
    [
        "Jane Doe",
        "DOE^JANE",
        "Åsa",
        "jane@example.org",
        "two\nlines",
        "x" * 201,
        Colour.NAME,
        b"bytes",
        {"name": "Jane"},
        ValueError("Jane"),
        object(),
    ],
    ids=lambda value: type(value).__name__ + str(value)[:12],
)
def test_names_sentences_and_the_unforeseen_stay_inside(value: object) -> None:
    assert word(value) == REFUSED
    assert word([value, 1]) == [REFUSED, 1]


def test_a_span_carries_our_fields_and_the_conventions_and_nothing_else() -> None:
    given = {
        "overread.case_id": "c-1",
        "http.route": "/v1/cases/{case_id}",
        "db.query.text": "SELECT 'Jane'",
        "url.full": "https://host/?name=Jane",
        "exception.message": "Jane",
        "overread.patient": "Jane",
        "overread.reason": "Jane Doe",
    }

    assert admitted(given) == {
        "overread.case_id": "c-1",
        "http.route": "/v1/cases/{case_id}",
        "overread.reason": REFUSED,
    }


@pytest.mark.parametrize("text", ["case_accepted", "a", "loop_2"])
def test_a_name_is_snake_case(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", ["", "Jane", "jane doe", "x" * 42, "case-1", None, 3])
def test_anything_else_is_no_name(text: object) -> None:
    assert not is_name(text)


NO_FIELDS = {None, "kind", "traceparent"}  # of a span: OpenTelemetry's own


def logged(tree: ast.AST) -> Iterator[str]:
    """Give the names of all fields that a module logs or puts on spans."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="LOG" | "log"),
                    attr="debug" | "info" | "warning" | "error" | "exception" | "critical",
                )
            ):
                yield from (one.arg for one in node.keywords if one.arg)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="telemetry"), attr="context")):
                yield from (one.arg for one in node.keywords if one.arg)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="telemetry"), attr="span")):
                yield from (str(one.arg) for one in node.keywords if one.arg not in NO_FIELDS)
            case _:
                pass


@pytest.mark.parametrize("package", ["shared", "services", "cli"])
def test_no_line_of_ours_says_what_would_be_dropped(package: str) -> None:
    files = [*(ROOT / package).rglob("*.py")]
    names = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in files
        for name in logged(ast.parse(file.read_text()))
    }

    assert files
    assert {one for one in names if one[1] not in FIELDS | {"exc_info"}} == set()
