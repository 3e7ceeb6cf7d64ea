"""Is there text in this picture? What is surely text, and what only a person can tell.

The detector marks lines, thin strokes confirm them, the recogniser reads them. Two or more
letters that it reads are text. A lone letter is no identifier: the side marker of a radiograph
stays. A long line of strokes in which nothing can be read is in doubt, but for a piece of a curve.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from services.deid.domain.boxes import Box, distinct
from services.deid.gateways.looking.curves import Curves
from services.deid.gateways.looking.detector import Grey, Likelihood, likelihood
from services.deid.gateways.looking.growing import behind, bounds, boxes, cut_out, surrounding
from services.deid.gateways.looking.lines import Line, lines, strip
from services.deid.gateways.looking.reading import Reading, read, read_apart
from services.deid.gateways.looking.rows import rows
from services.deid.gateways.looking.strokes import (
    NARROW,
    Mask,
    closer,
    faint_strokes,
    letters,
    stands,
    strokes,
)

_CLOSER = 3.0  # times enlarged: capitals of 5 pixels become 15, which the network sees
# Part of a mark that is thin strokes. Text has more than 0.15 in all that was measured; organs,
# ribs and collimators less than 0.03.
_DRAWN = 0.06
_READ = 0.6  # certainty of at least two letters
_HALF_READ, _HALF_READ_ROW = 0.37, 0.5  # the latter of a row of less than six letters
_PLAINLY_READ = 0.9  # of a lone letter
_WORD, _ROW_WORD = 2, 3  # letters
# So slender are four letters. What is shorter and half read counts as a lone letter, unless it is
# not large, several by a reading or its core's shape, and surely text by the detector, which of
# curves is less sure.
_SHORT, _LONG, _LIKELY = 2.0, 3.0, 0.7
_FRAGMENT, _LETTER = 2.5, 15  # times as long as high; pixels of strokes
_SMALL = 16  # pixels: a line no higher has letters of 8 pixels or less
_MIDDLE = 32  # a higher one is read as it lies, or not at all
# No letter is read in a mark taller and squarer than this: it is anatomy, or a whole page.
_TALL, _SQUARE = 64, 2.0
_PLAINLY_DRAWN = 0.25
# So slender is a line in which no letter, or only some, could be read.
_UNREAD = {False: 4.0, True: 2.5}
_ALIKE = 4  # lone letters in a frame: they may belong together


Kind = Literal["sure", "doubtful", "lone"]


@dataclass(frozen=True, slots=True)
class Text:
    """What was found. `sure` is blanked; `doubtful` makes a person look."""

    sure: tuple[Box, ...] = ()
    doubtful: tuple[Box, ...] = ()


def text_in(grey: Grey) -> Text:
    """Look at a picture of 8 bits. Raises DetectorDownError."""
    thin, small = strokes(grey), strokes(grey, NARROW)
    found = _Found(grey, faint_strokes(grey), Curves.of(thin))
    found.judge(lines(likelihood(grey), thin))
    found.judge(rows(_unexplained(small, found.sure), thin), row=True)
    closer_look = _closer(grey, letters(grey, lambda one: _unexplained(one, found.settled)))
    found.judge(lines(closer_look, thin))
    found.doubt_ends(_unexplained(thin, found.sure))
    doubtful = found.doubtful
    if len(found.lone) >= _ALIKE:
        doubtful += [box for one in found.lone for box in one]
    sure = distinct(found.sure)
    left = (one for one in distinct(doubtful) if not any(box.holds(one) for box in sure))
    return Text(sure, tuple(left))


def _unexplained(strokes: Mask, sure: Sequence[Box]) -> Mask:
    left = strokes.copy()
    for box in sure:
        left[box.top : box.bottom, box.left : box.right] = False
    return left


def _closer(grey: Grey, small: Mask) -> Likelihood:
    """The likelihood where there are strokes that no line explains, seen enlarged.

    The network sees small letters better when their line lies level.
    """
    found = np.zeros(grey.shape, np.float32)
    for window in closer(small):
        part = grey[window]
        found[window] = likelihood(np.ascontiguousarray(part), _CLOSER)
        if stands(small[window]):
            level = likelihood(np.ascontiguousarray(np.rot90(part, -1)), _CLOSER)
            np.maximum(found[window], np.rot90(level), out=found[window])
    return found


@dataclass
class _Found:
    """What the looks at one picture have found so far.

    `faint`: strokes on which a line goes on. `settled`: what needs no closer look: of the letters
    of a small line, the first look may have seen a part.
    """

    grey: Grey
    faint: Mask
    curves: Curves
    sure: list[Box] = field(default_factory=list)
    settled: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    doubtful: list[Box] = field(default_factory=list)
    lone: list[list[Box]] = field(default_factory=list)

    def judge(self, marks: Iterable[Line], *, row: bool = False) -> None:
        """Read each mark that no box explains. `row`: strokes alone say it may be a line."""
        known = tuple(self.sure)
        for line in marks:
            if line.drawn < _DRAWN or any(box.holds(line.box) for box in known):
                continue
            kind = _judged(line, self.grey, row=row)
            if kind != "sure" and self.curves.pass_through(line, row=row):
                continue
            match kind:
                case "sure":
                    found = boxes(line, self.faint)
                    self.sure += found
                    self.settled += found if line.high > _SMALL else ()
                    self.lines.append(line)
                case "doubtful":
                    self.doubtful += boxes(line, self.faint)
                case "lone":
                    self.lone.append(boxes(line, self.faint))
                case None:
                    pass

    def doubt_ends(self, left: Mask) -> None:
        """Doubt what is read behind the end of a line; `left`: strokes that nothing explains.

        Around a letter or two of a small line the direction is not known: any strokes will do.
        """
        for line in self.lines:
            if line.high <= _SMALL and line.slender < _FRAGMENT:
                around = surrounding(line)
                if left[around.top : around.bottom, around.left : around.right].sum() >= _LETTER:
                    self.doubtful.append(around)
        for end in (one for line in self.lines for one in behind(line, left)):
            reading = read(cut_out(self.grey, end))
            box = bounds(end, *left.shape)
            if reading.letters >= _WORD and reading.certainty >= _HALF_READ and box:
                self.doubtful.append(box)


def _judged(line: Line, grey: Grey, *, row: bool) -> Kind | None:
    """Read a mark as it lies and, where that doesn't tell, its letters alone: level, drawn apart.

    A row is many things, and only the second reading says which. Of other marks it counts when it
    gives a word; a lone letter and a large mark have none.
    """
    reading = read(strip(line, grey))
    kind = (_row_kind if row else _kind)(line, reading)
    lone = reading.letters == 1 and reading.certainty >= _PLAINLY_READ
    if kind == "sure" or lone or line.high > _MIDDLE:
        return kind
    apart = max(
        (read_apart(cut_out(grey, band)) for band in line.bands), key=lambda one: one.weight
    )
    if row:
        return _row_kind(line, apart)
    best = apart if apart.letters >= _ROW_WORD and apart.weight > reading.weight else reading
    return _kind(line, best)


def _row_kind(line: Line, reading: Reading) -> Kind | None:
    """Strokes in a row are many things: only what is read is text."""
    if reading.letters < _ROW_WORD:
        return None
    if reading.certainty >= _READ:
        return "sure"
    least = _HALF_READ if reading.letters >= 2 * _ROW_WORD else _HALF_READ_ROW
    plain = line.drawn >= _PLAINLY_DRAWN and reading.certainty >= least
    return "doubtful" if plain else None


def _kind(line: Line, reading: Reading) -> Kind | None:
    word = reading.letters >= _WORD
    if line.high > _TALL and line.slender < _SQUARE:
        return "doubtful" if word and reading.certainty >= _READ else None
    if word and reading.certainty >= _READ:
        return "sure"
    if word and reading.certainty >= _HALF_READ:
        several = reading.letters > _WORD or line.core_slender >= _LONG
        small = line.high <= _MIDDLE and line.likely >= _LIKELY and several
        plain = line.slender >= _SHORT or small
        return "doubtful" if plain else "lone"
    if line.drawn >= _PLAINLY_DRAWN and line.slender >= _UNREAD[reading.letters > 0]:
        return "doubtful"
    return "lone" if reading.letters == 1 and reading.certainty >= _READ else None
