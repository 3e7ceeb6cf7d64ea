"""One canary in each row of Table E.1-1, wherever it may hide: none survives in the bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR

from services.deid.domain.policy import BASIC, SECOND_OPINION
from services.deid.gateways.instance import table
from shared.testing.canaries import planted as planted_files
from tests.unit.deid.files import DEFLATED, EXPLICIT, SYNTAXES, Writer, cleaned, task

UNLISTED = 0x00289145  # Pixel Value Transformation Sequence: in no row of the table
BULK = {"OB", "OW", "UN", "OF", "OD", "OL", "OV", "UT", "LT", "ST", "UC", "UR"}
REFERENCES = {0x00081140, 0x00082112}  # X/Z/U*: stay, with their UIDs replaced


def vr_of(tag: int) -> str:
    try:
        return dictionary_VR(tag).split(" or ")[0]
    except KeyError:
        return "LO"  # a row newer than pydicom's dictionary


def canary(tag: int) -> str:
    return f"CNRY{tag:08X}"


def planted(write: Writer, tag: int) -> bytes:
    """An element of the row's VR with its canary in it."""
    vr, text = vr_of(tag), canary(tag)
    if vr == "UI":
        return write.element(tag, vr, f"2.999.{tag}")
    if vr == "SQ":
        inner = write.element(0x00081155, "UI", f"2.999.{tag}")
        if tag not in REFERENCES:
            inner = write.element(0x00080104, "LO", text) + inner
        return write.sequence(tag, inner)
    if vr in {"US", "SS"}:
        return write.element(tag, vr, 0x4E43)
    return write.element(tag, vr, text)


def rows(write: Writer) -> dict[int, bytes]:
    """Every row that can stand in a data set; group 0002 has its own test."""
    return {tag: planted(write, tag) for tag in sorted(table().rows) if tag >> 16 >= 4}


def nested(write: Writer, depth: int, tag: int = UNLISTED) -> tuple[int, bytes]:
    content = b"".join(rows(write).values())
    for _ in range(depth):
        content = write.sequence(tag, content)
    return tag, content


def survivors(clean: bytes) -> list[int]:
    """Rows whose canary is still there, in letters or as a UID."""
    return [
        tag
        for tag in table().rows
        if canary(tag).encode() in clean.upper()
        or f"2.999.{tag}\\".encode() in clean.replace(b"\0", b"\\")
    ]


def kept_by_option() -> set[int]:
    """Device identity may stay by policy; whoever asks for it gets it."""
    return {
        tag
        for tag, row in table().rows.items()
        if row.options.get("retain_device_identity") == "K" and vr_of(tag) not in {"UI", "DA", "TM"}
    }


def test_no_canary_survives_in_any_place_depth_kind_of_sequence_and_syntax(tmp_path: Path) -> None:
    files = list(planted_files(table().rows))

    assert len(files) == 6 * (1 + 3 * 3 + 1) + 5
    for file in files:
        clean, receipt = cleaned(file.content, tmp_path, task(BASIC))

        assert not receipt.doubts, file.name
        assert len(file.survivors(file.content)) == len(file.canaries), file.name
        assert file.survivors(clean) == [], file.name


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("depth", [0, 1, 5, 20])
def test_no_canary_survives_the_basic_profile(tmp_path: Path, syntax: str, depth: int) -> None:
    write = Writer(syntax)
    elements = rows(write).items() if depth == 0 else [nested(write, depth)]

    clean, receipt = cleaned(write.file(elements), tmp_path, task(BASIC))

    assert survivors(clean) == []
    assert not receipt.doubts


def test_no_canary_survives_in_a_private_sequence(tmp_path: Path) -> None:
    for syntax in SYNTAXES:
        write = Writer(syntax)
        elements = dict([nested(write, 2, 0x00111001)])
        elements[0x00110010] = write.element(0x00110010, "LO", "CNRY CREATOR")

        clean, _ = cleaned(write.file(elements.items()), tmp_path, task(BASIC))

        assert b"CNRY" not in clean
        assert survivors(clean) == []


@pytest.mark.parametrize("depth", [0, 1, 20])
def test_a_second_opinion_keeps_device_identity_and_no_other_canary(
    tmp_path: Path, depth: int
) -> None:
    write = Writer(EXPLICIT)
    elements = rows(write).items() if depth == 0 else [nested(write, depth)]

    clean, _ = cleaned(write.file(elements), tmp_path, task(SECOND_OPINION))

    assert set(survivors(clean)) <= kept_by_option()


def hideouts(write: Writer) -> Iterator[tuple[str, bytes]]:
    """Places that are in no row: whatever is unknown has no right to stay."""
    plain = {
        "private": (0x00091001, "LO"),
        "private creator": (0x00090010, "LO"),
        "private UN": (0x00091002, "UN"),
        "unknown public": (0x00089999, "LO"),
        "retired": (0x00084000, "LT"),
        "wrong VR": (0x00280034, "LO"),
        "curve": (0x50003000, "OB"),
        "overlay": (0x60003000, "OW"),
        "overlay comment": (0x60004000, "LT"),
        "trailing padding": (0xFFFCFFFC, "OB"),
        "icc profile": (0x00282000, "OB"),
        "encapsulated document": (0x00420011, "OB"),
        "inventory text": (0x0040A160, "UT"),
        "alternative calendar": (0x00100033, "LO"),
        "invalid CS": (0x00180015, "CS"),
        "invalid DS": (0x00181050, "DS"),
        "invalid time": (0x00140105, "TM"),
        "unlisted name": (0x00140104, "PN"),
        "palette of a grey image": (0x00281201, "OW"),
        "segmented palette": (0x00281221, "OW"),
        "lookup table": (0x00283006, "OW"),
        "waveform of an image": (0x54001010, "OB"),
        "offsets of native frames": (0x7FE00001, "OV"),
        "lengths of native frames": (0x7FE00002, "OV"),
    }
    for name, (tag, vr) in plain.items():
        wrong = "cnry.secret" if name.startswith("invalid") else "CNRYSECRET"
        yield name, write.file([(tag, write.element(tag, vr, wrong))])
    icon = write.sequence(0x00880200, write.element(0x7FE00010, "OB", b"CNRYSECRET"))
    yield "icon", write.file([(0x00880200, icon)])
    yield "preamble", write.file([], preamble=b"CNRYSECRET")
    if write.syntax != DEFLATED:
        length = write.element(0x00080000, "UL", b"CNRY")
        yield "group length", write.file([(0x00080000, length)])


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_nothing_hides_outside_the_table(tmp_path: Path, syntax: str) -> None:
    for name, content in hideouts(Writer(syntax)):
        clean, _ = cleaned(content, tmp_path)

        assert clean, name
        assert b"CNRY" not in clean.upper(), name


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_file_meta_and_comments_of_frames_are_our_own(tmp_path: Path, syntax: str) -> None:
    clean, receipt = cleaned(Writer(syntax).file([]), tmp_path)

    assert b"HARTIGAN" not in clean
    assert clean[:128] == bytes(128)
    assert not receipt.doubts


def test_a_made_up_sop_class_carries_nothing_into_the_file_meta(tmp_path: Path) -> None:
    write = Writer(EXPLICIT)
    made_up = write.element(0x00080016, "UI", "2.999.19670314")

    clean, _ = cleaned(write.file([(0x00080016, made_up)]), tmp_path)

    assert b"19670314" not in clean
