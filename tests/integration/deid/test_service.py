"""deid as a whole: real vault, real Postgres, real Kafka, real child processes."""

import hashlib
import re
import zlib
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from PIL import Image
from pydicom import dcmread
from pydicom.uid import UID

from examples.phantom import (
    BARTHOLOMEW,
    MARIPOSA,
    Patient,
    Shot,
    as_bytes,
    hand_radiograph,
    scanner_image,
)
from shared.contracts.deid import (
    CaseDeidentified,
    CaseQuarantined,
    DeidentificationFailed,
    QuarantineReleased,
)
from shared.contracts.intake import CaseCancelled
from tests.integration.deid.lab import Lab, case
from tests.unit.deid.cases import supplemented
from tests.unit.deid.files import EXPLICIT, Writer

SMALL = Shot(rows=375, columns=300)
REPORT = "Hand, three views. Mrs Vanterpool, born 14.03.1967, fell on 2026-10-30. No fracture."
DOUBTFUL = "Hand. Mrs Vanterpool fell off the Larkhollow bus on 2026-10-30. No fracture."


def ct(patient: Patient = BARTHOLOMEW, instance: int = 1) -> bytes:
    dataset = scanner_image("CT_small.dcm", patient)
    dataset.SOPInstanceUID = patient.instance_uid(instance)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(patient.instance_uid(instance))
    dataset.InstanceNumber = instance
    return as_bytes(dataset)


def hand() -> bytes:
    return as_bytes(hand_radiograph(MARIPOSA, SMALL, burned_in=True))


def day(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)


async def test_a_ct_goes_through_clean_certified_and_without_a_trace(at_work: Lab) -> None:
    case_id = case("ct")
    study = await at_work.study(case_id, "study-1", ct(instance=1), ct(instance=2))

    await at_work.accept(case_id, study)
    event = await at_work.hear(CaseDeidentified, case_id)

    images = await at_work.clean(event)
    assert [dcmread(BytesIO(one)).PatientID for one in images] == [event.pseudonym] * 2
    assert {dcmread(BytesIO(one)).InstanceNumber for one in images} == {1, 2}
    found = await at_work.get(f"/v1/cases/{case_id}/certificates")
    (certificate,) = found.json()["certificates"]
    assert [one["sha256"] for one in certificate["instances"]] == [
        hashlib.sha256(one).hexdigest() for one in images
    ]
    assert (certificate["edition"], certificate["key_version"]) == ("2026c", "1")
    assert certificate["actions"]["removed, private"] > 0
    words = BARTHOLOMEW.identifiers()
    assert await at_work.leaks(words) == []
    raw = b"".join(one.read_bytes() for one in (at_work.folder / "raw").rglob("*") if one.is_file())
    assert sum(one.lower().encode() in raw.lower() for one in words) > 20


async def test_a_radiograph_waits_for_a_person_who_looks_and_releases(at_work: Lab) -> None:
    case_id = case("hand")
    study = await at_work.study(case_id, "study-1", hand(), modality="DX")
    report = await at_work.text(case_id, "first_report", REPORT)
    await at_work.accept(case_id, study, documents=(report,))
    held = await at_work.hear(CaseQuarantined, case_id)

    listed = (await at_work.get("/v1/quarantine")).json()
    items = await at_work.items(case_id)
    image = next(one for one in items if one["subject"] == "instance")
    look = (await at_work.get(image["links"]["look"])).json()
    png = await at_work.get(look["pictures"][0])
    decided = await at_work.decide(case_id, items=[image["item"]])
    released = await at_work.hear(QuarantineReleased, case_id)
    event = await at_work.hear(CaseDeidentified, case_id)

    assert [one.code for one in held.findings] == ["burned_in_text_flagged"]
    assert listed["cases"] == [
        {"case_id": str(case_id), "partner": "st-elsewhere", "state": "quarantined", "waiting": 1}
    ]
    assert (look["modality"], look["frames"], look["rows"]) == ("DX", 1, 375)
    assert Image.open(BytesIO(png.content)).size == (300, 375)
    assert (decided.status_code, decided.json()["state"]) == (200, "released")
    assert (released.by, released.reason) == ("dr-ops", "no_identifiers_seen")
    (document,) = event.documents
    assert document.content is not None
    assert re.fullmatch(
        rb"Hand, three views\. Mrs \[NAME\] \[BIRTH DATE\], "
        rb"fell on \[DATE 20\d\d-\d\d-\d\d\]\. No fracture\.",
        await at_work.store.get(document.content),
    )
    assert dcmread(BytesIO((await at_work.clean(event))[0])).pixel_array.shape == (375, 300)
    assert await at_work.leaks(MARIPOSA.identifiers()) == []
    rows = await at_work.live.core.pool.fetch("SELECT item, frame, by FROM looks ORDER BY seq")
    assert [(row["item"], row["frame"], row["by"]) for row in rows] == [
        (image["item"], None, "dr-ops"),
        (image["item"], 1, "dr-ops"),
    ]
    found = (await at_work.get(f"/v1/cases/{case_id}/certificates")).json()
    assert found["certificates"][0]["instances"][0]["released_by"] == "dr-ops"


async def test_a_text_in_doubt_waits_for_a_person_and_goes_without_the_name(at_work: Lab) -> None:
    case_id = case("text")
    study = await at_work.study(case_id, "study-1", ct(MARIPOSA))
    report = await at_work.text(case_id, "first_report", DOUBTFUL)
    await at_work.accept(case_id, study, documents=(report,))
    withheld = await at_work.hear(CaseDeidentified, case_id)
    (document,) = await at_work.items(case_id)
    item = document["item"]

    look = (await at_work.get(document["links"]["look"])).json()
    as_it_is = await at_work.decide(case_id, items=[item], text=DOUBTFUL)
    text = look["proposed"].replace("Larkhollow", "[PLACE]")
    edited = await at_work.decide(case_id, items=[item], text=text, reason="identifiers_removed")
    event = await at_work.hear(CaseDeidentified, case_id)

    assert [one.status for one in withheld.documents] == ["withheld"]
    assert document["findings"] == [{"code": "possible_name", "detail": "places: 1"}]
    assert [
        (DOUBTFUL[one["start"] : one["end"]], one["what"], one["replacement"] is None)
        for one in look["marks"]
    ] == [
        ("Vanterpool", "name", False),
        ("Larkhollow", "possible_name", True),
        ("2026-10-30", "date", False),
    ]
    assert (as_it_is.status_code, as_it_is.json()["code"]) == (422, "text-names-somebody")
    assert "anterpool" not in as_it_is.text
    assert edited.status_code == 200, edited.text
    (content,) = event.documents
    assert content.status == "released"
    assert content.content is not None
    assert (await at_work.store.get(content.content)).decode() == text
    assert text.startswith("Hand. Mrs [NAME] fell off the [PLACE] bus on [DATE ")
    assert event.supplement == 1
    assert await at_work.leaks([*MARIPOSA.identifiers(), "Larkhollow"]) == []


async def test_an_operator_may_release_a_text_as_it_is_proposed(at_work: Lab) -> None:
    case_id = case("proposed")
    study = await at_work.study(case_id, "study-1", ct(MARIPOSA))
    report = await at_work.text(case_id, "first_report", DOUBTFUL)
    await at_work.accept(case_id, study, documents=(report,))
    await at_work.hear(CaseDeidentified, case_id)
    (document,) = await at_work.items(case_id)

    decided = await at_work.decide(case_id, items=[document["item"]])
    event = await at_work.hear(CaseDeidentified, case_id)

    assert decided.status_code == 200, decided.text
    (content,) = event.documents
    assert content.content is not None
    kept = await at_work.store.get(content.content)
    assert kept.startswith(b"Hand. Mrs [NAME] fell off the Larkhollow bus on [DATE ")
    assert await at_work.leaks(MARIPOSA.identifiers()) == []


async def test_texts_move_their_dates_like_the_images(at_work: Lab) -> None:
    case_id = case("dates")
    study = await at_work.study(case_id, "study-1", ct(MARIPOSA))
    report = await at_work.text(case_id, "first_report", "Compared with the images of 2026-10-30.")

    await at_work.accept(case_id, study, documents=(report,))
    event = await at_work.hear(CaseDeidentified, case_id)

    (document,) = event.documents
    assert document.content is not None
    (image,) = await at_work.clean(event)
    moved = dcmread(BytesIO(image)).StudyDate
    written = f"[DATE {moved[:4]}-{moved[4:6]}-{moved[6:]}]"
    assert (await at_work.store.get(document.content)).decode() == (
        f"Compared with the images of {written}."
    )


async def test_a_late_text_and_one_without_images_that_know_the_patient(at_work: Lab) -> None:
    case_id = case("late text")
    study = await at_work.study(case_id, "study-1", ct(MARIPOSA))
    history = await at_work.text(case_id, "history", "Mrs Vanterpool fell.")
    await at_work.accept(case_id, study)
    await at_work.hear(CaseDeidentified, case_id)
    await at_work.tell(supplemented(documents=(history,)).model_copy(update={"case_id": case_id}))
    late = await at_work.hear(CaseDeidentified, case_id)
    bare = case("no image")
    question = await at_work.text(bare, "clinical_question", "Is there a fracture?")
    await at_work.accept(bare, documents=(question,))
    alone = await at_work.hear(CaseDeidentified, bare)

    assert [one.status for one in late.documents] == ["released"]
    assert [one.status for one in alone.documents] == ["withheld"]
    (item,) = await at_work.items(bare)
    assert [one["code"] for one in item["findings"]] == ["identifier_unknown"]


def bomb() -> bytes:
    """1 GiB of zeros in 1 MB: one flushed block, a thousand times."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    inside = block * 1024 + deflater.flush()
    return bytes(128) + b"DICM" + Writer(f"{EXPLICIT}.99").meta() + inside


async def test_what_can_not_be_read_is_held_and_harms_no_other(at_work: Lab) -> None:
    case_id, other = case("bad"), case("good")
    bad = await at_work.study(case_id, "study-1", ct(), bomb(), ct()[:5000], b"GIF89a" * 100)
    good = await at_work.study(other, "study-1", ct(MARIPOSA))

    await at_work.accept(case_id, bad)
    await at_work.accept(other, good)
    held = await at_work.hear(CaseQuarantined, case_id)
    await at_work.accept(case("next"), await at_work.study(case("next"), "study-1", ct()))
    await at_work.hear(CaseDeidentified, case("next"))

    assert [one.code for one in held.findings] == ["unreadable"] * 3
    if not any(
        isinstance(one, CaseDeidentified) and one.case_id == other for one in at_work.published
    ):
        await at_work.hear(CaseDeidentified, other)
    items = [one["item"] for one in await at_work.items(case_id)]
    release = await at_work.decide(case_id, items=items)
    assert (release.status_code, release.json()["code"]) == (422, "only-rejectable")
    picture = await at_work.get(f"/v1/quarantine/{case_id}/items/{items[0]}")
    assert (picture.status_code, picture.json()["code"]) == (422, "no-picture")
    reject = await at_work.decide(case_id, items=items, decision="reject", reason="unreadable")
    assert reject.status_code == 200, reject.text
    event = await at_work.hear(CaseDeidentified, case_id)
    assert (event.instances_cleaned, event.instances_rejected) == (1, 3)


async def test_a_late_study_gets_the_same_pseudonym_and_shift(at_work: Lab) -> None:
    case_id = case("late")
    await at_work.accept(case_id, await at_work.study(case_id, "study-1", ct()))
    first = await at_work.hear(CaseDeidentified, case_id)
    prior = await at_work.study(case_id, "study-2", ct(instance=9))

    late = supplemented(prior).model_copy(update={"case_id": case_id})
    await at_work.tell(late)
    second = await at_work.hear(CaseDeidentified, case_id)

    assert second.pseudonym == first.pseudonym
    assert [one.study for one in second.studies] == ["study-1", "study-2"]
    assert second.studies[0] == first.studies[0]
    before = dcmread(BytesIO((await at_work.clean(second, 0))[0]))
    after = dcmread(BytesIO((await at_work.clean(second, 1))[0]))
    raw = dcmread(BytesIO(ct()))
    shifts = {day(one.StudyDate) - day(raw.StudyDate) for one in (before, after)}
    assert len(shifts) == 1
    assert before.StudyInstanceUID == after.StudyInstanceUID


async def test_rejecting_all_fails_the_case_aloud(at_work: Lab) -> None:
    case_id = case("rejected")
    await at_work.accept(case_id, await at_work.study(case_id, "study-1", hand()))
    await at_work.hear(CaseQuarantined, case_id)
    (item,) = await at_work.items(case_id)

    await at_work.decide(
        case_id, items=[item["item"]], decision="reject", reason="identifiers_seen"
    )
    event = await at_work.hear(DeidentificationFailed, case_id)

    assert event.reason == "every_instance_rejected"
    assert not [one for one in at_work.published if isinstance(one, CaseDeidentified)]


async def test_a_rotten_vault_fails_the_case_and_a_mended_one_lets_it_go(at_work: Lab) -> None:
    case_id = case("rot")
    study = await at_work.study(case_id, "study-1", ct())
    manifest = at_work.folder / study.manifests[0].address
    content = manifest.read_bytes()
    manifest.write_bytes(b"rotten")
    await at_work.accept(case_id, study)
    event = await at_work.hear(DeidentificationFailed, case_id)

    manifest.write_bytes(content)
    again = await at_work.post(f"/v1/quarantine/{case_id}/retry")
    await at_work.hear(CaseDeidentified, case_id)

    assert event.reason == "raw_object_missing_or_corrupt"
    assert again.status_code == 200, again.text


async def test_a_cancelled_case_leaves_nothing_to_look_at(at_work: Lab) -> None:
    case_id = case("cancelled")
    await at_work.accept(case_id, await at_work.study(case_id, "study-1", hand()))
    await at_work.hear(CaseQuarantined, case_id)

    await at_work.tell(CaseCancelled(case_id=case_id, partner="st-elsewhere", by="partner"))

    assert (await at_work.get("/v1/quarantine")).json() == {"cases": [], "next": None}
    assert (await at_work.get(f"/v1/quarantine/{case_id}")).status_code == 404


async def test_only_operators_may_look_and_wrong_requests_are_told_why(at_work: Lab) -> None:
    case_id = case("closed")
    path = f"/v1/quarantine/{case_id}"
    await at_work.accept(case_id, await at_work.study(case_id, "study-1", hand()))
    await at_work.hear(CaseQuarantined, case_id)
    (item,) = await at_work.items(case_id)
    look = item["links"]["look"]

    async def status(**wish: Any) -> tuple[int, str]:
        answer = await at_work.decide(case_id, **wish)
        return answer.status_code, answer.json().get("code", "")

    assert (await at_work.http.get(path)).status_code == 401
    assert (await at_work.get(path, "dr-osei", "reader")).status_code == 403
    assert (await at_work.get(path, "a subject with blanks")).status_code == 403
    assert (await at_work.get(f"/v1/quarantine/{case('nobody')}")).status_code == 404
    assert (await at_work.get(f"{look}/frames/2")).status_code == 404
    assert (await at_work.get(f"{path}/items/nothing")).status_code == 404
    assert await status(items=["nothing"]) == (422, "no-such-item")
    assert await status(items=[]) == (422, "invalid-request")
    assert await status(items=[item["item"]], text="hello") == (422, "text-unwanted")
    assert await status(items=[item["item"]], reason="because") == (422, "invalid-request")
    assert await status(items=[item["item"]], by="me") == (422, "invalid-request")
    assert (await at_work.post(f"{path}/retry")).status_code == 200


async def test_an_operator_draws_a_box_and_it_is_black_in_what_readers_see(at_work: Lab) -> None:
    case_id = case("drawn")
    study = await at_work.study(case_id, "study-1", hand(), modality="DX")
    await at_work.accept(case_id, study)
    await at_work.hear(CaseQuarantined, case_id)
    (image,) = await at_work.items(case_id)
    box = {"left": 100, "top": 40, "right": 160, "bottom": 90, "frame": 1}

    look = (await at_work.get(image["links"]["look"])).json()
    picture, corner = look["pictures"][0], (look["boxes"][0]["left"], look["boxes"][0]["top"])
    outlined = Image.open(BytesIO((await at_work.get(picture)).content)).convert("RGB")
    plain = Image.open(BytesIO((await at_work.get(f"{picture}?boxes=false")).content))
    beside = await at_work.decide(case_id, items=[image["item"]], boxes=[{**box, "right": 301}])
    drawn = await at_work.decide(
        case_id, items=[image["item"]], boxes=[box], reason="identifiers_removed"
    )
    event = await at_work.hear(CaseDeidentified, case_id)

    pixels = dcmread(BytesIO((await at_work.clean(event))[0])).pixel_array
    assert {one["kind"] for one in look["boxes"]} == {"blanked"}
    assert outlined.getpixel(corner) == (0, 255, 0) != plain.convert("RGB").getpixel(corner)
    assert (beside.status_code, drawn.status_code) == (422, 200)
    assert len(set(pixels[40:90, 100:160].ravel().tolist())) == 1
    assert len(set(pixels[100:150, 100:160].ravel().tolist())) > 1
