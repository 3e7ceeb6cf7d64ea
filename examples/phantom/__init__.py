"""Images to try the platform with: a hand radiograph of our own making, and a scanner's CT or MR.

Each carries a `Patient` whose identifiers must never come out again. Shared by the demo, the
tests and the benchmarks; the services do not know it.
"""

from examples.phantom.hand import Shot, expose
from examples.phantom.instance import as_bytes, hand_radiograph, scanner_image
from examples.phantom.patient import BARTHOLOMEW, MARIPOSA, Patient
from examples.phantom.picture import render

__all__ = [
    "BARTHOLOMEW",
    "MARIPOSA",
    "Patient",
    "Shot",
    "as_bytes",
    "expose",
    "hand_radiograph",
    "render",
    "scanner_image",
]
