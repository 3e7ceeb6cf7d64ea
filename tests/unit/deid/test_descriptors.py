"""Do descriptions in headers keep what they say of the image, and lose whom they name?"""

from pathlib import Path

import pytest
from pydicom import dcmread

from services.deid.domain.identifiers import Identifiers, gathered
from services.deid.domain.policy import Policy
from services.deid.domain.text.known import Known
from services.deid.gateways import descriptors
from services.deid.gateways.descriptors import Descriptors
from services.deid.gateways.memory import Memory
from services.deid.gateways.scrubbing import descriptor
from shared.runtime.dicom import read_part10
from tests.unit.deid.files import EXPLICIT, IMPLICIT, Writer, cleaned, task

SERIES, PROTOCOL, PROCEDURE = 0x0008103E, 0x00181030, 0x00321060
COMMENTS = 0x00204000
SHIFT = -100
KNOWN = Known(
    people=("Vanterpool^Mariposa", "Okonkwo^Adaeze^^Dr"),
    numbers=("4471920", "A2231-55"),
    births=("19610405",),
    days=("20190321",),
    places=("Northfield General Hospital",),
)
NOBODY = Identifiers(frozenset(), frozenset())
DESCRIPTIONS = (Path(__file__).parent / "descriptions.txt").read_text(encoding="utf-8").splitlines()
# What is written into a description, and what of it must not be left.
PLANTED = {
    "Vanterpool": "vanterpool",
    "VANTERPOOL": "vanterpool",
    "vanterpool": "vanterpool",
    "Vanterpol": "vanterpol",
    "MariposaVanterpool": "vanterpool",
    "4471920": "4471920",
    "MRN4471920": "4471920",
    "OKONKWO^ADAEZE": "okonkwo",
    "617-555-1234": "1234",
    "12/03/2019": "2019",
    "Dr. Jankowski": "jankowski",
    "jankowski": "jankowski",
    "JANKOWSKI": "jankowski",
    "Mr John Smith": "john",
    "VELEZ": "velez",
    "Elmwood Hospital": "elmwood",
    "born 04/05/1961": "1961",
    "s.miller@example.org": "miller",
    "SSN 123-45-6789": "6789",
}  # fmt: skip


def test_what_devices_write_stays_as_it_is() -> None:
    changed = [one for one in DESCRIPTIONS if descriptor(one, KNOWN, SHIFT) != one]

    assert len(DESCRIPTIONS) > 300
    assert changed == []


@pytest.mark.parametrize("planted", PLANTED)
def test_whoever_is_written_into_a_description_goes(planted: str) -> None:
    left = PLANTED[planted]
    for one in DESCRIPTIONS[::8]:
        for text in (f"{one} {planted}", f"{planted} {one}", f"{one}_{planted}"):
            clean = descriptor(text, KNOWN, SHIFT)
            assert left not in clean.lower()
            assert descriptor(clean, Known(), 0) == clean


def test_a_file_keeps_its_clinical_words_and_loses_its_people(tmp_path: Path) -> None:
    write = Writer(EXPLICIT)
    elements = {
        SERIES: write.element(SERIES, "LO", "nodule right upper lobe Hartigan"),
        PROTOCOL: write.element(PROTOCOL, "LO", "CHEST^ROUTINE (ADULT)"),
        PROCEDURE: write.element(PROCEDURE, "LO", "xylqvarth zzumbrael"),
        COMMENTS: write.element(COMMENTS, "LT", "Seen by Dr. Okonkwo on 12/31/2019, no effusion"),
    }

    clean, receipt = cleaned(write.file(elements.items()), tmp_path)
    again, _ = cleaned(clean, tmp_path)

    dataset = dcmread(tmp_path / "clean.dcm")
    assert dataset.SeriesDescription == "nodule right upper lobe [NAME]"
    assert dataset.ProtocolName == "CHEST^ROUTINE (ADULT)"
    assert dataset.RequestedProcedureDescription == ""  # in doubt: as the Basic Profile says
    assert dataset.ImageComments.startswith("Seen by Dr. [NAME] on [DATE ")
    assert dataset.ImageComments.endswith("], no effusion")
    assert dict(receipt.actions)["not described, in doubt"] == 1
    assert receipt.doubts == ()
    assert again == clean


def test_without_the_option_descriptions_go(tmp_path: Path) -> None:
    write = Writer(IMPLICIT)
    elements = [(SERIES, write.element(SERIES, "LO", "nodule")), (
        PROTOCOL, write.element(PROTOCOL, "LO", "CHEST ROUTINE"))]  # fmt: skip

    cleaned(write.file(elements), tmp_path, task(Policy("plain-1", frozenset())))

    dataset = dcmread(tmp_path / "clean.dcm")
    assert "SeriesDescription" not in dataset
    assert dataset.ProtocolName == "REMOVED"  # type 1 in some IODs


def test_descriptions_in_items_are_cleaned_until_there_are_too_many(tmp_path: Path) -> None:
    write = Writer(EXPLICIT)
    item = write.element(0x00400007, "LO", "CT chest for Hartigan")
    several = write.sequence(0x00400275, item)  # goes as the table says
    few = write.sequence(0x00321064, item)
    kept = write.sequence(0x00400440, item)
    others = [write.element(0x00400007, "LO", f"CT chest {n} for Hartigan") for n in range(200)]
    many = write.sequence(0x00400440, *others)

    cleaned(write.file([(0x00321064, few), (0x00400275, several), (0x00400440, kept)]), tmp_path)
    step = dcmread(tmp_path / "clean.dcm")[0x00400440].value[0]
    cleaned(write.file([(0x00400440, many)]), tmp_path)
    items = dcmread(tmp_path / "clean.dcm")[0x00400440].value

    assert step.ScheduledProcedureStepDescription == "CT chest for [NAME]"
    assert 10 < sum("ScheduledProcedureStepDescription" in one for one in items) < 200


def test_a_remembered_answer_is_not_anothers(tmp_path: Path) -> None:
    """Two patients of one hospital and one description: it names the second."""
    write, words = Writer(EXPLICIT), write_series("review of Brannigan")
    other = {0x00100010: write.element(0x00100010, "PN", "BRANNIGAN^IVO")}

    cleaned(write.file(words), tmp_path)
    cleaned(write.file([*words, *other.items()]), tmp_path)

    assert "rannigan" not in str(dcmread(tmp_path / "clean.dcm").get("SeriesDescription", ""))


def write_series(text: str) -> list[tuple[int, bytes]]:
    return [(SERIES, Writer(EXPLICIT).element(SERIES, "LO", text))]


def test_verification_finds_a_name_that_cleaning_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = Writer(EXPLICIT).file(write_series("chest for Dr. Jankowski"))
    seen = Descriptors.cleaned

    def blind(self: Descriptors, value: bytes, vr: str) -> bytes | None:
        return value if self.known != Known() else seen(self, value, vr)

    monkeypatch.setattr(descriptors.Descriptors, "cleaned", blind)
    _, receipt = cleaned(raw, tmp_path)

    assert [doubt.code for doubt in receipt.doubts] == ["identifier_survived"]
    assert receipt.doubts[0].detail == "(0008,103E) may still name somebody"


@pytest.mark.parametrize(
    ("raw", "vr", "charset", "clean"),
    [
        (b"CT head\\for Vanterpool ", "LO", "", b"CT head\\for [NAME]"),
        (b"Sch\xe4del nativ", "LO", "ISO_IR 100", b"Sch\xe4del nativ"),
        ("Sch\u00e4del nativ".encode(), "LO", "ISO_IR 192", "Sch\u00e4del nativ".encode()),
        (b"Sch\xe4del nativ", "LO", "", None),  # no character set says so
        (b"CT \x1b$B<*F|\x1b(B", "LO", "\\ISO 2022 IR 87", None),
        ("\u738b\u5c0f\u660e CT".encode(), "LO", "ISO_IR 192", None),
        (b"Vanterpool\\ax", "SH", "", b"[NAME]\\ax"),
        (b"aorta Vanterpool knee", "SH", "", b"aorta [NAME] knee "),  # as long as it came
        (b"of Ann 4471920 lat", "SH", "", None),  # longer than an SH may be
        (b"Ax Vanterpool b0", "SH", "", b"Ax [NAME] b0"),
        (b"CT\nhead", "LO", "", None),
        (b"effusion. " * 300, "LT", "", None),
        (b"  ", "LO", "", b""),
        (b"the 44 head", "LO", "", b"the 44 head "),
    ],
)  # fmt: skip
def test_bytes_are_judged_as_their_character_set_and_vr_have_them(
    raw: bytes, vr: str, charset: str, clean: bytes | None
) -> None:
    found = Descriptors(KNOWN, NOBODY, SHIFT, charset, Memory()).cleaned(raw, vr)

    assert (found and found.rstrip()) == (clean and clean.rstrip())
    assert found is None or len(found) % 2 == 0


def test_an_identifier_that_is_a_word_takes_the_description_along() -> None:
    """A Mrs Head: what the scrubber takes for the body part is still her name."""
    known, names = Known(people=("Head^Ivo",)), gathered([b"Head^Ivo"], (), ())

    assert Descriptors(known, names, 0, "", Memory()).cleaned(b"ct of head", "LO") is None
    assert Descriptors(KNOWN, NOBODY, 0, "", Memory()).cleaned(b"ct of head", "LO") == b"ct of head"


def test_a_series_asks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(text: str, known: Known, days: int) -> str:
        asked.append(text)
        return descriptor(text, known, days)

    monkeypatch.setattr(descriptors, "descriptor", counted)
    raw = Writer(EXPLICIT).file(write_series("unheard-of nodule of the lobe"))
    for _ in range(3):
        cleaned(raw, tmp_path)

    assert len(asked) <= 4  # with what the file knows and without, in cleaning and in verification
    assert read_part10((tmp_path / "clean.dcm").read_bytes()).string(SERIES)
