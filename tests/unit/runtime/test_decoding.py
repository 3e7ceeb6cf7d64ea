"""Whatever a decoder raises is a refusal; what the machine or a person says is not."""

import warnings

import pytest

from shared.runtime.decoding import decoding


class Panic(BaseException):
    """As a Rust library's panic arrives in Python."""


class RefusedError(Exception):
    pass


@pytest.mark.parametrize("raised", [ValueError("a name"), Panic("a name"), ZeroDivisionError()])
def test_what_a_decoder_raises_is_a_refusal_without_its_words(raised: BaseException) -> None:
    with pytest.raises(RefusedError) as refusal, decoding(RefusedError):
        raise raised

    assert str(refusal.value) == type(raised).__name__


@pytest.mark.parametrize("raised", [MemoryError(), RecursionError(), KeyboardInterrupt()])
def test_what_is_not_the_decoders_goes_on(raised: BaseException) -> None:
    with pytest.raises(type(raised)), decoding(RefusedError):
        raise raised


def test_a_decoders_warnings_are_left_out() -> None:
    with warnings.catch_warnings(record=True) as seen, decoding(RefusedError):
        warnings.warn("of a tag", stacklevel=1)

    assert seen == []
