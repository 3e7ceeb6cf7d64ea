"""What does a caller learn when something is wrong? RFC 9457 problem details that name the field.

No answer quotes what was sent, and a bug says nothing but its trace id.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from shared.decider import Refused
from shared.runtime import telemetry
from shared.runtime.errors import PROBLEMS, Problem, WrongField

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:overread:problem:"
MOST_FIELDS = 50  # of one answer: who sends more wrong ones begins with these
_LONGEST_NAME = 100
_SHORTEST_QUOTE = 3  # characters: shorter inputs stand in any sentence by chance


def answer(problem: Problem) -> Response:
    """Give a problem as the response it becomes."""
    known = PROBLEMS.get(problem.code)
    body: dict[str, Any] = {
        "type": f"{TYPE}{problem.code}",
        "title": known.title if known else HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": problem.detail,
        "code": problem.code,
    }
    if known:
        body["mend"] = known.mend
    if problem.errors:
        body["errors"] = [_field(one) for one in problem.errors[:MOST_FIELDS]]
    if trace_id := telemetry.trace_id():
        body["trace_id"] = trace_id
    return JSONResponse(
        body | problem.extra,
        status_code=problem.status_code,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )


def refusal(refused: Refused) -> Problem:
    """Give what a decider refused as a problem: 404, 422 where a field is named, otherwise 409."""
    code = refused.code.replace("_", "-")
    status = 404 if code == "not-found" else 422 if refused.field else 409
    return Problem(status, code, refused.detail, refused.field)


def invalid(error: ValidationError, at: str = "#") -> Problem:
    """Give pydantic's findings on a body that a route parsed itself; `at` is where it began."""
    fields = [
        WrongField(_mend(one), pointer=_pointer(one["loc"], at))
        for one in error.errors(include_url=False)
    ]
    return Problem(422, "invalid-request", _count(fields), errors=fields)


def handle_problems(app: FastAPI) -> None:
    """Let the app answer everything foreseeable with a problem."""

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, error: HTTPException) -> Response:
        return answer(error if isinstance(error, Problem) else _of_framework(error))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> Response:
        return answer(_of_request(error))


_FRAMEWORK = {
    400: ("malformed-body", "The body can't be parsed."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not know this method."),
    413: ("body-too-large", "The body is too large."),
    415: ("unsupported-media-type", "This content type is not understood here."),
}


def _of_framework(error: HTTPException) -> Problem:
    """Give the framework's 404, 405 and their like as problems; its words are not ours."""
    code, detail = _FRAMEWORK.get(error.status_code, ("rejected", "The request is refused."))
    return Problem(error.status_code, code, detail, headers=error.headers)


def _of_request(error: RequestValidationError) -> Problem:
    findings = error.errors()
    unparsed = next((one for one in findings if one["type"] == "json_invalid"), None)
    if unparsed is not None:
        at = unparsed["loc"][-1]
        return Problem(400, "malformed-body", f"The body is no JSON from character {at} on.")
    fields = [_wrong(one) for one in findings]
    return Problem(422, "invalid-request", _count(fields), errors=fields)


def _wrong(finding: Mapping[str, Any]) -> WrongField:
    source, *rest = finding["loc"]
    if source == "body":
        return WrongField(_mend(finding), pointer=_pointer(rest))
    return WrongField(_mend(finding), parameter="/".join(map(str, rest))[:_LONGEST_NAME])


def _pointer(loc: Iterable[str | int], at: str = "#") -> str:
    """Give a JSON pointer (RFC 6901) as a URI fragment."""
    steps = (str(step)[:_LONGEST_NAME].replace("~", "~0").replace("/", "~1") for step in loc)
    return "/".join([at, *steps])


def _mend(finding: Mapping[str, Any]) -> str:
    """Say what is wrong in the validator's words, unless they quote what was sent."""
    if finding["type"] == "missing":
        return "is missing: add it"
    if finding["type"] == "extra_forbidden":
        return "is not known here: remove it, or mend its name"
    told = str(finding["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    sent = _texts(finding.get("input"))
    if any(len(text) >= _SHORTEST_QUOTE and text in told for text in sent):
        return "has a value that is not allowed here"
    return told[:1].lower() + told[1:]


def _texts(sent: object) -> Iterable[str]:
    match sent:
        case Mapping():
            for name, value in sent.items():
                yield str(name)
                yield from _texts(value)
        case str() | bytes():
            text = sent if isinstance(sent, str) else sent.decode(errors="replace")
            yield text
            yield from text.split()
        case Sequence():
            for value in sent:
                yield from _texts(value)
        case _:
            yield str(sent)


def _count(fields: Sequence[WrongField]) -> str:
    shown = f"; the first {MOST_FIELDS} are named" if len(fields) > MOST_FIELDS else ""
    return f"{len(fields)} field{'s are' if len(fields) > 1 else ' is'} wrong{shown}."


def _field(wrong: WrongField) -> dict[str, str]:
    where = {"pointer": wrong.pointer, "parameter": wrong.parameter}
    return {"detail": wrong.detail} | {name: at for name, at in where.items() if at is not None}
