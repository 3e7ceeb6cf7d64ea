"""What may hide in compressed pixels beside the image? Each stream is walked to its end.

A frame's fragments are read together, marker by marker, box by box, segment by segment. What says
nothing about the image becomes zero where it stands; what lies behind the image stays away; what
can't be walked holds the file. Bytes that a decoder turns into pixels are never touched.
"""

from services.deid.gateways.streams.walked import UnwalkableError

__all__ = ["UnwalkableError"]
