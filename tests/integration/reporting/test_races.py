"""Two windows, impatient clients and a killed edge: one draft wins, one report is signed."""

import asyncio

from services.reporting.domain.state import Final
from tests.integration.reporting.listening import heard
from tests.integration.reporting.office import Office
from tests.integration.reporting.test_reading import COMPARISON, OPINION, locked, ok, stored


async def test_of_ten_windows_that_save_at_once_one_wins(at_work: Office) -> None:
    desk = at_work.desk(await at_work.case("windows"))
    ok(await desk.post("/start"))
    drafts = [{**OPINION, "narrative": f"Window {n}."} for n in range(10)]

    answers = await asyncio.gather(*(desk.put("/draft", draft, 0) for draft in drafts))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    [won] = [answer.json()["opinion"] for answer in answers if answer.status_code == 200]
    found = ok(await desk.get())
    assert (found["revision"], found["opinion"]) == (1, won)


async def test_an_impatient_signer_signs_once(at_work: Office) -> None:
    case = await at_work.case("impatient")
    desk = at_work.desk(case)
    await locked(desk)
    ok(await desk.post("/reveal"))
    ok(await desk.put("/comparison", COMPARISON, 1))

    answers = await asyncio.gather(*(desk.post("/finalize") for _ in range(8)))

    reports = {ok(answer)["report"]["document"]["sha256"] for answer in answers}
    state = await stored(at_work, case)
    assert isinstance(state, Final)
    assert reports == {state.signature.report.sha256}
    assert (await heard(at_work, case, until="ReportFinalized")).count("ReportFinalized") == 1


async def test_a_report_that_was_put_away_but_never_signed_is_no_report(at_work: Office) -> None:
    case = await at_work.case("half way")
    desk = at_work.desk(case)
    await locked(desk)
    ok(await desk.post("/reveal"))
    ok(await desk.put("/comparison", COMPARISON, 1))
    stale = {"If-Match": '"1"'}

    refused = await desk.post("/finalize", key="sign", **stale)
    assert refused.status_code == 412
    assert (await desk.get("/report")).status_code == 404
    signed = ok(await desk.post("/finalize", key="sign"))

    kept = [path.name for path in (at_work.folder / "reports" / str(case)).iterdir()]
    assert len(kept) == 2  # what was put away in vain, and what was signed
    assert signed["report"]["document"]["sha256"] in kept
