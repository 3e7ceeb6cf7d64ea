"""What earlier files taught never changes what becomes of this one."""

import tempfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from benchmarks.measured import series
from examples.phantom import as_bytes
from services.deid.domain.policy import SECOND_OPINION
from services.deid.gateways import instance
from services.deid.gateways.instance import Receipt, Task, clean_instance
from services.deid.gateways.pixels import facts
from shared.runtime.dicom import Element, Part10, file, read_part10
from shared.runtime.dicom.tree import PIXEL_DATA
from tests.unit.deid.files import KEY, PARTNER

MODALITY = 0x00080060
TASK = Task(KEY, PARTNER, None, SECOND_OPINION, way_back=True)


def small(content: bytes) -> bytes:
    dataset = dcmread(BytesIO(content))
    dataset.Rows, dataset.Columns, dataset.PixelData = 4, 8, bytes(64)
    return as_bytes(dataset)


SERIES = {
    "made here": [small(one) for one in series.instances(series.made(), range(1, 4))],
    "a scanner's": [small(one) for one in series.instances(series.scanners(), range(1, 4))],
}


def forget() -> None:
    file._PATTERNS.clear()
    instance._memory.cache_clear()


def cleaned(content: bytes) -> tuple[bytes, Receipt]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "raw.dcm", Path(folder) / "clean.dcm"
        source.write_bytes(content)
        receipt = clean_instance(source, target, TASK)
        return (target.read_bytes() if target.exists() else b""), receipt


def values(one: Part10) -> list[Element]:
    """The plain values of a file, those of the first level of items among them."""
    flat = [
        inner
        for element in one.data_set
        for item in ([[element]] if element.items is None else element.items)
        for inner in item
    ]
    return [element for element in flat if element.length and element.tag != PIXEL_DATA]


@pytest.mark.parametrize("name", SERIES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_file_is_cleaned_as_if_none_had_come_before(name: str, data: st.DataObject) -> None:
    *before, last = SERIES[name]
    content = bytearray(last)
    places = values(read_part10(last))
    text = st.sampled_from((b"HARTIGAN", b"OYELARAN", b"20190214", b"1.2.3.4.", b"MRN-7712345"))
    for element in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=3)):
        new = (data.draw(text) * element.length)[: element.length]
        content[element.at : element.at + element.length] = new

    forget()
    for one in before:
        cleaned(one)
    taught = cleaned(bytes(content))
    forget()

    assert taught == cleaned(bytes(content))


def test_the_walks_of_a_series_are_spared_before_and_after_cleaning() -> None:
    forget()
    made = SERIES["made here"]
    clean = [cleaned(one)[0] for one in made]

    raw, done = ([read_part10(one) for one in some] for some in (made, clean))

    assert len({id(one.pattern) for one in raw}) == 1
    assert len({id(one.pattern) for one in done}) == 1
    assert all(len(one.changed) < 8 for one in (*raw, *done))


def test_a_value_that_tells_of_the_pixels_is_asked_of_each_file() -> None:
    forget()
    scanned = SERIES["made here"][0]
    modality = next(one for one in read_part10(scanned).data_set if one.tag == MODALITY)
    other = scanned[: modality.at] + b"US" + scanned[modality.at + 2 :]

    told = [facts(read_part10(one)).modality for one in (scanned, other, scanned)]

    assert read_part10(other).pattern is read_part10(scanned).pattern
    assert told == ["CT", "US", "CT"]


def test_an_overlay_in_the_pixels_is_seen_in_the_file_that_has_one() -> None:
    forget()
    dataset = dcmread(BytesIO(SERIES["made here"][0]))
    told = []
    for position in (0, 12, 0):
        dataset.add_new(0x60000102, "US", position)
        told.append(facts(read_part10(as_bytes(dataset))).overlay_in_pixels)

    assert told == [False, True, False]


def test_what_is_removed_from_one_file_is_not_missing_in_the_next() -> None:
    """A description in doubt is removed: then its header has another element less."""
    plain = SERIES["made here"][0]
    files = [
        plain,
        plain.replace(b"Lung 1.0", b"Qwvhzkkj"),
        plain.replace(b"Lung 1.0", b"Lung 2.0"),
    ]
    forget()

    descriptions = [dcmread(BytesIO(cleaned(one)[0])).get("SeriesDescription") for one in files]

    assert len({id(read_part10(one).pattern) for one in files}) == 1
    assert descriptions == ["Lung 1.0", None, "Lung 2.0"]
