"""Does only the one who may know open what was sealed, and does nobody else learn anything?"""

import base64
import traceback
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from shared.runtime.sealing import (
    MAX_CONTENT,
    SealBroken,
    UnknownKey,
    keyed_digest,
    new_key_pair,
    open_sealed,
    seal,
)

PRIVATE, PUBLIC = new_key_pair()
IDENTITY = {"name": "CANARY^ÅSA", "mrn": "4711", "born": "1931-02-29"}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50) | st.integers(0, 9) | st.none()))
def test_what_is_sealed_opens_unchanged(content: dict[str, Any]) -> None:
    assert open_sealed([PRIVATE], seal(PUBLIC, content)) == content


def test_the_token_shows_its_key_and_nothing_of_the_content() -> None:
    token = seal(PUBLIC, IDENTITY)

    header = orjson.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header["kid"] == PUBLIC["kid"] == PRIVATE["kid"]
    assert (header["alg"], header["enc"]) == ("ECDH-ES+A256KW", "A256GCM")
    assert "CANARY" not in token
    assert seal(PUBLIC, IDENTITY) != token


def test_the_public_half_has_no_private_part() -> None:
    assert "d" in PRIVATE
    assert "d" not in PUBLIC


def test_after_a_rotation_old_and_new_tokens_open() -> None:
    newer_private, newer_public = new_key_pair()
    ring = [newer_private, PRIVATE]

    assert open_sealed(ring, seal(PUBLIC, IDENTITY)) == IDENTITY
    assert open_sealed(ring, seal(newer_public, IDENTITY)) == IDENTITY


def test_another_service_s_key_opens_nothing() -> None:
    other, _ = new_key_pair()

    with pytest.raises(UnknownKey):
        open_sealed([other], seal(PUBLIC, IDENTITY))
    with pytest.raises(UnknownKey):
        open_sealed([], seal(PUBLIC, IDENTITY))


def test_a_key_that_lies_about_its_kid_opens_nothing() -> None:
    other, _ = new_key_pair()

    with pytest.raises(SealBroken):
        open_sealed([{**other, "kid": PRIVATE["kid"]}], seal(PUBLIC, IDENTITY))


@pytest.mark.parametrize("part", range(5))
def test_a_change_anywhere_is_noticed(part: int) -> None:
    parts = seal(PUBLIC, IDENTITY).split(".")
    middle = len(parts[part]) // 2
    flipped = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + flipped + parts[part][middle + 1 :]

    with pytest.raises((SealBroken, UnknownKey)):
        open_sealed([PRIVATE], ".".join(parts))


@pytest.mark.parametrize("token", ["", "....", "a.b.c.d.e", "ä.b.c.d.e", "x" * 500_000, "{}"])
def test_junk_is_broken_and_not_a_crash(token: str) -> None:
    with pytest.raises(SealBroken):
        open_sealed([PRIVATE], token)


@pytest.mark.parametrize(
    "header", [[], ["alg", "enc"], "alg enc", 7, {"alg": ["x"], "enc": {}}, {"kid": {}}], ids=str
)
def test_a_header_of_another_shape_is_broken(header: object) -> None:
    first = base64.urlsafe_b64encode(orjson.dumps(header)).rstrip(b"=").decode()
    token = ".".join([first, *seal(PUBLIC, IDENTITY).split(".")[1:]])

    with pytest.raises((SealBroken, UnknownKey)):
        open_sealed([PRIVATE], token)


def test_a_weaker_cipher_or_compression_is_refused() -> None:
    key = ECKey.import_key(PUBLIC)
    plain = orjson.dumps(IDENTITY)
    compressed = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": PUBLIC["kid"], "zip": "DEF"}
    weaker = {"alg": "ECDH-ES+A128KW", "enc": "A128GCM", "kid": PUBLIC["kid"]}
    shared_secret = {"alg": "dir", "enc": "A256GCM", "kid": PUBLIC["kid"]}
    tokens = [
        jwe.encrypt_compact(compressed, plain, key, ["ECDH-ES+A256KW", "A256GCM", "DEF"]),
        jwe.encrypt_compact(weaker, plain, key, ["ECDH-ES+A128KW", "A128GCM"]),
        jwe.encrypt_compact(shared_secret, plain, OctKey.import_key("s" * 32), ["dir", "A256GCM"]),
    ]

    for token in tokens:
        with pytest.raises(SealBroken):
            open_sealed([PRIVATE], token)


def test_a_sealed_list_is_no_identity() -> None:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": PUBLIC["kid"]}
    allowed = ["ECDH-ES+A256KW", "A256GCM"]
    token = jwe.encrypt_compact(header, b"[1]", ECKey.import_key(PUBLIC), algorithms=allowed)

    with pytest.raises(SealBroken):
        open_sealed([PRIVATE], token)


def test_what_could_not_be_opened_again_is_not_sealed() -> None:
    overhead = len(orjson.dumps({"t": ""}))
    largest = {"t": "x" * (MAX_CONTENT - overhead)}

    assert open_sealed([PRIVATE], seal(PUBLIC, largest)) == largest
    with pytest.raises(ValueError, match="at most 49152 bytes") as refused:
        seal(PUBLIC, {"t": "CANARY" + largest["t"]})
    assert "CANARY" not in str(refused.value)


def test_an_error_shows_no_content_nor_key() -> None:
    token = seal(PUBLIC, IDENTITY)

    with pytest.raises(SealBroken) as broken:
        open_sealed([PRIVATE], token[:-4] + "AAAA")

    told = "".join(traceback.format_exception(broken.value))
    assert "CANARY" not in told
    assert PRIVATE["d"] not in told
    assert broken.value.__cause__ is None


@given(st.lists(st.text(max_size=8), max_size=4), st.lists(st.text(max_size=8), max_size=4))
def test_digests_are_equal_only_for_equal_parts(left: list[str], right: list[str]) -> None:
    key = b"k" * 32

    assert (keyed_digest(key, *left) == keyed_digest(key, *right)) == (left == right)
    assert keyed_digest(key, *left) != keyed_digest(b"l" * 32, *left)


def test_the_digest_is_stable_because_pseudonyms_outlive_releases() -> None:
    digest = keyed_digest(bytes(32), "partner-a", "4711")

    assert digest == "26af1124d2c17b93c673e29abeacca6b9443d2d1c602b795be5c0d01c2169a14"
