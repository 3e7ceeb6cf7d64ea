"""Is whatever a case knows found again: short, in other notations, other letters, other files?"""

from base64 import b64encode
from pathlib import Path
from struct import pack

import pytest

from services.deid.domain.identifiers import Identifiers, gathered
from services.deid.domain.text.known import Known
from services.deid.gateways import patients
from services.deid.gateways.disguises import disguised
from services.deid.gateways.known import Told
from services.deid.gateways.patients import NOBODY, Patients
from services.deid.gateways.search import Search, in_all_encodings
from tests.unit.deid.files import EXPLICIT, Writer, cleaned

ACQUISITION, COIL, PALETTE = 0x00180024, 0x00181250, 0x00281201
PHOTOMETRIC, DESCRIPTOR = 0x00280004, 0x00281101
SHORT = gathered((b"Li^Wu",), (b"123",), ())
BORN = gathered((), (b"19510718",), (), ("19510718",))


@pytest.mark.parametrize("text", ["LI 123", "Li, Wu", "wu_li", "li", "GRID\\WU ", "T1 LI WU AX"])
def test_a_name_of_two_letters_is_found_alone_or_beside_another_sign(text: str) -> None:
    assert SHORT.in_text(text.encode(), "SH")


@pytest.mark.parametrize(
    "text", ["LI line", "AX 123", "123", "LIVER", "WU-12", "li li", "COIL", "123 123"]
)
def test_two_letters_among_other_words_are_no_name(text: str) -> None:
    assert not SHORT.in_text(text.encode(), "SH")


def test_a_common_abbreviation_alone_and_a_coded_value_are_no_name() -> None:
    names = gathered((b"Ap^Li", b"De La^Ny"), (), ())

    assert not names.in_text(b"AP", "LO")
    assert not names.in_text(b"LI", "CS")
    assert not names.in_text(b"de la", "LO")
    assert names.in_text(b"LI^AP", "LO")


@pytest.mark.parametrize(
    "text",
    [
        "18.07.1951", "07/18/1951", "18/07/1951", "18-07-51", "18 JUL 1951", "Jul 18 1951",
        "July 18th, 1951", "18. Juli 1951", "1951-07-18", "1951/7/18", "born_18.7.51", "18JUL1951",
        "DOB 18071951", "19510718", "1951.07.18 AX",
    ],
)  # fmt: skip
def test_a_birth_date_is_found_in_any_notation(text: str) -> None:
    assert BORN.in_text(text.encode(), "SH")


@pytest.mark.parametrize(
    "text", ["18.07.1952", "1951", "51", "17.07.1951", "18.07", "B51-18.7", "07/1951", "51.18.07.3"]
)
def test_another_date_is_none(text: str) -> None:
    assert not BORN.in_text(text.encode(), "SH")


def test_a_birth_date_in_bytes_is_found_as_forms_have_it() -> None:
    search = Search(BORN)
    search.feed(bytes(99) + b" 18.07.1951 " + bytes(99))

    assert search.found


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("иванович", "cp1251"), ("иванович", "koi8-r"), ("иванович", "cp866"),
        ("김철수민", "euc-kr"), ("王小明明", "big5"), ("王小明明", "gb18030"),
        ("山田太郎", "euc-jp"),
        ("dvořáková", "cp1250"), ("παπαδόπουλος", "cp1253"), ("şimşekoğlu", "iso8859-9"),
        ("žukauskas", "iso8859-13"),
    ],
)  # fmt: skip
def test_a_name_is_searched_for_in_every_usual_character_set(name: str, codec: str) -> None:
    known = frozenset((name.encode(),))
    search = Search(Identifiers(in_all_encodings(known, "ISO_IR 192"), frozenset()))

    search.feed_header(bytes(50) + name.upper().encode(codec) + bytes(50))

    assert search.found


@pytest.mark.parametrize("spelt", ["hartigan", "HARTIGAN", "Hartigan"])
@pytest.mark.parametrize("before", ["", "x", "xy", "any", "Mary^"])
def test_a_name_is_found_in_base64_wherever_it_begins(spelt: str, before: str) -> None:
    assert _disguise_found(b64encode(f"{before}{spelt}{before}".encode()))


@pytest.mark.parametrize(
    "mask",
    [
        b"Hartigan".hex().encode(), b"HARTIGAN".hex().upper().encode(),
        b"M%C3%BCller", b"m%fcller", b"M&uuml;ller", b"M&#252;ller", b"M&#xFC;LLER",
        b"M\\u00fcller",
    ],
)  # fmt: skip
def test_a_name_is_found_in_hex_and_escaped(mask: bytes) -> None:
    assert _disguise_found(mask)


def test_other_words_are_no_disguise() -> None:
    assert not _disguise_found(b64encode(b"nobody of that name") + b"M&ouml;ller M%C3%B6ller")


def _disguise_found(content: bytes) -> bool:
    words = frozenset((b"hartigan", "müller".encode()))
    search = Search(Identifiers(frozenset(), frozenset()), disguised(words, "ISO_IR 192"))
    search.feed_header(b"\x28\x00\x01\x12OW" + content + bytes(40))
    return search.found


def test_a_file_loses_what_is_short_and_is_held_for_what_is_disguised(tmp_path: Path) -> None:
    write = Writer(EXPLICIT)
    elements = {
        0x00100010: write.element(0x00100010, "PN", "Li^Wu"),
        0x00100030: write.element(0x00100030, "DA", "19510718"),
        ACQUISITION: write.element(ACQUISITION, "SH", "LI WU"),
        COIL: write.element(COIL, "SH", "18.07.1951"),
    }
    clean, receipt = cleaned(write.file(elements.items()), tmp_path)

    assert b"LI WU" not in clean
    assert b"18.07.1951" not in clean
    assert receipt.doubts == ()

    hidden = b64encode(b"Vanterpool")
    elements[0x00100010] = write.element(0x00100010, "PN", "Vanterpool^Mariposa")
    elements[PHOTOMETRIC] = write.element(PHOTOMETRIC, "CS", "PALETTE COLOR")
    elements[DESCRIPTOR] = write.element(DESCRIPTOR, "US", pack("<3H", len(hidden) // 2, 0, 16))
    elements[PALETTE] = write.element(PALETTE, "OW", hidden)
    _, receipt = cleaned(write.file(elements.items()), tmp_path)

    assert "identifier_survived" in {doubt.code for doubt in receipt.doubts}


def test_a_patients_files_know_what_any_of_them_does() -> None:
    mine, other, foreign = (Known(people=(name,)) for name in ("Hart^A", "Kowalczyk^A", "Zu^B"))
    a, b, c = Path("a"), Path("b"), Path("c")
    found = Patients.of({
        a: Told("p1", "s1", mine), b: Told("p1", "s2", other), c: Told("p2", "s3", foreign)
    })  # fmt: skip

    assert found.known_to(a).people == found.known_to(b).people == ("Hart^A", "Kowalczyk^A")
    assert found.known_to(c) == foreign
    assert found.known_to(Path("unreadable")) == NOBODY
    assert found.everyone.people == ("Hart^A", "Kowalczyk^A", "Zu^B")


def test_one_number_for_everybody_is_no_patient() -> None:
    several = [Known(numbers=(f"{n:06}",)) for n in range(patients.MOST + 1)]
    found = Patients.of({
        Path(str(n)): Told("everybody", f"study {n}", known) for n, known in enumerate(several)
    })  # fmt: skip

    assert found.known_to(Path("7")) == several[7]
