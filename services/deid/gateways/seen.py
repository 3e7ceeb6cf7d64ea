"""What did a look at the pixels say? Asked only of what may carry text.

The networks cost a child a second and 200 MB, which a series of CT never needs, so they are
imported when the first such file comes.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from services.deid.domain.boxes import Kind, Placed
from services.deid.domain.pixels import Doubt, Verdict
from services.deid.gateways.blanks import Blanks
from services.deid.gateways.pixels import NOTHING
from shared.runtime.dicom import Part10

_LOOKING = "services.deid.gateways.looking.looked"


@dataclass(frozen=True, slots=True)
class Seen:
    """What to blank, what holds the file, and the places of both for an operator's eye."""

    blanks: Blanks = NOTHING
    doubts: tuple[Doubt, ...] = ()
    places: tuple[tuple[Kind, Placed], ...] = ()


def looked(source: Path, file: Part10, verdict: Verdict, drawn: tuple[Placed, ...]) -> Seen:
    """Look where the verdict asks for it, and take what an operator drew."""
    if not verdict.look and not drawn:
        return Seen(doubts=verdict.doubts)
    try:
        look = import_module(_LOOKING).look
    except ImportError:
        detail = "the text detector is not installed; nobody has looked at the pixels"
        return Seen(doubts=(*verdict.doubts, Doubt("detector_down", detail)))
    found = look(source, file, find=verdict.look)
    places: list[tuple[Kind, Placed]] = [("blanked", one) for one in found.blanked]
    places += [("doubtful", one) for one in found.doubtful]
    places += [("drawn", one) for one in drawn]
    blanks = Blanks((*found.blanked, *drawn), found.fill)
    return Seen(blanks, (*verdict.doubts, *found.doubts), tuple(places))
