"""Does the walkthrough's story come true with real processes, HTTP, Kafka and Postgres?

The hospital, the operator and the reader act over the public edges only. What is published must be
what `tests/walkthrough/test_one_case.py` publishes, event by event.
"""

import asyncio
import json
from pathlib import Path

import pytest

from cli.receiver import Arrived
from examples.phantom import MARIPOSA, Shot, as_bytes, hand_radiograph
from shared.contracts.topics import SERVICES
from shared.runtime.local.stack import Stack
from shared.testing import story
from tests.acceptance.log import published
from tests.acceptance.people import TRACE, People, people

pytestmark = pytest.mark.timeout(240)


async def test_a_missed_fracture_is_found_and_the_hospital_hears_of_it(stack: Stack) -> None:
    async with people(stack) as everybody:
        case_id = await the_hospital_submits_a_case_and_its_image(everybody)
        await an_operator_looks_at_what_is_held(everybody, case_id)
        await a_reader_is_found(everybody, case_id)
        await the_reader_reads_blind_then_compares_and_signs(everybody, case_id)
        arrived = await the_hospital_receives_and_acknowledges(everybody, case_id)
        events = await published(stack, case_id, story.TOLD)

    for publisher in SERVICES:
        assert story.told(events[publisher]) == list(story.TOLD[publisher]), publisher
    it_names_the_patient(arrived)
    told = "".join(event.model_dump_json() for one in events.values() for event in one)
    assert not [one for one in MARIPOSA.identifiers() if one.lower() in told.lower()]
    await asyncio.to_thread(stack.stop)  # so that every span is written
    it_is_one_trace(stack, arrived)


async def the_hospital_submits_a_case_and_its_image(everybody: People) -> str:
    answer = await everybody.partner.submit("order-2026-1001", story.SUBMISSION)
    again = await everybody.partner.submit("order-2026-1001", story.SUBMISSION)
    assert answer == again, "the same request again: the same answer, and no second case"
    image = hand_radiograph(MARIPOSA, Shot(375, 300, fracture=True, seed=1), burned_in=True)
    await everybody.partner.store([as_bytes(image)])
    return str(answer["case_id"])


async def an_operator_looks_at_what_is_held(everybody: People, case_id: str) -> None:
    """Texts first: the case goes on when the last image is decided."""
    operator = everybody.operator
    held = await operator.held(case_id)
    for item in sorted(held, key=lambda one: one["subject"] == "instance"):
        if item["subject"] == "instance":
            assert all(await operator.pictures(item))
            await operator.decide(case_id, item, "release", "no_identifiers_seen")
        else:
            shown = await operator.text(item)
            [doubt] = [one for one in shown["marks"] if one["replacement"] is None]
            word = shown["text"][doubt["start"] : doubt["end"]]
            assert (item["kind"], word) == ("history", "Larkhollow")
            text = shown["proposed"].replace(word, "[PLACE]")
            await operator.decide(case_id, item, "release", "identifiers_removed", text=text)


async def a_reader_is_found(everybody: People, case_id: str) -> None:
    offer = await everybody.reader.offer_for(case_id)
    await everybody.reader.accept(offer["assignment"])


async def the_reader_reads_blind_then_compares_and_signs(everybody: People, case_id: str) -> None:
    reader = everybody.reader
    await reader.start(case_id)
    view = await reader.view(case_id)
    assert view["first_report"] is None, "the first report is hidden until the opinion is locked"
    image = await reader.instance(view["studies"][0]["instances"][0]["href"])
    assert MARIPOSA.mrn.encode() not in image
    await reader.draft(case_id, story.OPINION)
    await reader.lock(case_id)
    revealed = await reader.reveal(case_id)
    first = revealed["first_report"]["text"]
    assert "Patient: [NAME]" in first, "the first report went without a person's look"
    assert "No acute fracture" in first
    await reader.compare(case_id, story.COMPARISON)
    everybody.receiver.open.clear()
    await reader.finalize(case_id)
    # Matching hears of the signature from reporting and of the delivery from notify. Both orders
    # are right; the hospital takes its time, so that the story has one.
    await everybody.timeline.until(case_id, "matching.assignment-closed.v1")
    everybody.receiver.open.set()


async def the_hospital_receives_and_acknowledges(everybody: People, case_id: str) -> Arrived:
    arrived = await everybody.receiver.result_of(case_id)
    mail = await everybody.mailbox.mail_about(case_id)
    said = f"{mail['Subject']} {mail.get_content()}".lower()
    assert not [one for one in MARIPOSA.identifiers() if one.lower() in said]
    await the_link_of_the_mail_leads_there(everybody, said)
    await everybody.timeline.until(case_id, "notify.delivered.v1", times=2)
    await everybody.partner.acknowledge(case_id)
    assert await everybody.partner.result(case_id) == arrived.bundle
    return arrived


async def the_link_of_the_mail_leads_there(everybody: People, said: str) -> None:
    """Behind a login, and for those whose case it is."""
    [link] = [word for word in said.split() if word.startswith("http")]
    token = {"Authorization": f"Bearer {await everybody.partner.token()}"}
    assert (await everybody.partner.http.get(link)).status_code == 401
    found = await everybody.partner.http.get(link, headers=token)
    assert found.status_code == 200
    assert found.json()["links"]["result"].endswith("/result")


def it_names_the_patient(arrived: Arrived) -> None:
    resources = [entry["resource"] for entry in arrived.bundle["entry"]]
    [patient] = [one for one in resources if one["resourceType"] == "Patient"]
    sent = story.SUBMISSION["patient"]
    assert patient["name"][0]["family"] == sent["name"]["family"]
    assert patient["identifier"][0]["value"] == sent["id"]
    assert resources[0]["conclusion"] == story.OPINION["impression"]
    assert resources[0]["conclusionCode"][0]["coding"][0]["code"] == "refuted"


def it_is_one_trace(stack: Stack, arrived: Arrived) -> None:
    """From the submission to the webhook: the hospital's own trace goes through all services."""
    assert arrived.traceparent.split("-")[1] == TRACE
    spans = {
        name: [json.loads(line) for line in _spans_of(stack, name).read_text().splitlines()]
        for name in SERVICES
    }
    steps = {
        name: {one["name"] for one in found if one["trace_id"] == TRACE}
        for name, found in spans.items()
    }
    assert "POST /v1/events" in steps["intake"]
    assert "deid decide CaseAccepted" in steps["deid"]
    assert "matching decide CaseDeidentified" in steps["matching"]
    assert "reporting decide AssignmentAccepted" in steps["reporting"]
    assert {"notify decide ReportFinalized", "notify attempt"} <= steps["notify"]


def _spans_of(stack: Stack, service: str) -> Path:
    return stack.places.telemetry / f"{service}.spans.jsonl"
