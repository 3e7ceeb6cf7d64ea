"""What does a hostile or broken producer send? Each kind of poison, and what its cause says."""

from collections.abc import Callable
from uuid import UUID

from shared.contracts import notify
from shared.contracts.envelope import REQUIRED
from shared.runtime.wire import Message
from tests.integration.runtime.messages import message
from tests.integration.runtime.tally import case, told

# What stands in the poisoned messages and must never stand in a cause, a log line or a column.
CANARY = "DOE^JANE"
GUILTY = 5
OTHER = 6

Spoil = Callable[[Message], Message]


def good() -> Message:
    return message(told(GUILTY, 1), offset=1)


def valued(value: bytes | None) -> Spoil:
    return lambda one: one._replace(value=value)


def keyed(key: bytes | None) -> Spoil:
    return lambda one: one._replace(key=key)


def headed(name: str, value: bytes) -> Spoil:
    return lambda one: one._replace(
        headers=(*((n, v) for n, v in one.headers if n != name), (name, value))
    )


def without(name: str) -> Spoil:
    return lambda one: one._replace(headers=tuple((n, v) for n, v in one.headers if n != name))


def twice(name: str, value: bytes) -> Spoil:
    return lambda one: one._replace(headers=(*one.headers, (name, value)))


def body(fields: str, number: int = GUILTY) -> bytes:
    return f'{{"case_id": "{case(number)}", {fields}}}'.encode()


def spoken(partner: str) -> Spoil:
    return lambda one: one._replace(value=body(f'"partner": "{partner}"'))


KIND = "org.overread.intake.information-provided"
WRONG: dict[str, tuple[Spoil, str]] = {
    "truncated JSON": (valued(b'{"case_id": "DOE^JANE'), "body: json_invalid"),
    "junk bytes": (valued(bytes(range(256))), "body: json_invalid"),
    "no value": (valued(None), "no value"),
    "no value, and a NUL in a header's name": (
        lambda one: twice("a\0b", b"x")(valued(None)(one)),
        "no value",
    ),
    "empty value": (valued(b""), "body: json_invalid"),
    "10 MB": (valued(body(f'"partner": "{"x" * 10_000_000}"')), "value over 1000000 bytes"),
    "an array": (valued(b'["DOE^JANE"]'), "body: model_type"),
    "a string": (valued(b'"DOE^JANE"'), "body: model_type"),
    "the word null": (valued(b"null"), "body: model_type"),
    "nested 100,000 deep": (valued(b"[" * 100_000 + b"]" * 100_000), "body: json_invalid"),
    "an object nested deep": (
        valued(body(f'"partner": {"[" * 50_000}{"]" * 50_000}')),
        "body: json_invalid",
    ),
    "a huge number": (valued(body('"partner": 1' + "0" * 6000)), "body: json_invalid"),
    "a lone surrogate": (valued(body(r'"partner": "\ud800DOE^JANE"')), "body: json_invalid"),
    "a wrong type of field": (valued(body('"partner": {"DOE^JANE": 1}')), "partner: string_type"),
    "a field against its pattern": (spoken("DOE^JANE"), "partner: string_pattern_mismatch"),
    "a missing field": (valued(body('"name": "DOE^JANE"')), "partner: missing"),
    "UTF-16": (valued(body('"partner": "north"').decode().encode("utf-16")), "body: json_invalid"),
    "no key": (keyed(None), "the key is not a case id"),
    "an empty key": (keyed(b""), "the key is not a case id"),
    "a key that is no UUID": (keyed(b"DOE^JANE"), "the key is not a case id"),
    "a key not in UTF-8": (keyed(b"\xff\xfe"), "the key is not a case id"),
    "a key in another spelling": (
        keyed(str(case(GUILTY)).upper().encode()),
        "the key is not a case id",
    ),
    "another case's key": (keyed(str(case(7)).encode()), "ce_subject is not the key"),
    "another case in the body": (
        valued(body('"partner": "north"', 7)),
        "the key is another case than the event's",
    ),
    "a header not in UTF-8": (headed("ce_source", b"\xff DOE^JANE"), "a header is not UTF-8 text"),
    "a foreign header not in UTF-8": (twice("note", b"\xc3("), "a header is not UTF-8 text"),
    "a header twice": (twice("ce_id", b"DOE^JANE"), "a header stands twice"),
    "an unknown type": (headed("ce_type", b"DOE^JANE"), "unknown type or version"),
    "an unknown version": (headed("ce_type", f"{KIND}.v9".encode()), "unknown type or version"),
    "a type of another topic": (
        headed("ce_type", notify.Delivered.ce_type().encode()),
        "the type belongs on another topic",
    ),
    "ce_specversion 0.3": (headed("ce_specversion", b"0.3"), "ce_specversion is not 1.0"),
    "ce_id no UUID": (headed("ce_id", b"DOE^JANE"), "ce_id is not a UUID"),
    "ce_subject another case": (
        headed("ce_subject", str(case(7)).encode()),
        "ce_subject is not the key",
    ),
    "a handler that raises": (spoken("explode"), "handler: Explodes in "),
    "a save that SQL refuses": (spoken("constraint"), "handler: CheckViolationError in "),
    "a NUL that SQL refuses": (spoken("nul"), "handler: "),
    "an argument the driver refuses": (spoken("closed"), "handler: DataError in "),
    "an event too large to publish": (spoken("verbose"), "an event is too large"),
    **{f"{name} missing": (without(name), f"missing headers: {name}") for name in REQUIRED},
}
HARMLESS: dict[str, Spoil] = {
    "a bad traceparent": headed("traceparent", b"DOE^JANE"),
    "a time that is none": headed("ce_time", b"yesterday"),
    "an unknown field": valued(body('"partner": "north", "mood": "good"')),
    "an unknown header": twice("mood", b"good"),
    "a NUL in an unknown header's name": twice("a\0b", b"x"),
    "no ce_subject": without("ce_subject"),
}
# Nobody can tell whose event this is: nothing waits behind it.
OF_NO_CASE = {name for name in WRONG if "key" in name.split()}


def at(number: int, offset: int, partner: str = "north") -> Message:
    """A good message of a case, at an offset."""
    return message(told(number, offset, partner), offset)


def event_id(one: Message) -> UUID:
    return UUID(dict(one.headers)["ce_id"].decode())
