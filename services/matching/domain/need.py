"""What does a case need of its reader? The part of CaseAccepted that the rules look at."""

from typing import Final

from pydantic import AwareDatetime

from services.matching.domain.effort import rvu
from services.matching.domain.told import Rules
from shared.contracts.base import CaseId, Frozen, OpaqueId, PartnerId, ServiceLevel
from shared.contracts.intake import AgeBand, CaseAccepted, CaseSupplemented, ReasonForReview
from shared.contracts.matching import Role

MINORS: Final[frozenset[AgeBand]] = frozenset({"0-1", "2-5", "6-11", "12-17"})
UNKNOWN_REGION: Final = "UNKNOWN"
PEDIATRIC, OBSTETRIC, GENERAL = "pediatric", "obstetric", "general"


class Need(Frozen):
    """What the rules of eligibility and fit look at. `modalities` are sorted, each once.

    `rules` are those of the partner's contract as they were when the case was accepted. `patient`
    is the pseudonym that de-identification gave.
    """

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
    rules: Rules = Rules()
    patient: OpaqueId | None = None

    @property
    def pediatric(self) -> bool:
        """A reader for children is wanted: by age, or because the partner asks for one."""
        return self.age_band in MINORS or PEDIATRIC in (self.reason_for_review, self.subspecialty)

    @property
    def role(self) -> Role:
        """Say as what it is read: who is shown conflicting opinions decides between them."""
        return (
            "adjudicator" if self.reason_for_review == "conflicting_opinions" else "second_reader"
        )

    @property
    def obstetric(self) -> bool:
        return self.reason_for_review == "pregnancy_fetal" or self.subspecialty == OBSTETRIC

    @property
    def regions(self) -> frozenset[str]:
        """Give the body regions that are known; an unknown one excludes nobody."""
        return frozenset(self.body_regions) - {UNKNOWN_REGION}

    @property
    def report_language(self) -> str | None:
        """The language (ISO 639) that the reader must write; None where reports are translated."""
        return None if self.rules.translates_reports else self.language.partition("-")[0]

    @property
    def rvu(self) -> float:
        return rvu(self.modalities)

    @property
    def fellowship(self) -> str | None:
        """The fellowship that the reason for review demands (glossary), if any."""
        asked = self.reason_for_review == "not_read_by_subspecialist"
        return self.subspecialty if asked and self.subspecialty != GENERAL else None


def need_of(accepted: CaseAccepted, rules: Rules = Rules()) -> Need:  # noqa: B008 - frozen
    return Need(
        rules=rules,
        **{name: getattr(accepted, name) for name in _SHARED},
        modalities=tuple(sorted(set(accepted.modalities))),
        first_reader=accepted.first_read.reader,
        first_group=accepted.first_read.group,
    )


_SHARED: Final = tuple(set(Need.model_fields) & set(CaseAccepted.model_fields) - {"modalities"})


def supplemented(need: Need, late: CaseSupplemented) -> Need:
    """Late studies may need another skill. A prior is read beside, by whoever reads the case."""
    current = [study for study in late.studies if not study.prior]
    modalities = {*need.modalities, *(one.modality for one in current)}
    regions = {one.body_region for one in current} - {UNKNOWN_REGION} - {*need.body_regions}
    return need.model_copy(
        update={
            "modalities": tuple(sorted(modalities)),
            "body_regions": (*need.body_regions, *sorted(regions)),
        }
    )
