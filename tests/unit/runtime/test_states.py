"""Is a state that was written or read lately found again, and only by its very text?"""

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from shared.runtime import states
from shared.runtime.states import States


class Counted(BaseModel):
    model_config = ConfigDict(frozen=True)
    count: int


@pytest.fixture
def known() -> States[Counted]:
    return States(TypeAdapter(Counted))


def test_what_was_written_is_not_parsed_again(known: States[Counted]) -> None:
    written = Counted(count=1)

    assert known.read(known.text(written)) is written


def test_what_was_read_is_not_parsed_again(known: States[Counted]) -> None:
    assert known.read('{"count": 1}') is known.read('{"count": 1}')


def test_another_text_is_another_state(known: States[Counted]) -> None:
    known.text(Counted(count=1))

    assert known.read('{"count":2}') == Counted(count=2)


def test_the_one_that_nobody_asked_for_the_longest_makes_room(
    known: States[Counted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "MOST_KNOWN", 2)
    first, second, third = (Counted(count=number) for number in range(3))
    texts = [known.text(first), known.text(second)]
    known.read(texts[0])
    known.text(third)

    assert known.read(texts[0]) is first
    assert known.read(texts[1]) is not second


def test_a_text_that_is_no_state_is_refused_and_not_remembered(known: States[Counted]) -> None:
    for _ in range(2):
        with pytest.raises(ValidationError):
            known.read('{"count": "many"}')
