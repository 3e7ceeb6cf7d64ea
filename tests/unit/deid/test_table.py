"""Is each row of Table E.1-1 acted on by its letter? Read from the table, not from our rules."""

from io import BytesIO
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_is_retired

from services.deid.domain.policy import BASIC
from services.deid.domain.table import Row
from services.deid.gateways.instance import table
from shared.testing.canaries import Canary, rows
from shared.testing.canaries import element as planted_element
from tests.unit.deid.files import EXPLICIT, IMPLICIT, Writer, cleaned, task

UNLISTED = 0x00289145
# Rows that the Basic Profile would keep or whose value is ours: who the patient is now, and what
# was done; and those of file meta or of directories, which have no place in a data set.
STATED = {0x00100010, 0x00100020, 0x00120062, 0x00120063, 0x00120064}


def outcome(dataset: Dataset, one: Canary) -> str:
    """What became of a row: absent, empty, changed or kept."""
    if one.tag not in dataset:
        return "absent"
    element = dataset[one.tag]
    if element.is_empty:
        return "empty"
    return "kept" if one.value in str(element.value) else "changed"


# PS3.15 E.1, table E.1-1a: what each letter allows. D asks for a value, Z for none or a dummy,
# X for absence; of two letters either will do.
ALLOWED = {
    "X": {"absent"},
    "Z": {"empty", "changed"},
    "D": {"changed"},
    "U": {"changed"},
    "X/Z": {"absent", "empty", "changed"},
    "X/D": {"absent", "changed"},
    "Z/D": {"empty", "changed"},
    "X/Z/D": {"absent", "empty", "changed"},
    "X/Z/U*": {"absent", "empty", "changed"},
}


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("depth", [0, 1])
def test_each_row_is_acted_on_by_its_letter(tmp_path: Path, syntax: str, depth: int) -> None:
    write, planted = Writer(syntax), [one for one in rows(table().rows) if one.tag >> 16 >= 8]
    elements = [(one.tag, planted_element(write, one)) for one in planted]
    if depth:
        elements = [(UNLISTED, write.sequence(UNLISTED, b"".join(one for _, one in elements)))]

    clean, receipt = cleaned(write.file(elements), tmp_path, task(BASIC))

    dataset = dcmread(BytesIO(clean))
    for _ in range(depth):
        dataset = dataset[UNLISTED].value[0]
    wrong = {
        f"{one.tag:08X} {table().rows[one.tag].basic}": outcome(dataset, one)
        for one in planted
        if outcome(dataset, one) not in allowed(table().rows[one.tag], one)
    }
    assert not receipt.doubts
    assert wrong == {}
    assert len(planted) > 640


def allowed(row: Row, one: Canary) -> set[str]:
    """What is retired or newer than the dictionary is removed, whatever the row says."""
    known = dictionary_has_tag(one.tag) and not dictionary_is_retired(one.tag)
    if one.tag in STATED:
        return {"changed"}
    return ALLOWED[row.basic] if known else {"absent"}
