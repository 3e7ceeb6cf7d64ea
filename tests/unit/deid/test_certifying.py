"""Does the certificate say which pixels are black now, and by whose hand?"""

from dataclasses import replace
from pathlib import Path

from services.deid.domain.boxes import Box, Placed
from services.deid.domain.certificate import Blanked
from services.deid.gateways.certifying import certified
from services.deid.gateways.instance import clean_instance
from tests.unit.deid.files import EXPLICIT, Writer, task


def test_each_box_stands_with_its_frame_and_only_what_was_blanked(tmp_path: Path) -> None:
    source, target = tmp_path / "raw.dcm", tmp_path / "clean.dcm"
    source.write_bytes(Writer(EXPLICIT).file([]))
    drawn = (Placed(Box(1, 0, 3, 2)), Placed(Box(0, 3, 4, 4), 0))

    receipt = clean_instance(source, target, replace(task(), drawn={"raw.dcm": drawn}))
    doubtful = replace(
        receipt, places=(*receipt.places, ("doubtful", drawn[0]), ("blanked", drawn[1]))
    )

    assert certified(receipt).blanked == (
        Blanked(by="drawn", left=1, top=0, right=3, bottom=2),
        Blanked(by="drawn", left=0, top=3, right=4, bottom=4, frame=1),
    )
    assert [one.by for one in certified(doubtful).blanked] == ["drawn", "drawn", "blanked"]
