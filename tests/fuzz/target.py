"""What must hold for any bytes at all? They are refused, or cleaned into something sound.

`attempt` is what the fuzzer calls and what CI replays: an UnreadableError is an answer, any other
exception is a fault of ours.
"""

import tempfile
from pathlib import Path

from services.deid.domain.actions import Rulebook
from services.deid.domain.boxes import Box, Placed
from services.deid.domain.identity import Identity, Key
from services.deid.domain.pixels import judged
from services.deid.domain.policy import SECOND_OPINION
from services.deid.gateways.blanks import Blanks, UnblankableError
from services.deid.gateways.cleaner import Cleaner
from services.deid.gateways.instance import table
from services.deid.gateways.looking.layouts import rules
from services.deid.gateways.looking.looked import look
from services.deid.gateways.looking.regions import regions
from services.deid.gateways.originals import originals_of
from services.deid.gateways.pixels import facts
from services.deid.gateways.rewrite import Order
from services.deid.gateways.verify import remaining
from shared.runtime.dicom import Limits, Part10, UnreadableError, inspect, read_part10

IDENTITY = Identity(Key("1", b"a key of thirty-two bytes, no less"), "st-jude")
RULEBOOK = Rulebook(table(), SECOND_OPINION)
# Tighter than the service's, so that a run tries many inputs instead of few large ones.
LIMITS = Limits(elements=5_000, inflated=1 << 20)


# Blanked in the first frame and in all of them; much of it lies outside a small frame.
BOXES = (Placed(Box(1, 1, 9, 9), 0), Placed(Box(0, 4, 4000, 6)))
_FOLDER = tempfile.TemporaryDirectory(prefix="overread-fuzz-")


def attempt(content: bytes) -> bool:
    """Whether the bytes were cleaned; False when they were refused."""
    try:
        inspect(content, LIMITS)
        file = read_part10(content, LIMITS)
        order = Order(IDENTITY, IDENTITY.subject(file.string(0x00100020), "case"), RULEBOOK)
        clean = _cleaned(file, order)
    except UnreadableError:
        return False
    if clean.meta_buffer[:128] != bytes(128):
        raise AssertionError("the preamble is not empty")
    _blanked(content, file, order)
    return True


def _cleaned(file: Part10, order: Order) -> Part10:
    """Clean, look at the pixels' description, and verify, as the service does."""
    cleaner = Cleaner(file, order)
    content = cleaner.before + b"".join(bytes(one) for one in cleaner.pixels()) + cleaner.after
    judged(facts(file), SECOND_OPINION)
    originals_of(file, order.identity)
    clean = read_part10(content)
    remaining(clean, order, cleaner.forbidden(), found=False)
    return clean


def _blanked(content: bytes, file: Part10, order: Order) -> None:
    """Decode each frame and blank in it, but for the networks' look, which no bytes steer."""
    source = Path(_FOLDER.name) / "attempt.dcm"
    source.write_bytes(content)
    fill = look(source, file, find=False).fill
    rules(file, *(file.number(one) or 0 for one in (0x00280010, 0x00280011)))
    boxes = tuple(Placed(one) for one in regions(file))
    try:
        for _ in Cleaner(file, order, Blanks((*BOXES, *boxes), fill)).pixels():
            pass
    except (UnblankableError, UnreadableError):
        return
