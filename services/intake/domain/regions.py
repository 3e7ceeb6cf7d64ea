"""Which modalities do we read, and which subspecialty reads a case?"""

from typing import Final

from services.intake.domain.inputs import Request
from shared.contracts.regions import SUBSPECIALTY

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
