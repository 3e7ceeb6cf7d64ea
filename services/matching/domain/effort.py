"""How much work is a case? Work RVU, by modality."""

from collections.abc import Iterable, Mapping
from typing import Final

# Work RVU of a typical examination of the modality, rounded from the CMS Physician Fee Schedule:
# CT 74177 (1.82) and 70450 (0.85), MR 70551 (1.48) to 70553 (2.29), US 76700 (0.81), MG 77066
# (1.00), CR and DX 71046 (0.22), PT 78815 (2.44). A second opinion reads them from the beginning.
RVU: Final[Mapping[str, float]] = {
    "CR": 0.22,
    "DX": 0.22,
    "CT": 1.4,
    "MR": 1.8,
    "US": 0.81,
    "MG": 1.0,
    "NM": 0.9,
    "PT": 2.44,
    "RF": 0.7,
    "XA": 2.0,
}
UNKNOWN: Final = 1.0


def rvu(modalities: Iterable[str]) -> float:
    """Give the work of one case: that of all its modalities together."""
    return sum(RVU.get(one, UNKNOWN) for one in modalities)
