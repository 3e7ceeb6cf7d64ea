"""What does a case need of its reader? The part of CaseAccepted that the rules look at."""

from typing import Final

from pydantic import AwareDatetime

from shared.contracts.base import CaseId, Frozen, OpaqueId, PartnerId, ServiceLevel
from shared.contracts.intake import AgeBand, CaseAccepted, CaseSupplemented, ReasonForReview

MINORS: Final[frozenset[AgeBand]] = frozenset({"0-1", "2-5", "6-11", "12-17"})
PEDIATRIC, OBSTETRIC, GENERAL = "pediatric", "obstetric", "general"


class Need(Frozen):
    """What the rules of eligibility and fit look at. `modalities` are sorted, each once."""

    case_id: CaseId
    partner: PartnerId
    accepted_at: AwareDatetime
    service_level: ServiceLevel
    procedure_at: AwareDatetime | None
    reason_for_review: ReasonForReview
    modalities: tuple[str, ...]
    body_regions: tuple[str, ...]
    subspecialty: str
    age_band: AgeBand
    language: str
    jurisdiction: OpaqueId
    first_reader: OpaqueId | None
    first_group: OpaqueId | None

    @property
    def pediatric(self) -> bool:
        """A reader for children is wanted: by age, or because the partner asks for one."""
        return self.age_band in MINORS or PEDIATRIC in (self.reason_for_review, self.subspecialty)

    @property
    def obstetric(self) -> bool:
        return self.reason_for_review == "pregnancy_fetal" or self.subspecialty == OBSTETRIC

    @property
    def fellowship(self) -> str | None:
        """The fellowship that the reason for review demands (glossary), if any."""
        asked = self.reason_for_review == "not_read_by_subspecialist"
        return self.subspecialty if asked and self.subspecialty != GENERAL else None


def need_of(accepted: CaseAccepted) -> Need:
    return Need(
        **{name: getattr(accepted, name) for name in _SHARED},
        modalities=tuple(sorted(set(accepted.modalities))),
        first_reader=accepted.first_read.reader,
        first_group=accepted.first_read.group,
    )


_SHARED: Final = tuple(set(Need.model_fields) & set(CaseAccepted.model_fields) - {"modalities"})


def supplemented(need: Need, late: CaseSupplemented) -> Need:
    """Late studies may need another skill. A prior is read beside, by whoever reads the case."""
    added = {study.modality for study in late.studies if not study.prior}
    return need.model_copy(update={"modalities": tuple(sorted({*need.modalities, *added}))})
