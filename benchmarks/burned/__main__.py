"""How much burned-in text is hidden or held? `python -m benchmarks.burned [FRAMES]` prints it.

It looks for text in generated pictures; coding and writing are tested elsewhere.
"""

import sys

import numpy as np

from benchmarks.burned.scenes import KINDS, Picture, scene
from benchmarks.burned.words import burn
from services.deid.gateways.looking.planes import pictures
from services.deid.gateways.looking.text import text_in

HIDDEN = 0.95  # of a word's ink
UNSEEN = 0.5


def looked(picture: Picture) -> tuple[np.ndarray, bool]:
    """Which pixels are blanked, and whether the frame waits for a person."""
    page, held = np.zeros(picture.shape[:2], np.bool_), False
    for one in pictures(picture):
        text = text_in(one)
        held = held or bool(text.doubtful)
        for box in text.sure:
            page[box.top : box.bottom, box.left : box.right] = True
    return page, held


def main(frames: int) -> None:
    words = hidden = unseen = clean_held = 0
    for number in range(frames):
        dice = np.random.default_rng([number, 1])
        clean = scene(KINDS[number % len(KINDS)], dice).pixels
        burned, written = burn(clean, dice)
        page, held = looked(burned)
        shares = [float(page[word.ink].mean()) for word in written]
        words += len(shares)
        hidden += sum(held or share >= HIDDEN for share in shares)
        unseen += sum(not held and share < UNSEEN for share in shares)
        clean_held += looked(clean)[1]
    print(f"{frames} frames, {words} words")
    print(f"hidden or held {hidden / max(words, 1):.2%}, passed unseen {unseen}")
    print(f"clean frames held {clean_held / max(frames, 1):.2%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
