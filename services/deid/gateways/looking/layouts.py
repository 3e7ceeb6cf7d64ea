"""Where does this device write text? Rules as data: profile/layouts.yaml."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter

from services.deid.domain.boxes import Box
from shared.contracts.base import Frozen
from shared.runtime.dicom import Part10

_FILE = Path(__file__).parents[2] / "profile" / "layouts.yaml"
_MODALITY, _MAKER, _MODEL, _TYPE = 0x00080060, 0x00080070, 0x00081090, 0x00080008
_REGIONS = 0x00186011
Share = Annotated[float, Field(ge=0, le=1)]


class Layout(Frozen):
    """One rule; what it leaves out does not matter. `blank`: left, top, right, bottom; shares."""

    name: str
    modality: tuple[str, ...] = ()
    maker: str = ""
    model: str = ""
    image_type: str = ""
    rows: int | None = None
    columns: int | None = None
    without_regions: bool = False
    blank: tuple[tuple[Share, Share, Share, Share], ...]


_LAYOUTS: TypeAdapter[tuple[Layout, ...]] = TypeAdapter(tuple[Layout, ...])


@lru_cache(maxsize=1)
def layouts() -> tuple[Layout, ...]:
    """All rules of the file. Raises ValueError that names the rule and the field."""
    return _LAYOUTS.validate_python(yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def rules(file: Part10, rows: int, columns: int) -> tuple[Box, ...]:
    """What the rules that fit this file blank."""
    return tuple(
        Box(int(left * columns), int(top * rows), round(right * columns), round(bottom * rows))
        for layout in layouts()
        if _fits(layout, file, rows, columns)
        for left, top, right, bottom in layout.blank
    )


def _fits(layout: Layout, file: Part10, rows: int, columns: int) -> bool:
    regions = file.data_set.get(_REGIONS)
    return (
        (not layout.modality or file.string(_MODALITY) in layout.modality)
        and layout.maker in file.string(_MAKER).lower()
        and layout.model in file.string(_MODEL).lower()
        and layout.image_type in file.string(_TYPE).upper()
        and layout.rows in {None, rows}
        and layout.columns in {None, columns}
        and not (layout.without_regions and regions is not None)
    )
