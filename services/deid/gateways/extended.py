"""What does a JPEG frame of 12 bits show? GDCM can tell, though pydicom does not ask it.

pydicom takes decoders as plugins: this one is for what its own decoders refuse, grey frames of
JPEG Extended whose stream itself says 12 bits and the size of the header. GDCM's answer does not
show whether it understood a stream of another kind.
"""

import gdcm
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import JPEGExtended12Bit

_LABEL = "gdcm, 12 bits"
DECODER_DEPENDENCIES = {JPEGExtended12Bit: ("gdcm>=3.0.24",)}  # what a plugin has to say
_BITS, _BYTES = 12, 2
_MARKER, _FRAME, _SCAN = 0xFF, (0xC0, 0xC1), 0xDA  # SOF0, SOF1, SOS (ITU-T T.81 B.1.1.3)


def is_available(uid: str) -> bool:
    return uid in DECODER_DEPENDENCIES


def twelve_bits() -> None:
    """From now on pydicom decodes them in this process."""
    decoder = get_decoder(JPEGExtended12Bit)
    if _LABEL not in decoder.available_plugins:
        decoder.add_plugin(_LABEL, (__name__, "decoded"))


def decoded(frame: bytes, runner: DecodeRunner) -> bytes:
    """One frame's samples. Raises ValueError for what it is not sure to decode rightly."""
    described = (_BITS, runner.rows, runner.columns, 1)
    if _described(frame) != described or runner.samples_per_pixel != 1:
        raise ValueError("the stream is not of 12 bits, or not as the header says")
    if runner.bits_allocated != 8 * _BYTES or runner.pixel_representation != 0:
        raise ValueError("samples of 12 bits come unsigned and in two bytes")
    image = _image(frame, runner)
    samples: bytes = image.GetBuffer().encode("utf-8", "surrogateescape")
    if len(samples) != runner.rows * runner.columns * _BYTES:
        raise ValueError("the stream is cut off")
    return samples


def _image(frame: bytes, runner: DecodeRunner) -> gdcm.Image:
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    sequence = gdcm.SequenceOfFragments.New()
    sequence.AddFragment(fragment)
    pixels = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixels.SetValue(sequence.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(pixels)
    grey = gdcm.PhotometricInterpretation.GetPIType(str(runner.photometric_interpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(grey))
    coding = gdcm.TransferSyntax.GetTSType(str.__str__(JPEGExtended12Bit))
    image.SetTransferSyntax(gdcm.TransferSyntax(coding))
    image.SetPixelFormat(gdcm.PixelFormat(1, 8 * _BYTES, _BITS, _BITS - 1, 0))
    return image


def _described(frame: bytes) -> tuple[int, int, int, int] | None:
    """Bits, rows, columns and components by the stream's own header; None when it has none."""
    at = 2
    while at + 10 <= len(frame) and frame[at] == _MARKER and frame[at + 1] != _SCAN:
        if frame[at + 1] in _FRAME:
            rows, columns = (int.from_bytes(frame[n : n + 2], "big") for n in (at + 5, at + 7))
            return frame[at + 4], rows, columns, frame[at + 9]
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None
