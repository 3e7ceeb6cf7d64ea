"""Do technical values and coded strings stay, and lose whom somebody typed into them?"""

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from services.deid.domain.actions import Rulebook
from services.deid.domain.identifiers import Identifiers
from services.deid.domain.identity import Identity
from services.deid.domain.policy import SECOND_OPINION
from services.deid.gateways.instance import table
from services.deid.gateways.rewrite import Order
from services.deid.gateways.scrubbing import names_somebody
from services.deid.gateways.verify import remaining
from shared.runtime.dicom import read_part10
from tests.unit.deid.files import EXPLICIT, IMPLICIT, KEY, PARTNER, Writer, cleaned

_HERE = Path(__file__).parent
TECHNICAL = (_HERE / "technical.txt").read_text(encoding="utf-8").splitlines()
CODED = (_HERE / "coded.txt").read_text(encoding="utf-8").splitlines()
SEQUENCE, COIL, MAKER, CONTRAST = 0x00180024, 0x00181250, 0x00080070, 0x00189004
SERIAL, KERNEL, BODY_PART, SOFTWARE = 0x00181000, 0x00181210, 0x00180015, 0x00181020
PLANTED = (
    "Dr Hartigan", "HARTIGAN", "Hartigan Mary", "Hartigan^Mary", "Prof. Siemens", "John Smith",
    "SIEMENS MARY", "Mrs Long", "Head Jankowski", "Hartigan_12", "xylqvarth",
)  # fmt: skip


def test_what_devices_call_their_parts_stays() -> None:
    assert len(TECHNICAL) > 120
    assert [one for one in TECHNICAL if names_somebody(one, "LO", numbered=False)] == []


def test_coded_terms_stay() -> None:
    assert len(CODED) > 120
    assert [one for one in CODED if names_somebody(one, "CS", numbered=False)] == []


@pytest.mark.parametrize("planted", PLANTED)
def test_a_name_does_not_pass_as_a_technical_value(planted: str) -> None:
    assert names_somebody(planted, "SH", numbered=False)
    assert names_somebody(planted, "LO", numbered=True)
    assert all(names_somebody(f"{one} {planted}", "LO", numbered=False) for one in TECHNICAL[::9])


@pytest.mark.parametrize(
    "planted", ["617-555-1234", "04/05/1961", "19610405", "4471920", "DOB 5 April 1961"]
)
def test_a_phone_a_birth_date_and_a_number_do_not_pass(planted: str) -> None:
    assert names_somebody(planted, "SH", numbered=False)


@pytest.mark.parametrize("name", ["KOWALCZYK", "HARTIGAN", "SMITH", "MARY", "MARY_SMITH"])
def test_a_name_does_not_pass_as_a_coded_string(name: str) -> None:
    assert names_somebody(name, "CS", numbered=False)


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_whoever_is_typed_into_a_technical_value_goes(syntax: str, tmp_path: Path) -> None:
    write = Writer(syntax)
    typed = {  # nobody whom the header knows
        SEQUENCE: ("SH", "Dr Lindqvist"),
        COIL: ("SH", "LINDQVIST"),
        MAKER: ("LO", "Lindqvist Erika"),
        CONTRAST: ("CS", "KOWALCZYK"),
        SERIAL: ("LO", "4121885"),
        KERNEL: ("SH", "B31f\\3"),
        BODY_PART: ("CS", "CHEST"),
        SOFTWARE: ("LO", "syngo CT VA48A\\Lindqvist"),
    }
    elements = {tag: write.element(tag, vr, text) for tag, (vr, text) in typed.items()}

    clean, receipt = cleaned(write.file(elements.items()), tmp_path)
    again, _ = cleaned(clean, tmp_path)

    assert again == clean
    assert "screened, identifier inside" not in dict(receipt.actions)
    assert receipt.doubts == ()
    left = dcmread(BytesIO(clean))
    for tag in (SEQUENCE, COIL, MAKER, CONTRAST):
        assert left[tag].value == "REMOVED"
    assert left[SERIAL].value == "4121885"
    assert left[KERNEL].value == ["B31f", "3"]
    assert left[BODY_PART].value == "CHEST"
    assert left[SOFTWARE].value == ["syngo CT VA48A", "REMOVED"]
    assert dict(receipt.actions)["screened, may name somebody"] == 5


@pytest.mark.parametrize(("tag", "vr"), [(SEQUENCE, "SH"), (CONTRAST, "CS")])
def test_verification_finds_a_name_that_the_cleaner_left(tag: int, vr: str) -> None:
    write = Writer(EXPLICIT)
    identity = Identity(KEY, PARTNER)
    order = Order(identity, identity.subject("MRN1", "case"), Rulebook(table(), SECOND_OPINION))
    nobody = Identifiers(frozenset(), frozenset())

    def found(text: str) -> bool:
        file = read_part10(write.file([(tag, write.element(tag, vr, text))]))
        doubts = remaining(file, order, nobody, found=False)
        return any("may still name somebody" in one.detail for one in doubts)

    assert found("KOWALCZYK")
    assert not found("REMOVED")
