"""How are a file's colours coded once it is blanked? As before, but where that costs quality again.

JPEG 2000 turns colours reversibly (YBR_RCT) or not (YBR_ICT, PS3.3 C.7.6.3.1.2). What was coded
with loss is decoded and, blanked, coded without: then its header has to say YBR_RCT, and no frame
may be left in the other coding. Both stand in the same transfer syntax (PS3.5 8.2.4).
"""

from shared.runtime.dicom import Part10

PHOTOMETRIC = 0x00280004
LOSSY_COLOUR, LOSSLESS_COLOUR = "YBR_ICT", "YBR_RCT"
_JPEG_2000 = frozenset(("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"))


def photometric_after(file: Part10) -> str | None:
    """What (0028,0004) becomes when frames are blanked; None when it stays."""
    lossy = file.string(PHOTOMETRIC) == LOSSY_COLOUR
    return LOSSLESS_COLOUR if lossy and file.transfer_syntax in _JPEG_2000 else None
