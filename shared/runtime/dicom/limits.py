"""How much may one file ask of us?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file. The defaults pass every file we know of and stop the known attacks.

    depth: sequences in sequences; real objects stay below 10, PS3.3 templates below 20.
    elements: attributes and items together; an enhanced CT of 2,000 frames has about 120,000.
    inflated: bytes a deflated data set may grow to.
    ratio: how many bytes may come out of one deflated byte, after the first 64 MiB; scans give
        2 to 20, a bomb 1,000.
    file: bytes of the whole file.
    frame: bytes of a compressed frame when it is decoded; the largest radiographs have 100 MiB.
    """

    depth: int = 64
    elements: int = 250_000
    inflated: int = 256 << 20
    ratio: int = 100
    file: int = 4 << 30
    frame: int = 256 << 20


LIMITS = Limits()
