"""What was published stays readable: golden schemas only grow, golden messages always parse."""

import json
from pathlib import Path

import pytest

from cli.contracts import MESSAGES, ROOT, SCHEMAS, golden_schemas, incompatible, short
from shared.contracts.base import Event
from shared.contracts.topics import EVENTS

KEPT = sorted((ROOT / MESSAGES).glob("*.json"))
MEND = "run `overread contracts`"


def test_no_event_changed_incompatibly() -> None:
    assert list(incompatible(ROOT)) == []


def test_every_golden_schema_is_what_the_code_says() -> None:
    kept = {at.relative_to(ROOT): at.read_text() for at in (ROOT / SCHEMAS).glob("*.json")}

    assert kept == golden_schemas(), MEND


@pytest.mark.parametrize("message", KEPT, ids=lambda path: path.stem)
def test_every_message_ever_kept_still_parses_and_loses_nothing(message: Path) -> None:
    said = json.loads(message.read_text())

    event = _kind(message).model_validate_json(message.read_text())

    assert json.loads(event.model_dump_json(exclude_unset=True)) == said


def test_every_event_has_a_golden_message() -> None:
    assert {short(kind) for kind in EVENTS} == {_name(path) for path in KEPT}


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.ce_type())
def test_a_golden_message_uses_every_field_of_its_event(event: type[Event]) -> None:
    said = json.loads((ROOT / MESSAGES / f"{short(event.ce_type())}.json").read_text())

    assert said.keys() == event.model_fields.keys()


def _name(path: Path) -> str:
    """Give the event's name; `<name>.older-2.json` keeps an older form beside today's."""
    return path.name.removesuffix(".json").partition(".older-")[0]


def _kind(path: Path) -> type[Event]:
    return EVENTS[f"org.overread.{_name(path)}"]
