"""What do the other services learn of a complete case? Its file as CaseAccepted and RawStudy."""

from datetime import datetime
from typing import Final

from services.intake.domain.inputs import ExpectedStudy
from services.intake.domain.regions import MODALITIES, subspecialty
from services.intake.domain.state import ArrivedStudy, File, arrived
from shared.contracts.base import CaseId, Laterality
from shared.contracts.intake import CaseAccepted, RawStudy

BOTH_SIDES: Final = 2


def accepted(case_id: CaseId, file: File, now: datetime) -> CaseAccepted:
    """Say the whole file; equal files give equal events, whatever came first."""
    request = file.request
    return CaseAccepted(
        case_id=case_id,
        partner=request.partner,
        accepted_at=now,
        service_level=request.service_level,
        procedure_at=request.procedure_at,
        reason_for_review=request.reason_for_review,
        modalities=_modalities(file),
        body_regions=(request.body_region,),
        subspecialty=subspecialty(request),
        laterality=request.laterality,
        age_band=request.age_band,
        sex=request.sex,
        language=request.language,
        jurisdiction=request.jurisdiction,
        first_read=request.first_read,
        studies=tuple(
            raw_study(file, expected, one)
            for expected in request.studies
            for one in arrived(file, expected)
        ),
        documents=file.documents,
        sealed_identity=request.sealed_identity,
    )


def raw_study(file: File, expected: ExpectedStudy, study: ArrivedStudy) -> RawStudy:
    """Say a whole study: all that came of it so far."""
    known = [one for one in study.body_regions if one != "UNKNOWN"]
    return RawStudy(
        study=study.study,
        modality=modality(expected, study),
        body_region=known[0] if len(known) == 1 else file.request.body_region,
        laterality=_laterality(study),
        prior=expected.prior,
        instance_count=study.instances,
        manifests=study.manifests,
    )


def modality(expected: ExpectedStudy, study: ArrivedStudy) -> str:
    """Give the one that was announced if it came, else what came, images first."""
    if expected.modality in study.modalities:
        return expected.modality
    images = [one for one in study.modalities if one in MODALITIES]
    return (images or [*study.modalities])[0]


def _modalities(file: File) -> tuple[str, ...]:
    """Give the modalities that are to be read: priors and reports in a study don't count."""
    came = {
        one
        for expected in file.request.studies
        if not expected.prior
        for study in arrived(file, expected)
        for one in study.modalities
        if one in MODALITIES
    }
    return tuple(sorted(came or {file.request.modality}))


def _laterality(study: ArrivedStudy) -> Laterality:
    sides = [side for side in study.lateralities if side != "U"]
    if len(sides) >= BOTH_SIDES:
        return "B"
    return sides[0] if sides else "U"
