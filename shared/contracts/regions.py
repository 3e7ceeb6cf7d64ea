"""Which subspecialty reads which body region? A vocabulary that intake and matching share.

Regions are the defined terms of Body Part Examined (0018,0015), PS3.16 Annex L.
"""

from collections.abc import Mapping
from typing import Final

_MUSCULOSKELETAL = (
    "ANKLE", "CLAVICLE", "ELBOW", "EXTREMITY", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "HIP",
    "HUMERUS", "KNEE", "LEG", "SHOULDER", "THIGH", "TOE", "WRIST",
)  # fmt: skip
_NEURO = ("BRAIN", "CSPINE", "HEAD", "HEADNECK", "LSPINE", "NECK", "SKULL", "SPINE", "TSPINE")
_ABDOMINAL = ("ABDOMEN", "ABDOMENPELVIS", "KIDNEY", "LIVER", "PANCREAS", "PELVIS", "PROSTATE")

SUBSPECIALTY: Final[Mapping[str, str]] = {
    **dict.fromkeys(_MUSCULOSKELETAL, "musculoskeletal"),
    **dict.fromkeys(_NEURO, "neuroradiology"),
    **dict.fromkeys(_ABDOMINAL, "abdominal"),
    "BREAST": "breast",
    "CHEST": "chest",
    "CHESTABDOMEN": "general",
    "CHESTABDPELVIS": "general",
    "HEART": "cardiac",
    "UTERUS": "obstetric",
    "WHOLEBODY": "general",
}
