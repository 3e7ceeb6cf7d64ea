"""A piece of a curve that looks like letters is left; letters on a ruled line are not."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from services.deid.gateways.looking import text
from services.deid.gateways.looking.curves import Curves
from services.deid.gateways.looking.lines import Line, drawn_line
from services.deid.gateways.looking.strokes import strokes


def trace(seed: int) -> np.ndarray:
    """A screen's curve, as jagged as a heart's or a flow's."""
    page = np.full((240, 480), 30, np.uint8)
    levels = 120 + np.cumsum(np.random.default_rng(seed).normal(0, 2.5, 360)).astype(int)
    for n, level in enumerate(np.clip(levels, 40, 200)):
        page[level : level + 2, 60 + n] = 150
    return page


def ruled(words: str, scale: float) -> np.ndarray:
    """Letters on a line that goes on far beyond them, as in a table."""
    page = np.random.default_rng(2).normal(12, 3, (240, 480)).clip(0, 255).astype(np.uint8)
    cv2.putText(page, words, (180, 120), cv2.FONT_HERSHEY_SIMPLEX, scale, 220, 1, cv2.LINE_AA)
    cv2.line(page, (20, 120), (460, 120), 220, 1)
    return page


def whole(page: np.ndarray, left: int, right: int, top: int, bottom: int) -> Line:
    """A mark whose core is a rectangle."""
    core = np.ones((bottom - top, right - left), np.bool_)
    return drawn_line(core, (top, left), 1.0, strokes(page))


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Curves are known for none."""
    with monkeypatch.context() as patched:
        patched.setattr(Curves, "pass_through", lambda *_, **__: False)
        yield


def test_a_jagged_curve_is_no_text() -> None:
    assert text.text_in(trace(2)) == text.Text()


@pytest.mark.usefixtures("blind")
def test_it_would_be_in_doubt_if_curves_were_not_known() -> None:
    assert text.text_in(trace(2)).doubtful


@pytest.mark.parametrize("scale", [0.3, 0.4, 0.5])
@pytest.mark.parametrize("words", ["DOE JOHN 1234", "07.08.1944", "Smith^Anna"])
def test_letters_on_a_ruled_line_are_no_curve(words: str, scale: float) -> None:
    page = ruled(words, scale)
    (wide, tall), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    mark = whole(page, 180, 180 + wide, 120 - tall, 120)
    bare = whole(page, 20, 20 + wide, 120 - tall, 120)

    assert not Curves.of(strokes(page)).pass_through(mark)
    assert Curves.of(strokes(page)).pass_through(bare)


@pytest.mark.parametrize("words", ["DOE JOHN 1234", "07.08.1944", "Smith^Anna"])
def test_letters_on_a_ruled_line_are_hidden_or_make_a_person_look(words: str) -> None:
    found = text.text_in(ruled(words, 0.3))

    assert found.sure or found.doubtful


def test_a_mark_without_strokes_is_no_curve() -> None:
    page = np.full((60, 120), 90, np.uint8)

    assert not Curves.of(strokes(page)).pass_through(whole(page, 20, 60, 20, 30))
