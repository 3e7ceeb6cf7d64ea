"""What does every published event share?"""

import re
from functools import cache
from typing import Annotated, ClassVar, Literal, NewType
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

CaseId = NewType("CaseId", UUID)
PartnerId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ReaderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
OpaqueId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:._-]{1,64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# A stable word that programs compare: no room for a sentence, let alone a name.
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
# Modality (0008,0060) and Body Part Examined (0018,0015): value representation CS, PS3.5, 6.2.
Modality = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,16}$")]
BodyRegion = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_]{1,16}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
MediaType = Annotated[
    str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,60}(; ?charset=[a-z0-9-]{1,20})?$")
]
Address = Annotated[
    str, StringConstraints(pattern=r"^(raw|clean|reports)/[0-9a-f-]{36}/[0-9a-f]{64}$")
]
SealedAddress = Annotated[str, StringConstraints(pattern=r"^sealed/[0-9a-f-]{36}/[0-9a-f]{64}$")]
# The five words are the platform's service levels (glossary); hours are a partner's contract.
ServiceLevel = Literal["emergent", "urgent", "expedited", "routine", "tumour_board"]
Laterality = Literal["L", "R", "B", "U"]  # DICOM (0020,0060), with U for unpaired or unknown
Sex = Literal["F", "M", "O", "U"]  # DICOM (0010,0040), with U for unknown


class Frozen(BaseModel):
    """A value. Unknown fields are ignored, so that publishers can add fields first."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ObjectRef(Frozen):
    """Where bytes lie in the object store, and what they must be: a claim check.

    `address` is `<zone>/<case id>/<sha256>`; it names nobody. `size` is in bytes.
    """

    address: Address
    sha256: Sha256
    size: int
    media_type: MediaType = "application/octet-stream"


class SealedRef(ObjectRef):
    """Where something lies that only notify can open: the vault's second room, `sealed/`."""

    address: SealedAddress
    media_type: MediaType = "application/jose"


class Event(Frozen):
    """A fact about one case, in the past tense, without patient data.

    A published event's module under shared.contracts names its publisher; its type on the wire
    is `org.overread.<publisher>.<event-name>.v<version>`.
    """

    version: ClassVar[int] = 1

    case_id: CaseId

    @classmethod
    @cache
    def publisher(cls) -> str:
        return cls.__module__.rpartition(".")[2]

    @classmethod
    @cache
    def ce_type(cls) -> str:
        name = re.sub(r"V\d+$", "", cls.__name__)
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        return f"org.overread.{cls.publisher()}.{kebab}.v{cls.version}"


class DeadlineReached(Frozen):
    """An input, not an event: the time for which a case asked has come."""

    case_id: CaseId
    kind: str
    due_at: AwareDatetime
