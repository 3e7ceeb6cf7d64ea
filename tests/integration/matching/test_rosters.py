"""Where the roster comes from while matching runs: calendars, and a seed file that changes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.matching.store import calendars
from services.matching.watch import Watch
from shared.runtime import clock
from shared.testing.fixtures import Database
from tests.integration.matching.test_operations import get
from tests.integration.matching.ward import Ward, until, ward
from tests.unit.matching.cases import reader
from tests.unit.matching.test_calendar import calendar, event

EXAMPLE = Path(__file__).parents[3] / "examples" / "matching.yaml"
ALWAYS = calendar(event("DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=DAILY"))
TEXT = {"content-type": "text/calendar"}


async def test_a_reader_imports_a_calendar_and_is_asked_by_it(at_work: Ward) -> None:
    await at_work.roster(reader(shifts=()))
    case_id = await at_work.case("a")
    headers = at_work.reader("dr-osei") | TEXT

    answer = await at_work.http.put("/v1/calendars/duties", content=ALWAYS, headers=headers)

    assert answer.status_code == 200, answer.text
    assert len(answer.json()["periods"]) >= 60
    assert await at_work.offer("dr-osei", case_id)
    dropped = await at_work.http.delete("/v1/calendars/duties", headers=headers)
    assert dropped.status_code == 204
    record = await get(at_work, "/v1/admin/readers/dr-osei")
    assert record["calendar"] == []


async def test_two_calendars_live_side_by_side_and_each_replaces_itself(at_work: Ward) -> None:
    await at_work.roster(reader())
    soon = f"{clock.now() + timedelta(days=2):%Y%m%dT%H%M%SZ}"
    one = calendar(event(f"DTSTART:{soon}", "DURATION:PT8H"))

    for source, content in (("duties", one), ("leave", one), ("duties", one)):
        path = f"/v1/admin/readers/dr-osei/calendars/{source}?kind=busy"
        answer = await at_work.http.put(path, content=content, headers=at_work.operator() | TEXT)
        assert answer.status_code == 200, answer.text

    record = await get(at_work, "/v1/admin/readers/dr-osei")
    assert sorted(period["source"] for period in record["calendar"]) == ["duties", "leave"]
    assert {period["kind"] for period in record["calendar"]} == {"busy"}


async def test_a_calendar_that_is_none_is_refused_and_changes_nothing(at_work: Ward) -> None:
    await at_work.roster(reader())
    path = "/v1/calendars/duties"

    broken = await at_work.http.put(
        path, content=b"Elsgrigaard", headers=at_work.reader("dr-osei") | TEXT
    )
    nobody = await at_work.http.put(path, content=ALWAYS, headers=at_work.reader("dr-no") | TEXT)

    assert (broken.status_code, nobody.status_code) == (422, 404)
    assert "RFC 5545" in broken.json()["detail"]
    assert "Elsgrigaard" not in broken.text
    assert await at_work.fetch("SELECT FROM calendars") == []


async def test_a_calendar_is_unfolded_further_as_time_goes_on(at_work: Ward) -> None:
    await at_work.roster(reader())
    headers = at_work.reader("dr-osei") | TEXT
    await at_work.http.put("/v1/calendars/duties", content=ALWAYS, headers=headers)
    later = clock.now() + timedelta(days=30)

    await Watch(at_work.live.core).unfold(later)

    async with at_work.live.core.pool.acquire() as db:
        known = await calendars.lock(db, "dr-osei")
    assert known is not None
    assert max(one.ends_at for one in known.calendar) > later + timedelta(days=59)


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    found = tmp_path / "seed.yaml"
    _write(found, _text(EXAMPLE))
    return found


@pytest.mark.usefixtures("restless")
async def test_a_changed_seed_is_taken_over_and_a_broken_one_refused(
    postgres: Database, kafka: str, topics: str, seed: Path
) -> None:
    sound = _text(seed)
    path = "/v1/admin/readers/dr-iyer"

    async with ward(postgres, kafka, topics, seed=seed) as at_work:
        assert (await get(at_work, path))["active"] is False

        _write(seed, sound.replace("active: false", "active: true"))
        assert await until(lambda: _is(at_work, path, "active", wanted=True))

        _write(seed, sound.replace("Australia/Sydney", "Mars"))
        assert await until(lambda: _refused(at_work))
        file = await _seed_file(at_work)
        assert "time_zone: an IANA time zone is wanted" in file["faults"][0]
        assert (await get(at_work, path))["active"] is True  # the old one is in force
        assert 'file_refused{name="seed"} 1.0' in (await at_work.http.get("/metrics")).text

        _write(seed, sound)
        assert await until(lambda: _is(at_work, path, "active", wanted=False))
        assert not await _refused(at_work)


def _text(path: Path) -> str:
    return path.read_text()


def _write(path: Path, text: str) -> None:
    path.write_text(text)


async def _is(at_work: Ward, path: str, name: str, *, wanted: Any) -> bool:
    return bool((await get(at_work, path))[name] == wanted)


async def _seed_file(at_work: Ward) -> dict[str, Any]:
    """Give what is said of the seed, among all files that are watched."""
    files = await get(at_work, "/v1/operations/files")
    return next(dict(one) for one in files if one["name"] == "seed")


async def _refused(at_work: Ward) -> bool:
    file = await _seed_file(at_work)
    return bool(file["refused"])


async def test_a_directory_is_laid_over_the_roster_all_or_nothing(at_work: Ward) -> None:
    await at_work.roster(reader(shifts=()))
    case_id = await at_work.case("a")
    always = [{"allDay": True}]
    named = {"resourceType": "PractitionerRole", "identifier": [{"value": "npi:dr-osei"}]}

    async def post(*roles: Any) -> Any:
        body = {"resourceType": "Bundle", "type": "collection"}
        entries = {"entry": [{"resource": one} for one in roles]}
        path, headers = "/v1/admin/fhir", at_work.operator()
        return await at_work.http.post(path, json=body | entries, headers=headers)

    wrong = await post(named | {"active": "perhaps"})
    bad = {"coding": [{"system": "urn:overread:subspecialty", "code": "Chest X"}]}
    senseless = await post(named | {"availableTime": always, "specialty": [bad]})
    assert (await get(at_work, "/v1/admin/readers/dr-osei"))["shifts"] == []
    taken = await post(named | {"availableTime": always}, named | {"identifier": [{"value": "x"}]})

    assert wrong.json()["errors"][0]["pointer"].startswith("#/entry/0/resource")
    assert senseless.json()["errors"][0]["pointer"] == "#/entry/0/subspecialties/0"
    assert taken.json()["changed"] == ["dr-osei"]
    assert taken.json()["unmatched"][0]["pointer"] == "#/entry/1"
    assert await at_work.offer("dr-osei", case_id)
