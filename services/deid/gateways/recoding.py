"""How is a box made black in compressed frames? Decoded, blanked, coded again without any loss.

Frames without a box keep their bytes, but for comments. A frame with one is coded by the lossless
kind of its own codec, decoded again, and compared: what lies outside the boxes is bit-identical to
what the decoder gave before. Colours that JPEG 2000 turns with loss are turned without, in all
frames. JPEG baseline is blanked in its coefficients, see dct.py.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID, JPEG2000Lossless, JPEGLSLossless, RLELossless

from services.deid.domain.boxes import Box
from services.deid.gateways import encode
from services.deid.gateways.blanks import Blanks, Frame, UnblankableError
from services.deid.gateways.colour import LOSSLESS_COLOUR, LOSSY_COLOUR, photometric_after
from services.deid.gateways.dct import blanked_jpeg
from services.deid.gateways.jpeg_lossless import encoded_lossless
from services.deid.gateways.streams import UnwalkableError
from services.deid.gateways.streams.frames import groups
from services.deid.gateways.streams.plan import cleaned_frame
from shared.runtime.decoding import decoding
from shared.runtime.dicom import Element, Part10

_JPEG = frozenset(("1.2.840.10008.1.2.4.50",))
_JPEG_LOSSLESS = frozenset(("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"))
# Which lossless coder writes for a transfer syntax: those that allow loss allow none as well
# (PS3.5 A.4.3, A.4.4).
_CODERS = {
    "1.2.840.10008.1.2.5": RLELossless,
    "1.2.840.10008.1.2.4.80": JPEGLSLossless,
    "1.2.840.10008.1.2.4.81": JPEGLSLossless,
    "1.2.840.10008.1.2.4.90": JPEG2000Lossless,
    "1.2.840.10008.1.2.4.91": JPEG2000Lossless,
}
# By name: of the others, one ends the whole process on an RLE frame of odd size.
_PLUGINS = {RLELossless: "pylibjpeg", JPEG2000Lossless: "pylibjpeg", JPEGLSLossless: "pyjpegls"}
_NUMBERS = {
    "rows": 0x00280010,
    "columns": 0x00280011,
    "samples_per_pixel": 0x00280002,
    "bits_allocated": 0x00280100,
    "bits_stored": 0x00280101,
    "pixel_representation": 0x00280103,
}
_PHOTOMETRIC = 0x00280004
_HEADER = 1024  # bytes: an Adobe segment among them says that the components are RGB
_NEAR = 20  # pixels around a box: blocks of 16, and a few over which decoders smooth colour


def recoded(file: Part10, pixels: Element, blanks: Blanks) -> Iterator[bytes]:
    """The element Pixel Data with an empty offset table and one fragment a frame.

    Raises UnblankableError or UnwalkableError, perhaps after some frames: the file is then of no
    use. An Extended Offset Table does not come along: each frame is one fragment.
    """
    encoding = file.data_set.encoding
    yield encode.head(encoding, pixels.tag, "OB", encode.UNDEFINED) + encode.item(encoding, b"")
    anew = photometric_after(file) is not None
    for number, frame in enumerate(frames(file, pixels)):
        boxes = blanks.on(number)
        touched = boxes or anew
        made = _blanked(file, frame, boxes, blanks.fill) if touched else frame
        coded = cleaned_frame(file, made)  # a coder signs what it writes, too
        yield encode.item(encoding, coded + b"\0" * (len(coded) % 2))
    yield encode.sequence_end(encoding)


def frames(file: Part10, pixels: Element) -> Iterator[bytes]:
    """Each frame's fragments together (PS3.5 A.4). Raises UnblankableError where unclear."""
    try:
        grouped = groups(file, pixels)
    except UnwalkableError as error:
        raise UnblankableError(error.detail) from None
    for group in grouped:
        yield b"".join(bytes(file.buffer[at : at + length]) for at, length in group)


def _blanked(file: Part10, frame: bytes, boxes: tuple[Box, ...], fill: int) -> bytes:
    options = _options(file)
    if file.transfer_syntax in _JPEG:
        return _blanked_jpeg(file, cleaned_frame(file, frame), boxes, options)
    before = _decoded(file.transfer_syntax, frame, options)
    after = before.copy()
    after.flags.writeable = True
    for box in boxes:
        after[box.top : box.bottom, box.left : box.right] = _black(file, fill)
    coded = _encoded(file.transfer_syntax, after, options)
    if not np.array_equal(_decoded(file.transfer_syntax, coded, options), after):
        raise UnblankableError("the frame came back changed from its coder")
    return coded


def _blanked_jpeg(
    file: Part10, frame: bytes, boxes: tuple[Box, ...], options: dict[str, Any]
) -> bytes:
    """Some writers' streams only make sense with a header that a rewriting drops: so look."""
    rgb = file.string(_PHOTOMETRIC) == "RGB" and b"Adobe" in frame[:_HEADER]
    coded = blanked_jpeg(frame, boxes, rgb=rgb)
    before = _decoded(file.transfer_syntax, frame, options, raw=False).copy()
    after = _decoded(file.transfer_syntax, coded, options, raw=False).copy()
    for box in boxes:
        near = (
            slice(max(box.top - _NEAR, 0), box.bottom + _NEAR),
            slice(max(box.left - _NEAR, 0), box.right + _NEAR),
        )
        before[near] = after[near] = 0
    if not np.array_equal(before, after):
        raise UnblankableError("the frame came back changed from its coder")
    return coded


def _black(file: Part10, fill: int) -> Any:
    """By what the decoder gives: YBR_RCT and YBR_ICT come out of it as RGB."""
    if (file.number(_NUMBERS["samples_per_pixel"]) or 1) == 1:
        return fill
    if file.string(_PHOTOMETRIC) == "YBR_FULL":
        neutral = 1 << ((file.number(_NUMBERS["bits_stored"]) or 8) - 1)
        return np.array([0, neutral, neutral])
    return 0


def _options(file: Part10) -> dict[str, Any]:
    options: dict[str, Any] = {name: file.number(tag) or 0 for name, tag in _NUMBERS.items()}
    options["photometric_interpretation"] = file.string(_PHOTOMETRIC)
    options["number_of_frames"] = 1
    options["planar_configuration"] = 0
    options["pixel_keyword"] = "PixelData"
    return options


def _decoded(syntax: str, frame: bytes, options: dict[str, Any], *, raw: bool = True) -> Frame:
    wanted = dict(options)
    if syntax == RLELossless:
        wanted["planar_configuration"] = 1  # RLE has planes whatever the header says (PS3.5 G.2)
    with decoding(lambda what: UnblankableError(f"a frame can't be decoded ({what})")):
        out, _ = get_decoder(UID(syntax)).as_array(encapsulate([frame]), raw=raw, index=0, **wanted)
        decoded: Frame = out
        return decoded


def _encoded(syntax: str, frame: Frame, options: dict[str, Any]) -> bytes:
    if syntax in _JPEG_LOSSLESS:
        return encoded_lossless(frame, options["bits_stored"])
    coder = _CODERS.get(syntax)
    if coder is None:
        raise UnblankableError("its coding can't be written without loss")
    wanted = {name: value for name, value in options.items() if name != "pixel_keyword"}
    if wanted["photometric_interpretation"] == LOSSY_COLOUR:
        wanted["photometric_interpretation"] = LOSSLESS_COLOUR
    with decoding(lambda what: UnblankableError(f"a frame can't be coded ({what})")):
        plugin = _PLUGINS[coder]
        return bytes(get_encoder(coder).encode(frame, encoding_plugin=plugin, **wanted))
