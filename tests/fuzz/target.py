"""What must hold for any bytes at all? They are refused, or cleaned into something sound.

`attempt` is what the fuzzer calls and what CI replays: an UnreadableError is an answer, any other
exception is a fault of ours.
"""

from services.deid.domain.actions import Rulebook
from services.deid.domain.identity import Identity, Key
from services.deid.domain.pixels import judged
from services.deid.domain.policy import SECOND_OPINION
from services.deid.gateways.cleaner import Cleaner
from services.deid.gateways.instance import table
from services.deid.gateways.originals import originals_of
from services.deid.gateways.pixels import facts
from services.deid.gateways.rewrite import Order
from services.deid.gateways.verify import remaining
from shared.runtime.dicom import Limits, Part10, UnreadableError, inspect, read_part10

IDENTITY = Identity(Key("1", b"a key of thirty-two bytes, no less"), "st-jude")
RULEBOOK = Rulebook(table(), SECOND_OPINION)
# Tighter than the service's, so that a run tries many inputs instead of few large ones.
LIMITS = Limits(elements=5_000, inflated=1 << 20)


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
