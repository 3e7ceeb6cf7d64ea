"""Which attributes tell whom and what a case knows? Sorted as the scrubber of texts needs them."""

from typing import Literal

from pydicom._dicom_dict import DicomDictionary

from services.deid.domain.identifiers import IDENTIFYING, STATIONS

Sort = Literal["people", "numbers", "births", "days", "places"]
SORTS: tuple[Sort, ...] = ("people", "numbers", "births", "days", "places")
LONGEST = 1024  # bytes: no name or number is longer
# Institution, address, department, issuer, location: the rest of what identifies is numbers.
PLACES = STATIONS | {
    0x00080080, 0x00080081, 0x00080082, 0x00080092, 0x00081040, 0x00100021, 0x00101040, 0x00102150,
    0x00102152, 0x00321020, 0x00321021, 0x00380300, 0x00380400, 0x00400243, 0x00420010,
}  # fmt: skip
_PHONES = frozenset((0x00080094, 0x00102154, 0x00402010))
_BIRTHS = frozenset((0x00100030, 0x00100032))
_DAYS = frozenset((0x00080020, 0x00080021, 0x00080022, 0x00080023))
# Names that are written as plain text: Other Patient Names is PN, these are not.
_STAFF = frozenset((0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00080090, 0x00321032))


def sort_of(tag: int, declared_vr: str) -> Sort | None:
    """None for what identifies nobody; `declared_vr` is "" in implicit VR."""
    vr = declared_vr
    if vr in {"", "UN"}:
        vr = DicomDictionary[tag][0] if tag in DicomDictionary else ""
    if vr == "PN" or tag in _STAFF:
        return "people"
    if tag in _BIRTHS:
        return "births"
    if tag in _DAYS:
        return "days"
    if tag in PLACES:
        return "places"
    return "numbers" if tag in IDENTIFYING or tag in _PHONES else None
