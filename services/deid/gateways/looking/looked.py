"""What is in these pixels? The boxes to blank, the places in doubt, and what holds the instance.

Runs in a sandboxed child, which loads the networks once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.deid.domain.boxes import Box, Placed, outside
from services.deid.domain.pixels import Doubt
from services.deid.gateways.blanks import Frame
from services.deid.gateways.looking.cine import EACH, Loop
from services.deid.gateways.looking.detector import DetectorDownError, Grey
from services.deid.gateways.looking.layouts import rules
from services.deid.gateways.looking.palette import darkest_index
from services.deid.gateways.looking.planes import decoded, pictures
from services.deid.gateways.looking.regions import regions
from services.deid.gateways.looking.text import Text, text_in
from shared.runtime.dicom import Part10, UnreadableError

_EDGE = 48  # pixels: a line of text is no higher
_FULL = 0.25  # of a frame: more text than that is a page, and what is left no image
_ROWS, _COLUMNS, _FRAMES, _PHOTOMETRIC = 0x00280010, 0x00280011, 0x00280008, 0x00280004


@dataclass(frozen=True, slots=True)
class Seen:
    """`doubtful` is not blanked; a person judges it. `fill`: the stored value that is black."""

    blanked: tuple[Placed, ...] = ()
    doubtful: tuple[Placed, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    fill: int = 0


def look(source: Path, file: Part10, *, find: bool = True) -> Seen:
    """Look at every frame. What can't be decoded or looked at is in doubt; nothing is raised.

    `find`: look for text; without it only the value to blank with is asked for.
    """
    known = tuple(Placed(box) for box in _known(file)) if find else ()
    try:
        loop = _loop(file, source)
        fill = _fill(file, source, loop)
        found = _found(loop, [one.box for one in known]) if find else {}
    except UnreadableError as error:
        return Seen(known, (), (Doubt("pixels_undecodable", error.detail),))
    except DetectorDownError:
        detail = "the text detector does not work; nobody has looked at the pixels"
        return Seen(known, (), (Doubt("detector_down", detail),))
    sure = tuple(Placed(box, at) for at, text in found.items() for box in text.sure)
    doubtful = tuple(Placed(box, at) for at, text in found.items() for box in text.doubtful)
    return Seen((*known, *sure), doubtful, tuple(_doubts(file, loop, sure, doubtful)), fill)


def _loop(file: Part10, source: Path) -> Loop:
    loop = Loop.of(decoded(source), _total(file))
    if loop.count != _total(file):
        raise UnreadableError("malformed", "there are not as many frames as the header says")
    return loop


def _known(file: Part10) -> tuple[Box, ...]:
    """What holds nothing but text, by the header or by the device's layout."""
    rows, columns = _size(file)
    inside = regions(file)
    around = outside(inside, rows, columns) if inside else ()
    return (*around, *rules(file, rows, columns))


def _found(loop: Loop, known: list[Box]) -> dict[int | None, Text]:
    """Text by frame; under None what is blanked in all of them."""
    if loop.count <= EACH:
        alone = loop.count == 1
        return {
            None if alone else number: _text((frame,), known) for number, frame in loop.kept.items()
        }
    still = [one for one in (loop.darkest,) if one is not None]
    if still and loop.brightest is not None and _bright(still[0]):
        still = [loop.brightest]  # what stays dark while the bright moves
    return {None: _text((*still, *loop.kept.values()), known)}


def _bright(frame: Frame) -> bool:
    """More white than black: text is then dark."""
    low, high = float(frame.min()), float(frame.max())
    return float(np.median(frame)) > (low + high) / 2


def _text(frames: Iterable[Frame], known: list[Box]) -> Text:
    texts = [text_in(picture) for frame in frames for picture in _without(frame, known)]
    doubtful = {box for text in texts for box in text.doubtful}
    return Text(
        tuple(sorted({box for text in texts for box in text.sure})),
        tuple(sorted(box for box in doubtful if not any(one.holds(box) for one in known))),
    )


def _without(frame: Frame, known: list[Box]) -> Iterator[Grey]:
    """Pictures of a frame without the inside of what is known.

    Along its edge they stay as they are: a line that lies half in it is seen whole.
    """
    for picture in pictures(frame):
        for box in known:
            inner = (
                slice(box.top + _EDGE, max(box.bottom - _EDGE, 0)),
                slice(box.left + _EDGE, max(box.right - _EDGE, 0)),
            )
            picture[inner] = 0
        yield picture


def _doubts(
    file: Part10, loop: Loop, sure: tuple[Placed, ...], doubtful: tuple[Placed, ...]
) -> Iterator[Doubt]:
    rows, columns = _size(file)
    if doubtful:
        yield Doubt("text_uncertain", f"{len(doubtful)} places look like text that can't be read")
    if loop.count > EACH and not loop.related:
        yield Doubt("text_uncertain", "the frames differ too much to be looked at together")
    for frame in {one.frame for one in sure}:
        page = np.zeros((rows, columns), np.bool_)
        for one in sure:
            if one.frame == frame:
                page[one.box.top : one.box.bottom, one.box.left : one.box.right] = True
        if page.mean() > _FULL:
            yield Doubt("full_of_text", "more than a quarter of a frame is text")
            return


def _fill(file: Part10, source: Path, loop: Loop) -> int:
    """Black: the darkest value that occurs, or the palette's darkest entry; 0 for colours."""
    photometric = file.string(_PHOTOMETRIC)
    if photometric == "PALETTE COLOR":
        return darkest_index(source)
    if photometric == "MONOCHROME1" and loop.brightest is not None:
        return int(loop.brightest.max())
    if photometric == "MONOCHROME2" and loop.darkest is not None:
        return int(loop.darkest.min())
    return 0


def _total(file: Part10) -> int:
    return file.number(_FRAMES) or 1


def _size(file: Part10) -> tuple[int, int]:
    return file.number(_ROWS) or 0, file.number(_COLUMNS) or 0
