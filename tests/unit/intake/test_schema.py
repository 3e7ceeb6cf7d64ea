"""What a partner may send, and what is said of what it may not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from services.intake.api.cloud import PartnerEvent, read_event
from services.intake.api.schema import TYPES, Submission
from shared.runtime.errors import Problem

EXAMPLES = Path(__file__).parents[3] / "examples" / "cases"
SUBMIT = "org.overread.partner.case.submit.v1"
ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "/ris", "type": SUBMIT}
DATA: dict[str, Any] = {
    "patient": {
        "name": {"family": "Doe", "given": "Jane"},
        "id": "MRN-1",
        "birth_date": "1980-02-29",
        "sex": "F",
    },
    "clinician": {"name": "Dr Who", "email": "who@hospital.example"},
    "service_level": "urgent",
    "reason_for_review": "not_read_by_subspecialist",
    "clinical_question": "Is there a fracture?",
    "body_region": "HAND",
    "modality": "DX",
    "laterality": "R",
    "jurisdiction": "US-MA",
    "studies": [{"study_instance_uid": "1.2.3", "modality": "DX", "number_of_instances": 1}],
    "first_report": {"status": "present", "text": "No fracture.", "reader": "dr-7"},
}
TEXTS = 1 << 20


def http(body: bytes, **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": pairs}, receive)


async def structured(**changed: Any) -> PartnerEvent:
    event = {**ATTRIBUTES, "data": DATA, **changed}
    event = {name: value for name, value in event.items() if value is not None}
    body = json.dumps(event).encode()
    return await read_event(http(body, content_type="application/cloudevents+json"), TEXTS)


async def binary(data: object = None, **attributes: str) -> PartnerEvent:
    headers = {f"ce_{name}": value for name, value in {**ATTRIBUTES, **attributes}.items()}
    body = json.dumps(DATA if data is None else data).encode()
    return await read_event(http(body, content_type="application/json", **headers), TEXTS)


async def refused(**changed: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await structured(**changed)
    return caught.value


def mended(path: str, value: object) -> dict[str, Any]:
    """Give DATA with one place changed; the value ... removes it."""
    data: dict[str, Any] = json.loads(json.dumps(DATA))
    *steps, last = path.split("/")
    place: Any = data
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


async def test_both_modes_give_the_same_event() -> None:
    one, other = await structured(), await binary()

    assert one.asked == other.asked
    assert isinstance(one.asked, Submission)
    assert (one.key, one.canonical) == (other.key, other.canonical) == ("/ris 1", one.canonical)
    assert (one.pointer, other.pointer) == ("#/data", "#")


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
async def test_a_missing_attribute_is_named(name: str) -> None:
    problem = await refused(**{name: None})
    assert problem.status_code == 400
    assert [one.pointer for one in problem.errors] == [f"#/{name}"]

    with pytest.raises(Problem) as caught:
        await binary(**{name: ""})
    assert [one.parameter for one in caught.value.errors] == [f"ce-{name}"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("specversion", "0.3"), ("specversion", "2.0"), ("time", "yesterday"), ("id", 7)],
)
async def test_a_wrong_attribute_is_named(attribute: str, value: object) -> None:
    problem = await refused(**{attribute: value})

    assert problem.status_code == 400
    assert [one.pointer for one in problem.errors] == [f"#/{attribute}"]


async def test_an_unknown_type_is_named_with_those_that_are_known() -> None:
    problem = await refused(type="org.overread.partner.case.submit.v2")

    assert (problem.status_code, problem.errors[0].pointer) == (422, "#/type")
    assert all(known in problem.errors[0].detail for known in TYPES)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"content_type": "application/json"}, 400),
        (b"", {}, 400),
        (b"[]", {"content_type": "application/cloudevents+json"}, 400),
        (b"{", {"content_type": "application/cloudevents+json"}, 400),
        (b"\xff\xfe", {"content_type": "application/cloudevents+json"}, 400),
        (b'{"id": "\\ud800"}', {"content_type": "application/cloudevents+json"}, 400),
        (b"[" * 900 + b"]" * 900, {"content_type": "application/cloudevents+json"}, 400),
        (b"[" * 100_000, {"content_type": "application/cloudevents+json"}, 400),
        (b"[]", {"content_type": "application/cloudevents-batch+json"}, 415),
        (b"<a/>", {"content_type": "application/cloudevents+xml"}, 415),
        (b"<a/>", {"content_type": "text/xml", "ce_id": "1"}, 415),
    ],
)
async def test_what_is_no_cloudevent_is_refused(
    body: bytes, headers: Mapping[str, str], status: int
) -> None:
    with pytest.raises(Problem) as caught:
        await read_event(http(body, **headers), TEXTS)

    assert caught.value.status_code == status


async def test_an_event_over_the_limit_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        await read_event(http(b" " * 11, content_type="application/cloudevents+json"), 10)

    assert caught.value.status_code == 413


@pytest.mark.parametrize("data", [None, "text", 7, []])
async def test_data_that_are_no_object_are_refused(data: object) -> None:
    problem = await refused(data=data)

    assert (problem.status_code, problem.errors[0].pointer) == (422, "#/data")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("patient", ...),
        ("patient/name/family", ...),
        ("patient/name/family", "  "),
        ("patient/name/family", "Doe\nBcc: all"),
        ("patient/id", 17),
        ("patient/id", "x" * 65),
        ("patient/birth_date", "29.02.1980"),
        ("patient/birth_date", "1981-02-29"),
        ("patient/birth_date", "1066-10-14"),
        ("patient/birth_date", 5),
        ("patient/sex", "female"),
        ("patient/nickname", "Jay"),
        ("clinician/email", "who@hospital.example, all@hospital.example"),
        ("clinician/email", "who@hospital.example\r\nBcc: x@y.example"),
        ("service_level", "now"),
        ("reason_for_review", "curiosity"),
        ("body_region", "NOSE HAIR"),
        ("modality", "SM"),
        ("laterality", "left"),
        ("jurisdiction", "Massachusetts, please"),
        ("language", "english"),
        ("procedure_date", "soon"),
        ("procedure_date", "2026-11-20T08:00:00"),
        ("studies", []),
        ("studies", [{}] * 51),
        ("studies/0/study_instance_uid", "1.02.3"),
        ("studies/0/study_instance_uid", "1." + "2" * 70),
        ("studies/0/number_of_instances", 0),
        ("studies/0/number_of_instances", "1"),
        ("studies/0/number_of_instances", 1.5),
        ("first_report", ...),
        ("first_report/status", "lost"),
        ("first_report/text", ""),
        ("first_report/text", "a\0b"),
        ("first_report/reader", "Dr. House"),
        ("urgent", True),
    ],
)
async def test_a_wrong_field_is_named_and_its_value_is_not_repeated(
    path: str, value: object
) -> None:
    problem = await refused(data=mended(path, value))

    assert problem.status_code == 422
    named = [str(one.pointer) for one in problem.errors]
    assert any(one == f"#/data/{path}" or one.startswith(f"#/data/{path}/") for one in named)
    if isinstance(value, str) and len(value.strip()) > 2:
        assert all(value not in one.detail for one in problem.errors)


async def test_a_study_without_any_name_is_refused() -> None:
    problem = await refused(data=mended("studies", [{"modality": "DX"}]))

    assert problem.errors[0].pointer == "#/data/studies/0"


async def test_a_text_of_a_report_that_is_missing_is_refused() -> None:
    problem = await refused(data=mended("first_report/status", "missing"))

    assert problem.errors[0].pointer == "#/data/first_report"


async def test_binary_mode_points_into_the_body_itself() -> None:
    with pytest.raises(Problem) as caught:
        await binary(mended("service_level", "now"))

    assert [one.pointer for one in caught.value.errors] == ["#/service_level"]


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("2026-11-20T08:00:00-05:00", "2026-11-20T08:00:00-05:00"),
    ],
)
async def test_a_date_begins_at_midnight_utc(given: str, moment: str) -> None:
    event = await structured(data=mended("procedure_date", given))

    assert isinstance(event.asked, Submission)
    assert event.asked.procedure_date is not None
    assert event.asked.procedure_date.isoformat() == moment


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        ({"kind": "history", "text": "Fell."}, True),
        ({"kind": "first_report", "status": "missing"}, True),
        ({"kind": "history"}, False),
        ({"kind": "history", "status": "missing"}, False),
        ({"kind": "first_report", "status": "missing", "text": "x"}, False),
        ({"kind": "xray", "text": "x"}, False),
    ],
)
async def test_an_attachment_says_something(data: dict[str, Any], *, whole: bool) -> None:
    event = {"case_id": "6f1c5d0e-8a54-5b0c-9a53-3d5a1c7f2b11", **data}
    kind = "org.overread.partner.document.attach.v1"

    if whole:
        await structured(type=kind, data=event)
    else:
        assert (await refused(type=kind, data=event)).status_code == 422


EXAMPLE_FILES = {file.stem: file.read_bytes() for file in sorted(EXAMPLES.glob("*.json"))}


@pytest.mark.parametrize("example", EXAMPLE_FILES)
async def test_the_examples_are_what_we_take(example: str) -> None:
    event = await read_event(
        http(EXAMPLE_FILES[example], content_type="application/cloudevents+json"), TEXTS
    )

    assert isinstance(event.asked, Submission)
