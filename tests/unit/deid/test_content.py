"""Do trees of content keep what they say of the image, in both options that clean them?"""

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from services.deid.domain.policy import BASIC, SECOND_OPINION, Policy
from tests.unit.deid.files import EXPLICIT, Writer, cleaned, task

WRITE = Writer(EXPLICIT)
CONTEXT, CONTENT, ANNOTATION, TEXTS = 0x00400555, 0x0040A730, 0x00700001, 0x00700008
ONLY_CONTENT = Policy("content-1", frozenset(("clean_structured_content",)))
ONLY_GRAPHICS = Policy("graphics-1", frozenset(("clean_graphics",)))


def code(value: str, scheme: str, meaning: str) -> bytes:
    return b"".join((
        WRITE.element(0x00080100, "SH", value),
        WRITE.element(0x00080102, "SH", scheme),
        WRITE.element(0x00080104, "LO", meaning),
    ))  # fmt: skip


def item(text: str, concept: bytes) -> bytes:
    return b"".join((
        WRITE.element(0x0040A040, "CS", "TEXT"),
        WRITE.sequence(0x0040A043, concept),
        WRITE.element(0x0040A121, "DA", "20190321"),
        WRITE.element(0x0040A123, "PN", "BRANNIGAN^IVO"),
        WRITE.element(0x0040A160, "UT", text),
    ))  # fmt: skip


def clean(tag: int, folder: Path, policy: Policy, *items: bytes) -> Dataset:
    """The first of a sequence's items that left."""
    raw = WRITE.file([(tag, WRITE.sequence(tag, *items))])
    content, receipt = cleaned(raw, folder, task(policy))
    again, _ = cleaned(content, folder, task(policy))
    assert not any(one.code == "identifier_survived" for one in receipt.doubts)
    assert again == content
    found = dcmread(folder / "clean.dcm")[tag].value[0]
    assert isinstance(found, Dataset)
    return found


@pytest.mark.parametrize("policy", [SECOND_OPINION, ONLY_CONTENT])
@pytest.mark.parametrize("tag", [CONTEXT, CONTENT])
def test_content_keeps_public_codes_and_clinical_words(
    tmp_path: Path, tag: int, policy: Policy
) -> None:
    text = item("no effusion, discussed with Hartigan", code("121071", "DCM", "Finding"))

    found = clean(tag, tmp_path, policy, text)

    assert found.TextValue == "no effusion, discussed with [NAME]"
    concept = found.ConceptNameCodeSequence[0]
    assert (concept.CodeValue, concept.CodeMeaning) == ("121071", "Finding")
    assert found.PersonName == "REMOVED"
    assert found.get("Date", "") != "20190321"


def test_a_code_of_the_house_is_no_place_to_hide(tmp_path: Path) -> None:
    text = item("see xylqvarth zzumbrael", code("4471920", "99HOUSE", "Dr. Jankowski"))

    found = clean(CONTEXT, tmp_path, SECOND_OPINION, text)

    concept = found.ConceptNameCodeSequence[0]
    assert found.TextValue == "REMOVED"  # in doubt, and of type 1
    assert (concept.CodeValue, concept.CodeMeaning) == ("[PHONE]", "Dr. [NAME]")


def test_annotations_keep_their_clinical_words(tmp_path: Path) -> None:
    text = WRITE.element(0x00700006, "ST", "nodule, Hartigan")
    layer = WRITE.element(0x00700002, "CS", "LAYER1")
    written = layer + WRITE.sequence(TEXTS, text)

    for policy in (SECOND_OPINION, ONLY_GRAPHICS):
        found = clean(ANNOTATION, tmp_path, policy, written)
        assert found.TextObjectSequence[0].UnformattedTextValue == "nodule, [NAME]"
        assert found.GraphicLayer == "LAYER1"


def test_without_the_options_every_text_is_a_dummy(tmp_path: Path) -> None:
    text = item("no effusion", code("121071", "DCM", "Finding"))

    found = clean(CONTENT, tmp_path, BASIC, text)

    assert found.TextValue == "REMOVED"
    assert found.ConceptNameCodeSequence[0].CodeMeaning == "REMOVED"


def test_a_tree_of_many_texts_is_read_up_to_a_bound(tmp_path: Path) -> None:
    concept = code("121071", "DCM", "Finding")
    many = [item(f"no effusion in slice {n}. " * 20, concept) for n in range(120)]

    clean(CONTEXT, tmp_path, SECOND_OPINION, *many)

    texts = [str(one.TextValue) for one in dcmread(tmp_path / "clean.dcm")[CONTEXT].value]
    assert texts[0].startswith("no effusion in slice 0.")
    assert texts[-1] == "REMOVED"
