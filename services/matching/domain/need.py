"""What does a case need of its reader? The part of CaseAccepted that the rules look at."""

from collections.abc import Iterable
from typing import Final

from pydantic import AwareDatetime

from services.matching.domain.effort import rvu
from services.matching.domain.told import Rules
from shared.contracts.base import BodyRegion, CaseId, Frozen, OpaqueId, PartnerId, ServiceLevel
from shared.contracts.envelope import derived_id
from shared.contracts.intake import (
    AgeBand,
    CaseAccepted,
    CaseSupplemented,
    RawStudy,
    ReasonForReview,
)
from shared.contracts.matching import Role
from shared.contracts.regions import SUBSPECIALTY

MINORS: Final[frozenset[AgeBand]] = frozenset({"0-1", "2-5", "6-11", "12-17"})
UNKNOWN_REGION: Final = "UNKNOWN"
PEDIATRIC, OBSTETRIC, GENERAL = "pediatric", "obstetric", "general"


class Imaged(Frozen):
    """What a current study of the case shows."""

    region: BodyRegion
    modality: str


class Need(Frozen):
    """What the rules of eligibility and fit look at. `modalities` are sorted, each once.

    `rules` are those of the partner's contract as they were when the case was accepted. `patient`
    is the pseudonym that de-identification gave. `imaged`: by which modality each region was
    looked at. `part`: this is what one part of a split case needs, named by its first region.
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
    imaged: tuple[Imaged, ...] = ()
    part: BodyRegion | None = None

    @property
    def slot(self) -> CaseId:
        """Name the search for a reader: the case, or the part of it."""
        if self.part is None:
            return self.case_id
        return CaseId(derived_id(self.case_id, "part", self.part))

    @property
    def pediatric(self) -> bool:
        """A reader for children is wanted: by age, or because the partner asks for one."""
        return self.age_band in MINORS or PEDIATRIC in (self.reason_for_review, self.subspecialty)

    @property
    def role(self) -> Role:
        """Say as what it is read: who is shown conflicting opinions decides between them."""
        if self.part is not None:
            return "region_reader"
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
    imaged = _imaged(accepted.studies)
    also = {one.region for one in imaged} - {UNKNOWN_REGION} - {*accepted.body_regions}
    return Need(
        imaged=imaged,
        body_regions=(*accepted.body_regions, *sorted(also)),
        rules=rules,
        **{name: getattr(accepted, name) for name in _SHARED},
        modalities=tuple(sorted(set(accepted.modalities))),
        first_reader=accepted.first_read.reader,
        first_group=accepted.first_read.group,
    )


_OWN: Final = {"modalities", "body_regions"}
_SHARED: Final = tuple(set(Need.model_fields) & set(CaseAccepted.model_fields) - _OWN)


def _imaged(studies: Iterable[RawStudy], known: Iterable[Imaged] = ()) -> tuple[Imaged, ...]:
    """Say what the current studies show; priors are looked at by whoever reads."""
    current = (one for one in studies if not one.prior)
    found = [Imaged(region=one.body_region, modality=one.modality) for one in current]
    return tuple(dict.fromkeys((*known, *found)))


def supplemented(need: Need, late: CaseSupplemented) -> Need:
    """Late studies may need another skill. A prior is read beside, by whoever reads the case."""
    imaged = _imaged(late.studies)
    modalities = {*need.modalities, *(one.modality for one in imaged)}
    regions = {one.region for one in imaged} - {UNKNOWN_REGION} - {*need.body_regions}
    return need.model_copy(
        update={
            "imaged": _imaged(late.studies, need.imaged),
            "modalities": tuple(sorted(modalities)),
            "body_regions": (*need.body_regions, *sorted(regions)),
        }
    )


def need_of_part(need: Need, regions: tuple[BodyRegion, ...]) -> Need:
    """Give what one part of a split case needs: its regions, as they were imaged.

    Studies of no known region are read with the case's first.
    """
    first = next((one for one in need.body_regions if one in need.regions), None)
    mine = {*regions, UNKNOWN_REGION} if first in regions else {*regions}
    modalities = {one.modality for one in need.imaged if one.region in mine}
    return need.model_copy(
        update={
            "part": regions[0],
            "body_regions": regions,
            "modalities": tuple(sorted(modalities)) or need.modalities,
            "subspecialty": _field(need, regions),
        }
    )


def _field(need: Need, regions: tuple[BodyRegion, ...]) -> str:
    """Say whose the part is; a child's or a fetus's stays theirs who read those."""
    if need.subspecialty in (PEDIATRIC, OBSTETRIC):
        return need.subspecialty
    fields = {SUBSPECIALTY.get(one, GENERAL) for one in regions}
    return fields.pop() if len(fields) == 1 else GENERAL
