"""How often does a service look for garbage? Seldom: what it handles dies by its count alone."""

import gc

# A batch of 500 events makes and drops tens of thousands of models. Python's own thresholds
# (700, 10, 10) then walk the whole heap several times a batch: a quarter of a hop's time.
YOUNG, MIDDLE, OLD = 100_000, 20, 50


def rarely() -> None:
    """Leave alone what was imported, which stays for good, and look at the rest less often."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
