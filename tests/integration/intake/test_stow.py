"""Images over STOW-RS: each taken or refused alone, none lost, none twice."""

import asyncio
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from examples.phantom import BARTHOLOMEW, MARIPOSA, as_bytes, scanner_image
from services.intake.api.verdicts import CANNOT_UNDERSTAND, DUPLICATE, FAILURE, OUT_OF_RESOURCES
from tests.integration.intake.conftest import Intake
from tests.integration.intake.sending import (
    BOUNDARY,
    CONTENT_TYPE,
    about,
    failures,
    hand,
    kept,
    multipart,
    stow,
    submission,
)

ACCEPTED = "org.overread.intake.case-accepted.v1"
SUPPLEMENTED = "org.overread.intake.case-supplemented.v1"


def three(**data: Any) -> dict[str, Any]:
    study = submission()["data"]["studies"][0] | {"number_of_instances": 3}
    return submission(studies=[study], **data)


async def submitted(intake: Intake, event: dict[str, Any] | None = None) -> str:
    answer = await intake.post_event(event or submission())
    case_id: str = answer.json()["case_id"]
    return case_id


async def state(intake: Intake, case_id: str) -> str:
    answer = await intake.http.get(f"/v1/cases/{case_id}", headers=intake.partner())
    told: str = answer.json()["state"]
    return told


async def accepted(intake: Intake, case_id: str) -> None:
    """Wait, on the case's own stream, until it is accepted."""
    async with intake.http.stream("GET", "/v1/cases/stream", headers=intake.partner()) as lines:
        async for line in lines.aiter_lines():
            if line.startswith("data:") and case_id in line and ACCEPTED in line:
                return


async def test_the_last_instance_accepts_the_case_before_its_sender_has_an_answer(
    intake: Intake,
) -> None:
    case_id = await submitted(intake)

    answer = await stow(intake, hand())

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    assert kept(answer) == [MARIPOSA.instance_uid()]
    assert await state(intake, case_id) == "accepted"
    assert (await intake.decided())[-2:] == ["org.overread.intake.study-attached.v1", ACCEPTED]


async def test_an_instance_lies_in_the_vault_unchanged(intake: Intake) -> None:
    await stow(intake, hand())

    files = [file for file in (intake.folder / "raw").rglob("*") if file.is_file()]

    assert [file.read_bytes() for file in files] == [hand()]


async def test_a_study_that_comes_before_its_case_waits_for_it(intake: Intake) -> None:
    await stow(intake, hand())
    assert await intake.decided() == []

    answer = await intake.post_event(submission())

    assert answer.json()["state"] == "accepted"


async def test_a_study_before_its_case_is_found_by_accession_number_with_issuer(
    intake: Intake,
) -> None:
    await stow(intake, hand())
    named = {"accession_number": "ACC7734219", "modality": "DX", "number_of_instances": 1}

    wrong = await intake.post_event(
        {**submission(studies=[{**named, "issuer": "ANOTHER-RIS"}]), "id": "1"}
    )
    right = await intake.post_event(
        {**submission(studies=[{**named, "issuer": "STJUDE-NORTH-RIS"}]), "id": "2"}
    )

    assert wrong.json()["state"] == "collecting"
    assert right.json()["state"] == "accepted"


async def test_all_orders_of_three_instances_and_the_case_accept_it_once(intake: Intake) -> None:
    """All four at once: whoever commits second finds the first."""
    answers = await asyncio.gather(
        stow(intake, hand(1)),
        stow(intake, hand(2)),
        intake.post_event(three()),
        stow(intake, hand(3)),
        stow(intake, hand(2)),
    )

    assert {answer.status_code for answer in answers} <= {200, 202}
    case_id = answers[2].json()["case_id"]
    assert await state(intake, case_id) == "accepted"
    decided = await intake.decided()
    assert decided.count(ACCEPTED) == 1
    assert SUPPLEMENTED not in decided


async def test_an_instance_twice_is_taken_twice_and_counted_once(intake: Intake) -> None:
    case_id = await submitted(intake, three())
    first = await stow(intake, hand(1), hand(1))
    again = await stow(intake, hand(1))

    assert (first.status_code, again.status_code) == (200, 200)
    seen = await intake.http.get(f"/v1/cases/{case_id}", headers=intake.partner())
    assert seen.json()["studies"][0]["instances"] == 1


async def test_the_same_name_with_other_content_is_a_conflict(intake: Intake) -> None:
    await stow(intake, hand(1))

    answer = await stow(intake, hand(1, note="changed"), hand(2))
    both = await stow(intake, hand(3), hand(3, note="changed"))

    assert answer.status_code == 202
    assert [reason for reason, _ in failures(answer)] == [DUPLICATE]
    assert kept(answer) == [MARIPOSA.instance_uid(2)]
    assert (both.status_code, len(kept(both)), len(failures(both))) == (202, 1, 1)


async def test_another_patients_study_is_refused_when_its_case_is_known(intake: Intake) -> None:
    case_id = await submitted(intake)
    stranger = dcmread(BytesIO(hand()))
    stranger.PatientID = BARTHOLOMEW.mrn

    answer = await stow(intake, as_bytes(stranger))

    assert answer.status_code == 409
    assert failures(answer) == [(FAILURE, "The case of this study is another patient's.")]
    assert await state(intake, case_id) == "collecting"


async def test_another_patients_study_that_came_first_is_named_and_can_be_mended(
    intake: Intake,
) -> None:
    stranger = dcmread(BytesIO(hand()))
    stranger.PatientID = BARTHOLOMEW.mrn
    await stow(intake, as_bytes(stranger))

    answer = await intake.post_event(submission())
    assert [one["code"] for one in answer.json()["missing"]] == ["study", "wrong_patient"]

    mended = await stow(intake, hand())
    assert mended.status_code == 200
    assert await state(intake, answer.json()["case_id"]) == "accepted"


async def test_a_submission_that_named_the_wrong_patient_is_cancelled_and_sent_again(
    intake: Intake,
) -> None:
    await stow(intake, hand())
    wrong = submission(patient=submission()["data"]["patient"] | {"id": "MRN-TYPO"})
    case_id = await submitted(intake, wrong)
    await intake.post_event(about("case.cancel", case_id, "c"))

    right = await intake.post_event({**submission(), "id": "again"})

    assert right.json()["state"] == "accepted"


async def test_a_second_case_about_the_same_study_gets_its_images_too(intake: Intake) -> None:
    await submitted(intake)
    await stow(intake, hand())

    second = await intake.post_event({**submission(), "id": "second-question"})

    assert second.json()["state"] == "accepted"


async def test_the_study_in_the_url_counts(intake: Intake) -> None:
    mine = await stow(intake, hand(), study=MARIPOSA.study_uid)
    other = await stow(intake, hand(2), study="1.2.3")
    no_uid = await stow(intake, hand(2), study="not-a-uid")

    assert mine.status_code == 200
    assert failures(other) == [(FAILURE, "The instance is not of the study in the URL.")]
    assert no_uid.status_code == 422


async def test_another_tenants_study_stays_invisible(intake: Intake) -> None:
    """Equal UIDs of two partners never meet: nothing tells one that the other has the study."""
    case_id = await submitted(intake)

    theirs = await stow(intake, hand(), tenant="lakeside")

    assert theirs.status_code == 200
    assert await state(intake, case_id) == "collecting"
    await stow(intake, hand())
    assert await state(intake, case_id) == "accepted"


def bomb() -> bytes:
    """600 MiB of zeros, deflated into 600 kB."""
    dataset = scanner_image()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    file = as_bytes(dataset)
    meta = dcmread(BytesIO(file), stop_before_pixels=True).file_meta
    length = 128 + 4 + 12 + meta.FileMetaInformationGroupLength
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(600)) + squeeze.flush()
    return file[:length] + zeros


def without_patient() -> bytes:
    dataset = dcmread(BytesIO(hand()))
    dataset.PatientID = ""
    return as_bytes(dataset)


BAD: dict[str, tuple[Callable[[], bytes], int]] = {
    "no DICOM": (lambda: b"no dicom at all", CANNOT_UNDERSTAND),
    "empty": (lambda: b"", CANNOT_UNDERSTAND),
    "truncated": (lambda: hand(7)[:-1000], CANNOT_UNDERSTAND),
    "header only": (lambda: hand(7)[:200], CANNOT_UNDERSTAND),
    "bomb": (bomb, OUT_OF_RESOURCES),
    "too large": (lambda: hand(7) + bytes(5 << 20), OUT_OF_RESOURCES),
    "no patient": (without_patient, FAILURE),
}


async def test_a_bad_instance_is_refused_with_its_reason_and_the_others_are_stored(
    intake: Intake,
) -> None:
    for name, (bad, reason) in BAD.items():
        answer = await stow(intake, hand(1), bad(), hand(2))

        assert (name, answer.status_code) == (name, 202)
        assert kept(answer) == [MARIPOSA.instance_uid(1), MARIPOSA.instance_uid(2)]
        ((given, sentence),) = failures(answer)
        assert (name, given) == (name, reason)
        assert 0 < len(sentence) <= 64


async def test_a_part_of_another_media_type_is_refused(intake: Intake) -> None:
    body = multipart(b"<NativeDicomModel/>", media_type="application/dicom+xml")

    answer = await stow(intake, body=body)

    assert answer.status_code == 409
    assert [reason for reason, _ in failures(answer)] == [CANNOT_UNDERSTAND]


async def test_a_body_that_ends_early_keeps_what_was_whole(intake: Intake) -> None:
    answer = await stow(intake, body=multipart(hand(1), hand(2))[:-300])

    assert answer.status_code == 202
    assert kept(answer) == [MARIPOSA.instance_uid(1)]


FORMS = [
    ("application/dicom", b"x", 415),
    ('multipart/related; type="application/dicom+json"; boundary=b', b"x", 415),
    ('multipart/related; type="application/dicom"', b"x", 415),
    ("multipart/form-data; boundary=b", b"x", 415),
    (f'multipart/related; type="application/dicom"; boundary={"b" * 300}', b"x", 415),
    (CONTENT_TYPE, b"", 400),
    (CONTENT_TYPE, b"nonsense", 400),
    (CONTENT_TYPE, f"--{BOUNDARY}--\r\n".encode(), 400),
    (CONTENT_TYPE, f"--{BOUNDARY}\r\nX: {'x' * 9000}\r\n\r\n".encode(), 400),
]


async def test_a_body_of_another_form_is_a_problem(intake: Intake) -> None:
    for content_type, body, status in FORMS:
        headers = {"content-type": content_type, **intake.partner()}

        answer = await intake.http.post("/dicomweb/studies", content=body, headers=headers)

        assert (content_type, answer.status_code) == (content_type, status)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_answer_that_nobody_accepts_is_not_given(intake: Intake) -> None:
    headers = {
        "content-type": CONTENT_TYPE,
        "accept": "application/dicom+xml",
        **intake.partner(),
    }

    answer = await intake.http.post("/dicomweb/studies", content=multipart(hand()), headers=headers)

    assert answer.status_code == 406


async def test_a_study_without_a_number_is_accepted_when_quiet(intake: Intake) -> None:
    study = submission()["data"]["studies"][0]
    del study["number_of_instances"]
    case_id = await submitted(intake, submission(studies=[study]))

    await stow(intake, hand(1))
    await asyncio.wait_for(accepted(intake, case_id), 60)

    assert await state(intake, case_id) == "accepted"


async def test_a_late_instance_supplements_the_case(intake: Intake) -> None:
    await submitted(intake)
    await stow(intake, hand(1))

    await stow(intake, hand(2))

    assert (await intake.decided())[-1] == SUPPLEMENTED


async def test_instances_are_taken_in_one_request_by_the_hundred(intake: Intake) -> None:
    study = submission()["data"]["studies"][0] | {"number_of_instances": 100}
    case_id = await submitted(intake, submission(studies=[study]))

    answer = await stow(intake, *(hand(number) for number in range(1, 101)))

    assert answer.status_code == 200
    assert await state(intake, case_id) == "accepted"
    assert (await intake.decided()).count("org.overread.intake.study-attached.v1") == 1
