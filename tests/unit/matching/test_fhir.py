"""A hospital's directory, as FHIR R4B has it, laid over the roster."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.matching.domain.reader import Period, Reader
from services.matching.gateways.fhir import NPI, NUCC, QUALIFIED, laid_over, parsed
from tests.unit.matching.cases import reader

WHO = reader(identifiers=("npi:1467423107",))
ROSTER = {WHO.id: WHO}
NAMED = [{"system": NPI, "value": "1467423107"}]
ROLE: dict[str, Any] = {"resourceType": "PractitionerRole", "identifier": NAMED}


def bundle(*resources: dict[str, Any]) -> Any:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": one} for n, one in enumerate(resources)]
    told = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return parsed(json.dumps(told).encode())


def after(*resources: dict[str, Any]) -> Reader:
    laid = laid_over(bundle(*resources), ROSTER)
    assert laid.unmatched == []
    return Reader.model_validate(WHO.model_dump() | laid.changes["dr-osei"])


def test_a_role_says_who_is_active_when_and_in_what_field() -> None:
    role = ROLE | {
        "active": True,
        "specialty": [{"coding": [{"system": NUCC, "code": "2085P0229X"}]}],
        "organization": {"identifier": {"value": "overread-childrens"}},
        "availableTime": [
            {
                "daysOfWeek": ["mon", "tue"],
                "availableStartTime": "08:00:00",
                "availableEndTime": "16:00:00",
            },
            {"daysOfWeek": ["sat"], "allDay": True},
        ],
    }

    found = after(role)

    assert (found.active, found.subspecialties) == (True, ("pediatric",))
    assert found.groups == ("boston", "overread-childrens")
    assert [shift.days for shift in found.shifts] == [("mon", "tue"), ("sat",)]
    assert found.shifts[1].covers(datetime(2026, 11, 7, 23))  # noqa: DTZ001 - a wall clock
    assert found.modalities == WHO.modalities


def test_a_practitioner_says_where_they_are_licensed_and_what_they_speak() -> None:
    valid = {"url": "whereValid", "valueCodeableConcept": {"coding": [{"code": "US-VT"}]}}
    person = {
        "resourceType": "Practitioner",
        "id": "a",
        "identifier": NAMED,
        "communication": [{"coding": [{"code": "es"}]}],
        "qualification": [
            {
                "code": {"text": "MD"},
                "period": {"end": "2028-06-30"},
                "extension": [{"url": QUALIFIED, "extension": [valid]}],
            },
            {"code": {"text": "MD, nowhere"}},
        ],
    }
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/a"}}

    found = after(role, person)

    assert [(one.jurisdiction, one.expires_on) for one in found.licences] == [
        ("US-VT", date(2028, 6, 30))
    ]
    assert found.languages == ("es",)


def test_absences_and_slots_are_periods_and_replace_those_of_the_last_import() -> None:
    old = Period(
        begins_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2026, 1, 2, tzinfo=UTC),
        source="fhir",
    )
    own = old.model_copy(update={"source": "mine"})
    known = {"dr-osei": WHO.model_copy(update={"calendar": (old, own)})}
    absence = {"description": "leave", "during": {"start": "2026-12-01", "end": "2026-12-02"}}
    role = ROLE | {"notAvailable": [absence]}
    schedule = {"resourceType": "Schedule", "id": "s", "actor": [{"reference": "urn:uuid:0"}]}
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": "Schedule/s"},
        "status": "free",
        "start": "2026-11-07T14:00:00Z",
        "end": "2026-11-07T18:00:00Z",
    }

    laid = laid_over(bundle(role, schedule, slot, slot | {"status": "busy"}), known)

    found = Reader.model_validate(known["dr-osei"].model_dump() | laid.changes["dr-osei"])
    assert [(one.kind, one.source) for one in found.calendar] == [
        ("duty", "mine"),
        ("busy", "fhir"),
        ("duty", "fhir"),
    ]
    # Both days, where the reader is.
    assert found.calendar[1].begins_at == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert found.calendar[1].ends_at == datetime(2026, 12, 3, 5, tzinfo=UTC)


def working(group: str, day: str, field: str, **more: Any) -> dict[str, Any]:
    """Give a role at a hospital, with a morning a week."""
    morning = {"availableStartTime": "08:00:00", "availableEndTime": "12:00:00"}
    return ROLE | {
        "organization": {"identifier": {"value": group}},
        "specialty": [{"coding": [{"system": NUCC, "code": field}]}],
        "availableTime": [morning | {"daysOfWeek": [day]}],
        **more,
    }


NEURO, CHILDREN, DIAGNOSTIC = "2085N0700X", "2085P0229X", "2085R0202X"
EAST = working("group-east", "mon", NEURO, active=True)
AWAY = [{"description": "leave", "during": {"start": "2026-12-01", "end": "2026-12-01"}}]


@pytest.mark.parametrize("turned", [False, True])
def test_who_has_two_roles_is_what_both_say(*, turned: bool) -> None:
    west = working("group-west", "tue", CHILDREN, notAvailable=AWAY)

    found = after(*((west, EAST) if turned else (EAST, west)))

    assert found.active
    assert set(found.groups) == {"boston", "group-east", "group-west"}
    assert {shift.days for shift in found.shifts} == {("mon",), ("tue",)}
    assert set(found.subspecialties) == {"neuroradiology", "pediatric"}
    assert [one.kind for one in found.calendar] == ["busy"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_role_that_ended_says_nothing_of_who_has_another(*, turned: bool) -> None:
    west = working("group-west", "tue", CHILDREN, active=False, notAvailable=AWAY)

    found = after(*((west, EAST) if turned else (EAST, west)))

    assert found == after(EAST)
    assert "group-west" not in found.groups


def test_who_has_no_role_any_more_is_inactive() -> None:
    west = working("group-west", "tue", CHILDREN, active=False)

    assert after(EAST | {"active": False}, west) == WHO.model_copy(update={"active": False})


def test_that_somebody_is_a_radiologist_replaces_none_of_their_fields() -> None:
    assert after(working("group-east", "mon", DIAGNOSTIC)).subspecialties == WHO.subspecialties
    both = after(EAST, working("group-west", "tue", DIAGNOSTIC))
    assert both.subspecialties == ("neuroradiology",)


def test_the_schedule_of_a_person_counts_once_for_all_their_roles() -> None:
    person = {"resourceType": "Practitioner", "id": "a", "identifier": NAMED}
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/a"}}
    schedule = {"resourceType": "Schedule", "id": "s", "actor": [{"reference": "Practitioner/a"}]}
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": "Schedule/s"},
        "status": "free",
        "start": "2026-11-07T14:00:00Z",
        "end": "2026-11-07T18:00:00Z",
    }

    assert [one.kind for one in after(role, role, person, schedule, slot).calendar] == ["duty"]


def test_who_is_on_no_roster_is_told_back() -> None:
    stranger = {"resourceType": "PractitionerRole", "identifier": [{"value": "nobody"}]}

    laid = laid_over(bundle(ROLE | {"active": True}, stranger), ROSTER)

    assert [one.entry for one in laid.unmatched] == [1]
    assert laid.changes == {"dr-osei": {"active": True}}


def test_an_empty_bundle_changes_nobody() -> None:
    assert laid_over(bundle(), ROSTER).changes == {}


def test_what_is_no_bundle_is_refused() -> None:
    with pytest.raises(ValidationError):
        parsed(b'{"resourceType": "Bundle", "type": "collection", "entry": "x"}')
    with pytest.raises(ValidationError):
        parsed(b"Elsgrigaard")
