"""Which body regions and modalities do we read, and which subspecialty reads them?

Regions are the defined terms of Body Part Examined (0018,0015), PS3.16 Annex L.
"""

from collections.abc import Mapping
from typing import Final

from services.intake.domain.inputs import Request

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
# Modality (0008,0060), PS3.3 C.7.3.1.1.1: those that make images a radiologist reads.
MODALITIES: Final = ("CR", "CT", "DX", "MG", "MR", "NM", "PT", "RF", "US", "XA")
MINORS: Final = ("0-1", "2-5", "6-11", "12-17")


def subspecialty(request: Request) -> str:
    """Give who should read: the patient's age and the question outrank the region."""
    if request.age_band in MINORS or request.reason_for_review == "pediatric":
        return "pediatric"
    if request.reason_for_review == "pregnancy_fetal":
        return "obstetric"
    return SUBSPECIALTY.get(request.body_region, "general")
