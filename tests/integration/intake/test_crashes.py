"""What a request leaves behind when it dies between two steps: nothing is lost, nothing doubled."""

from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from shared.runtime import failpoints
from tests.integration.intake.conftest import Intake
from tests.integration.intake.sending import hand, stow, submission

POINTS = (
    "intake.stored",
    "intake.filed",
    "intake.listed",
    "intake.attached",
    "intake.settled",
    "intake.taken",
    "intake.decided",
    "intake.concluded",
)
ORDERS = {"case-first": (0, 1), "images-first": (1, 0)}
SUBMITTED = "org.overread.intake.case-submitted.v1"
ATTACHED = "org.overread.intake.study-attached.v1"
ACCEPTED = "org.overread.intake.case-accepted.v1"


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


async def until_answered(send: Callable[[], Awaitable[httpx.Response]]) -> list[int]:
    """Send as a patient client does: the same again after each 503."""
    statuses = [(await send()).status_code]
    while statuses[-1] == 503:
        statuses.append((await send()).status_code)
    return statuses


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_a_client_that_repeats_itself_gets_one_effect(
    intake: Intake, order: tuple[int, int]
) -> None:
    """Each request dies once at each point; its sender tries again."""
    failpoints.arm(",".join(f"{point}=raise#1" for point in POINTS))
    requests = (lambda: intake.post_event(submission()), lambda: stow(intake, hand()))

    statuses = [await until_answered(requests[place]) for place in order]

    assert sum(one.count(503) for one in statuses) >= len(POINTS) - 1
    assert sorted(one[-1] for one in statuses) == [200, 202]
    decided = await intake.decided()
    assert [decided.count(one) for one in (SUBMITTED, ATTACHED, ACCEPTED)] == [1, 1, 1]


async def test_a_filed_study_finds_its_case_though_its_sender_never_comes_again(
    intake: Intake,
) -> None:
    answer = await intake.post_event(submission())
    failpoints.arm("intake.filed=raise#1")

    assert (await stow(intake, hand())).status_code == 503

    async with intake.http.stream("GET", "/v1/cases/stream", headers=intake.partner()) as lines:
        async for line in lines.aiter_lines():
            if line.startswith("data:") and ACCEPTED in line:
                break
    path = answer.json()["links"]["self"]
    seen = await intake.http.get(path, headers=intake.partner())
    assert seen.json()["state"] == "accepted"


async def test_a_taken_key_whose_request_died_still_belongs_to_its_body(intake: Intake) -> None:
    failpoints.arm("intake.taken=raise#1")
    assert (await intake.post_event(submission())).status_code == 503

    other = await intake.post_event(submission(service_level="routine"))
    same = await intake.post_event(submission())

    assert (other.status_code, same.status_code) == (409, 202)


async def test_a_refusal_whose_answer_was_lost_is_given_again(intake: Intake) -> None:
    wrong = submission(reason_for_review="pediatric")
    failpoints.arm("intake.decided=raise#1")

    statuses = await until_answered(lambda: intake.post_event(wrong))

    assert statuses == [503, 503, 422]
    assert (await intake.post_event(submission())).status_code == 202
