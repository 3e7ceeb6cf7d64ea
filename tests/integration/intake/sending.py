"""How does a hospital talk to intake? Submissions and STOW-RS requests for tests."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from pydicom.uid import UID

from examples.phantom import MARIPOSA, Patient, Shot, as_bytes, hand_radiograph
from tests.integration.intake.conftest import Intake

EXAMPLES = Path(__file__).parents[3] / "examples" / "cases"
BOUNDARY = "overread-test"
SMALL = Shot(rows=96, columns=80)


def submission(name: str = "hand-fracture-missed", **data: Any) -> dict[str, Any]:
    """Give an example as a partner would send it, with some of its data changed."""
    event: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())
    event["data"] |= data
    return event


def about(what: str, case_id: str, number: str, **data: Any) -> dict[str, Any]:
    """Give an event about a case that was submitted before."""
    return {
        "specversion": "1.0",
        "id": number,
        "source": "/st-brigid/ris",
        "type": f"org.overread.partner.{what}.v1",
        "data": {"case_id": case_id, **data},
    }


@cache
def hand(number: int = 1, patient: Patient = MARIPOSA, note: str = "") -> bytes:
    """Give one instance of the hand study."""
    dataset = hand_radiograph(patient, SMALL)
    dataset.SOPInstanceUID = patient.instance_uid(number)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(patient.instance_uid(number))
    dataset.ImageComments = note or None
    return as_bytes(dataset)


def multipart(*files: bytes, media_type: str = "application/dicom") -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode()
    return b"".join(head + one + b"\r\n" for one in files) + f"--{BOUNDARY}--\r\n".encode()


CONTENT_TYPE = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


async def stow(
    intake: Intake, *files: bytes, study: str = "", tenant: str = "st-brigid", body: bytes = b""
) -> httpx.Response:
    return await intake.http.post(
        f"/dicomweb/studies/{study}".rstrip("/"),
        content=body or multipart(*files),
        headers={"content-type": CONTENT_TYPE, **intake.partner(tenant)},
    )


def failures(answer: httpx.Response) -> list[tuple[int, str]]:
    """Give reason and sentence of each refused instance."""
    module = answer.json()
    items = [
        item for tag in ("00081198", "0008119A") for item in module.get(tag, {"Value": []})["Value"]
    ]
    return [(one["00081197"]["Value"][0], one["00000902"]["Value"][0]) for one in items]


def kept(answer: httpx.Response) -> list[str]:
    """Give the SOP Instance UIDs that were taken."""
    items = answer.json().get("00081199", {"Value": []})["Value"]
    return [one["00081155"]["Value"][0] for one in items]
