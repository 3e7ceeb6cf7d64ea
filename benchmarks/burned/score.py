"""What do the frames add up to? Figures beside what is to be reached."""

from collections.abc import Sequence
from statistics import mean

from benchmarks.burned.looked import Frame
from benchmarks.pipeline import Figure

HIDDEN = 0.95  # of a line's ink
UNSEEN = 0.5  # less than this of a line in a frame that passed: nobody has noticed it
LEAST_HIDDEN, MOST_HELD = 99.9, 5.0  # percent


def figures(frames: Sequence[Frame]) -> list[Figure]:
    lines = [(one, bool(frame.held)) for frame in frames for one in frame.lines]
    hidden = 100 * mean(held or one.hidden >= HIDDEN for one, held in lines)
    unseen = sum(not held and one.hidden < UNSEEN for one, held in lines)
    clean = [one for one in frames if one.clean_held is not None]
    held = 100 * mean(bool(one.clean_held) for one in clean)
    blanked = 100 * mean(one.clean_blanked or 0.0 for one in clean)
    outside = sum(one.altered for one in frames)
    return [
        Figure("lines of text", len(lines), ""),
        Figure("hidden, or the frame held", hidden, "%", "at least 99.9", hidden >= LEAST_HIDDEN),
        Figure("passed unseen", unseen, "lines", "none", unseen == 0),
        Figure("frames with text that are held", 100 * mean(bool(f.held) for f in frames), "%"),
        Figure("frames without text", len(clean), ""),
        Figure("  held", held, "%", "at most 5", held <= MOST_HELD),
        Figure("  of their area blanked", blanked, "%"),
        Figure("pixels outside of boxes altered", outside, "", "none", outside == 0),
        Figure("pixels in boxes not black", sum(one.bare for one in frames), ""),
        Figure("CPU a file", mean(one.seconds for one in frames), "s"),
    ]
