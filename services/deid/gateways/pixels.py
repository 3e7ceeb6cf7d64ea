"""How do pixels leave? Blanked where they must be, without what lies behind or between them."""

from collections.abc import Iterator
from importlib import import_module

from services.deid.domain.pixels import Pixels
from services.deid.domain.policy import OPTION_CODES
from services.deid.gateways import anatomy, encode
from services.deid.gateways.blanks import Blanks, Raster, UnblankableError
from services.deid.gateways.streams.frames import EXTENDED_LENGTHS, EXTENDED_OFFSETS, Fragment
from services.deid.gateways.streams.plan import Frame, plan
from services.deid.gateways.streams.walked import Edit
from shared.runtime.dicom import DataSet, Element, Part10

_CHUNK = 1 << 20
_OVERLAYS = 0x60
_BIT_POSITION, _OVERLAY_DATA = 0x0102, 0x3000
_ROWS = 0x00280010
METHOD, METHOD_CODES = 0x00120063, 0x00120064  # De-identification Method, and its codes
OURS = "Overread\\"  # how our methods begin
_FACES = OPTION_CODES["clean_recognizable_visual_features"][0].encode()
NOTHING = Blanks()
# Coders of all kinds, imported when the first compressed frame has to be blanked.
_RECODING = "services.deid.gateways.recoding"
_SOP_CLASS, _MODALITY, _IMAGE_TYPE = 0x00080016, 0x00080060, 0x00080008
_PHOTOMETRIC, _BURNED_IN, _RECOGNISABLE = 0x00280004, 0x00280301, 0x00280302
_TELLING = frozenset((
    _SOP_CLASS, _MODALITY, _IMAGE_TYPE, _PHOTOMETRIC, _BURNED_IN, _RECOGNISABLE, METHOD,
    METHOD_CODES, *anatomy.TELLING,
    *(_OVERLAYS << 24 | group << 16 | _BIT_POSITION for group in range(1 << 8)),
))  # fmt: skip


def pixel_pieces(
    file: Part10, pixels: Element, blanks: Blanks = NOTHING
) -> Iterator[bytes | memoryview]:
    """The element Pixel Data (7FE0,0010) in pieces, with the offsets that belong to it.

    Raises UnblankableError when its coding does not let boxes be blanked and the rest be kept,
    UnwalkableError when nobody can tell what it holds beside the image.
    """
    if pixels.fragments is None:
        yield from _native(file, pixels, blanks)
    elif blanks:
        yield from import_module(_RECODING).recoded(file, pixels, blanks)
    else:
        yield from _compressed(file, pixels)


def _compressed(file: Part10, pixels: Element) -> Iterator[bytes | memoryview]:
    encoding, planned = file.data_set.encoding, plan(file, pixels)
    if planned.extended is not None:
        offsets, lengths = planned.extended
        yield encode.element(encoding, EXTENDED_OFFSETS, "OV", offsets)
        yield encode.element(encoding, EXTENDED_LENGTHS, "OV", lengths)
    yield encode.head(encoding, pixels.tag, "OB", encode.UNDEFINED)
    yield encode.item(encoding, planned.table)
    for frame in planned.frames:
        for at, length in frame.fragments:
            yield encode.item_head(encoding, length + length % 2)
            yield from _fragment(file, (at, length), frame)
            if length % 2:
                yield b"\0"
    yield encode.sequence_end(encoding)


def _fragment(file: Part10, fragment: Fragment, frame: Frame) -> Iterator[bytes | memoryview]:
    start = fragment[0]
    for piece in _chunks(file, *fragment):
        end = start + len(piece)
        edits = [one for one in frame.edits if one.start < end and one.end > start]
        yield _edited(piece, start, edits) if edits else piece
        start = end


def _edited(piece: bytes | memoryview, at: int, edits: list[Edit]) -> bytes:
    out = bytearray(piece)
    for one in edits:
        low, high = max(one.start - at, 0), min(one.end - at, len(out))
        out[low:high] = one.content()[low + at - one.start : high + at - one.start]
    return bytes(out)


def facts(file: Part10) -> Pixels:
    """What the header says of the pixels."""
    return file.settled(_TELLING, _facts)


def _facts(file: Part10) -> Pixels:
    return Pixels(
        sop_class=file.string(_SOP_CLASS),
        modality=file.string(_MODALITY),
        image_type=tuple(part.strip() for part in file.string(_IMAGE_TYPE).split("\\")),
        photometric=file.string(_PHOTOMETRIC),
        burned_in=file.string(_BURNED_IN),
        recognisable=file.string(_RECOGNISABLE),
        has_rows=file.data_set.get(_ROWS) is not None,
        has_pixels=file.data_set.get(0x7FE00010) is not None,
        overlay_in_pixels=any(
            _in_pixels(file, one) for one in file.data_set if one.tag >> 24 == _OVERLAYS
        ),
        region=anatomy.region_of(file),
        slice_mm=anatomy.thinnest(file),
        cleaned=_says_cleaned(file),
    )


def _says_cleaned(file: Part10) -> bool:
    """Our name and the code of the option that holds faces, as the cleaner writes them."""
    codes = (
        raw
        for item in anatomy.items_in(file.data_set, METHOD_CODES)
        for raw in anatomy.values_in(file, item, (anatomy.CODE_VALUE,))
    )
    return file.string(METHOD).startswith(OURS) and _FACES in codes


def _native(file: Part10, pixels: Element, blanks: Blanks) -> Iterator[bytes | memoryview]:
    """As many bytes as the description says: what lies behind them is no pixel."""
    length = min(pixels.length, file.native_pixel_bytes() or 0)
    vr = pixels.vr or "OW"
    yield encode.head(file.data_set.encoding, pixels.tag, vr, length + length % 2)
    if blanks:
        yield from _blanked(file, pixels.at, length, blanks)
    else:
        yield from _chunks(file, pixels.at, length)
    if length % 2:
        yield b"\0"


def _blanked(file: Part10, at: int, length: int, blanks: Blanks) -> Iterator[memoryview]:
    """Frame by frame in the same memory: a long loop takes no more of it than a short one.

    What is given is overwritten by the next frame.
    """
    raster = Raster.of(file)
    if raster is None or not length or raster.size * raster.frames != length:
        raise UnblankableError("the pixels are not whole bytes")
    frame = bytearray(raster.size)
    for number in range(raster.frames):
        start = at + number * raster.size
        with memoryview(file.buffer) as whole, whole[start : start + raster.size] as part:
            frame[:] = part
        raster.blank(frame, blanks.on(number), blanks.fill)
        yield memoryview(frame)


def _chunks(file: Part10, at: int, length: int) -> Iterator[bytes | memoryview]:
    """Views of what is in memory, and copies of what is mapped: a view would keep the map open."""
    buffer = file.buffer
    for start in range(at, at + length, _CHUNK):
        end = min(start + _CHUNK, at + length)
        yield (
            memoryview(buffer)[start:end] if isinstance(buffer, bytes) else bytes(buffer[start:end])
        )


def _in_pixels(file: Part10, element: Element) -> bool:
    """An overlay without data of its own lies in bits of the pixels (PS3.3 C.9.2, retired)."""
    group = element.tag >> 16
    if element.tag & 0xFFFF != _BIT_POSITION:
        return False
    return _lacks_data(file.data_set, group) and any(file.value(element))


def _lacks_data(data_set: DataSet, group: int) -> bool:
    data = data_set.get(group << 16 | _OVERLAY_DATA)
    return data is None or data.length == 0
