"""What may a decoder raise on a stranger's bytes? Anything, and all of it means that it can't."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Not the decoder's own words: the machine's, and those of whoever ends a program or a generator.
_OTHERS = (MemoryError, RecursionError, GeneratorExit, KeyboardInterrupt, SystemExit)


@contextmanager
def decoding(refusal: Callable[[str], Exception]) -> Iterator[None]:
    """Raise `refusal(the name of what was raised)` instead; warnings are left out.

    One decoder is a Rust library, whose panics are no Exception but a BaseException.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _OTHERS:
        raise
    except BaseException as error:  # noqa: BLE001 - see above
        raise refusal(type(error).__name__) from None
