"""Is there text in this picture? What is surely text, and what only a person can tell.

The detector marks lines, thin strokes confirm them, the recogniser reads them. Two or more
letters that it reads are text. A lone letter is no identifier: the side marker of a radiograph
stays. A long line of strokes in which nothing can be read is in doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.deid.domain.boxes import Box, distinct
from services.deid.gateways.looking.detector import Grey, Likelihood, likelihood
from services.deid.gateways.looking.lines import Line, boxes, lines, strip
from services.deid.gateways.looking.reading import Reading, read
from services.deid.gateways.looking.strokes import NARROW, Mask, closer, strokes

_CLOSER = 2.0  # times enlarged: letters of 8 pixels become 16, which the network sees
# Part of a mark that is thin strokes. Text has more than 0.15 in all that was measured; organs,
# ribs and collimators less than 0.03.
_DRAWN = 0.06
_READ = 0.6  # certainty of at least two letters
_HALF_READ = 0.37
_WORD = 2  # letters
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
    thin = strokes(grey)
    found = _judged(likelihood(grey), thin, grey, ())
    known = found["sure"]
    small = strokes(grey, NARROW)
    for box in known:
        small[box.top : box.bottom, box.left : box.right] = False
    again = _judged(_closer(grey, small), thin, grey, known)
    both = {kind: (*found[kind], *again[kind]) for kind in found}
    doubtful = both["doubtful"]
    if len(both["lone"]) >= _ALIKE:
        doubtful += both["lone"]
    sure = distinct(both["sure"])
    left = (one for one in distinct(doubtful) if not any(box.holds(one) for box in sure))
    return Text(sure, tuple(left))


def _closer(grey: Grey, small: Mask) -> Likelihood:
    """The likelihood where there are strokes that no line explains, seen enlarged."""
    found = np.zeros(grey.shape, np.float32)
    for window in closer(small):
        found[window] = likelihood(np.ascontiguousarray(grey[window]), _CLOSER)
    return found


def _judged(
    found: Likelihood, thin: Mask, grey: Grey, known: Sequence[Box]
) -> dict[Kind, tuple[Box, ...]]:
    judged: dict[Kind, tuple[Box, ...]] = {"sure": (), "doubtful": (), "lone": ()}
    for line in lines(found, thin):
        if line.drawn < _DRAWN or any(box.holds(line.box) for box in known):
            continue
        kind = _kind(line, read(strip(line, grey)))
        if kind is not None:
            judged[kind] += tuple(boxes(line, thin))
    return judged


def _kind(line: Line, reading: Reading) -> Kind | None:
    word = reading.letters >= _WORD
    blob = line.high > _TALL and line.slender < _SQUARE
    if word and reading.certainty >= _READ:
        return "doubtful" if blob else "sure"
    if word and reading.certainty >= _HALF_READ:
        return "doubtful"
    if line.drawn >= _PLAINLY_DRAWN and line.slender >= _UNREAD[reading.letters > 0]:
        return "doubtful"
    return "lone" if reading.letters == 1 and reading.certainty >= _READ else None
