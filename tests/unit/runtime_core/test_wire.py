"""Does reading a message never raise, whatever it holds, and never tell what it held?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import Recorded, derived_id, headers
from shared.contracts.topics import EVENTS
from shared.runtime.wire import Foreign, Message, Poison, Readable, read
from tests.integration.runtime.messages import WANTED
from tests.integration.runtime.poison import GUILTY, WRONG, good
from tests.integration.runtime.tally import told

anything = st.binary(max_size=200)
header = st.tuples(
    st.one_of(
        st.sampled_from(["ce_id", "ce_type", "ce_subject", "traceparent"]), st.text(max_size=9)
    ),
    st.one_of(anything, st.none()),
)


@given(
    key=st.none() | anything,
    value=st.none() | anything,
    pairs=st.lists(header, max_size=9),
    ours=st.booleans(),
)
def test_whatever_comes_is_read(
    key: bytes | None, value: bytes | None, pairs: list[tuple[str, bytes]], ours: bool
) -> None:
    base = good().headers if ours else ()

    one = read(Message("overread.intake", 0, 0, key, value, (*base, *pairs)), WANTED)

    assert isinstance(one, Poison | Foreign | Readable)


@given(words=st.dictionaries(st.text(min_size=8, max_size=20), st.text(max_size=20), min_size=1))
def test_a_cause_names_our_fields_and_rules_only(words: dict[str, str]) -> None:
    body = str(words).encode()

    one = read(good()._replace(value=body), WANTED)

    assert isinstance(one, Poison)
    assert not any(word in one.cause for word in words)


@pytest.mark.parametrize("name", [name for name in WRONG if "handler" not in WRONG[name][1]])
def test_poison_is_told_from_what_decide_must_see(name: str) -> None:
    spoil, cause = WRONG[name]

    one = read(spoil(good()), WANTED)

    assert isinstance(one, Poison) == (cause != "an event is too large")
    if isinstance(one, Poison):
        assert one.cause.startswith(cause)


def test_our_own_events_that_we_do_not_want_are_foreign_and_no_poison() -> None:
    for kind in EVENTS.values():
        pairs = dict(headers(told(1, 1))) | {"ce_type": kind.ce_type().encode()}
        one = Message(f"overread.{kind.publisher()}", 0, 0, good().key, b"{}", tuple(pairs.items()))

        assert read(one, {}) == Foreign(one)


def test_what_our_relay_writes_is_read_back() -> None:
    recorded = told(GUILTY, 1)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sent = Recorded(
        recorded.event,
        recorded.event_id,
        recorded.recorded_at,
        derived_id(recorded.event_id),
        trace,
    )
    message = good()._replace(headers=tuple(headers(sent)))

    one = read(message, WANTED)

    assert isinstance(one, Readable)
    assert (one.event, one.event_id, one.traceparent) == (sent.event, sent.event_id, trace)
