"""What may an operator tell us? Closed values: an unknown field is an error that names it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

# Codes such as `musculoskeletal` or `second_line`: words of the platform's configuration.
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
# DICOM (0008,0060) Modality is a code string of capitals.
Modality = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,15}$")]


class Told(BaseModel):
    """Configuration as a person wrote it, in the seed file or through the admin API."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rules(Told):
    """What a partner's contract demands of a reader besides what every case does.

    `excludes_own_staff`: whom the partner employs does not review for it. `needs_privileges`: the
    partner must have granted them. `credentials`: which must be on record and in force.
    `translates_reports`: a report may be written in another language than the case asks for.
    `ai_readers`: software on the roster may read its cases beside the reader. `split`: whether a
    case over several body regions is read by several readers, if nobody reads all of them.
    """

    excludes_own_staff: bool = False
    needs_privileges: bool = False
    credentials: tuple[Word, ...] = ()
    translates_reports: bool = False
    ai_readers: bool = False
    split: Literal["if_needed", "always", "never"] = "if_needed"
