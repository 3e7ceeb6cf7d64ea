"""What does this DICOM file hold, and is it safe to look at? Bytes only, every step bounded.

`inspect` answers a service's edge (facts, or `UnreadableError`); `parse` gives the whole tree to
those who rewrite files. Neither decodes pixels, and neither trusts a length it has not measured.
"""

from shared.runtime.dicom.errors import UnreadableError
from shared.runtime.dicom.file import Part10, read_part10
from shared.runtime.dicom.header import Header, inspect
from shared.runtime.dicom.limits import LIMITS, Limits
from shared.runtime.dicom.tree import DataSet, Element, Encoding

__all__ = [
    "LIMITS",
    "DataSet",
    "Element",
    "Encoding",
    "Header",
    "Limits",
    "Part10",
    "UnreadableError",
    "inspect",
    "read_part10",
]
