"""What does a file that we cleaned before say was done to it? Known by UIDs that only we make."""

from services.deid.domain.content import CODE_VALUE
from services.deid.domain.identity import Identity
from shared.runtime.dicom import Part10
from shared.runtime.dicom.header import SOP_INSTANCE

METHODS = 0x00120064


def codes_before(file: Part10, identity: Identity) -> frozenset[str] | None:
    """The options' codes (PS3.16 CID 7050); None for a file from anybody else."""
    if not identity.owns_uid(file.string(SOP_INSTANCE)):
        return None
    methods = file.data_set.get(METHODS)
    codes = [item.get(CODE_VALUE) for item in (methods.items or () if methods else ())]
    return frozenset(
        file.value(one).decode("latin-1").strip(" \0") for one in codes if one is not None
    )
