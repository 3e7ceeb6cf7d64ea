"""What does a file say of itself? Read in the sandbox, reduced to codes and digests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.intake.domain.regions import MODALITIES
from services.intake.gateways.digests import Digests
from services.intake.store.arrivals import Study
from shared.contracts.base import Laterality
from shared.contracts.regions import SUBSPECIALTY
from shared.runtime.dicom import Header, Limits, inspect
from shared.runtime.sandbox import Sandbox

ACCESSION, ISSUER_OF_ACCESSION = 0x00080050, 0x00080051
PATIENT_ID, ISSUER_OF_PATIENT_ID = 0x00100020, 0x00100021
LOCAL_NAMESPACE, UNIVERSAL_ID = 0x00400031, 0x00400032
MODALITY, BODY_PART = 0x00080060, 0x00180015
LATERALITY, IMAGE_LATERALITY = 0x00200060, 0x00200062
_SIDES: Final[dict[str, Laterality]] = {"L": "L", "R": "R", "B": "B"}
# Objects beside the images that are told apart; anything else is called OT, as its modality is a
# string that somebody may have typed.
_OTHERS: Final = ("SR", "PR", "KO", "SEG", "REG", "DOC", "RTSTRUCT", "ES", "IO", "PX", "OT", "SM")


@dataclass(frozen=True, slots=True)
class Facts:
    """An instance's names, for the answer to its sender, and what is kept of it.

    `study.patient` is "" when the file names no patient.
    """

    study_uid: str
    sop_class: str
    sop_instance: str
    sop: str
    study: Study


async def read(
    sandbox: Sandbox, limits: Limits, path: Path, digests: Digests, issuer: str
) -> Facts:
    """Read a file's facts; `issuer` numbers the patients and orders that name no issuer.

    Raises UnreadableError when the file is no DICOM, is cut off, or breaks a limit.
    """
    header = await sandbox.run(inspect, path, limits)
    patient = header.text(PATIENT_ID).strip()
    named_issuer = header.text(ISSUER_OF_PATIENT_ID).strip() or issuer
    return Facts(
        study_uid=header.study_instance,
        sop_class=header.sop_class,
        sop_instance=header.sop_instance,
        sop=digests.instance(header.sop_instance),
        study=Study(
            study=digests.study(header.study_instance),
            patient=digests.patient(patient, named_issuer) if patient else "",
            accession=_accession(header, digests, issuer),
            modality=_modality(header),
            body_region=_body_region(header),
            laterality=_laterality(header),
            images=header.has_pixels,
        ),
    )


def _accession(header: Header, digests: Digests, issuer: str) -> str | None:
    number = header.text(ACCESSION).strip()
    if not number:
        return None
    for item in header.sequence(ISSUER_OF_ACCESSION):
        issuer = item.text(LOCAL_NAMESPACE).strip() or item.text(UNIVERSAL_ID).strip() or issuer
    return digests.accession(number, issuer)


def _modality(header: Header) -> str:
    named = header.text(MODALITY).strip().upper()
    return named if named in (*MODALITIES, *_OTHERS) else "OT"


def _body_region(header: Header) -> str:
    named = header.text(BODY_PART).strip().upper()
    return named if named in SUBSPECIALTY else "UNKNOWN"


def _laterality(header: Header) -> Laterality:
    named = header.text(IMAGE_LATERALITY).strip() or header.text(LATERALITY).strip()
    return _SIDES.get(named, "U")
