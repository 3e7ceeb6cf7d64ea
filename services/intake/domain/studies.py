"""What does an arriving study lead to?"""

from collections.abc import Sequence
from datetime import datetime

from services.intake.domain.accept import modality, raw_study
from services.intake.domain.events import StudyMisfiled, StudyStored
from services.intake.domain.evolve import filed
from services.intake.domain.inputs import ExpectedStudy, StudyReceived
from services.intake.domain.state import Accepted, Cancelled, File, Known, Rejected, matches
from shared.contracts.base import Event
from shared.contracts.intake import CaseSupplemented, StudyAttached
from shared.decider import Refused


def receive_study(
    state: Known, received: StudyReceived, quiet_at: datetime
) -> Sequence[Event | Refused]:
    """Attach a transmission to its case, or keep it out when it names another patient."""
    file = state.file
    expected = _announced(file, received)
    if expected is None:
        return [Refused("not_announced", "The case did not announce this study.")]
    if isinstance(state, Rejected | Cancelled) or _is_known(file, received):
        return []
    if received.patient != file.request.patient:
        return [_misfiled(received)]
    stored = _stored(received, quiet_at)
    announcements = _announcements(filed(file, stored), expected, received)
    return [stored, *(announcements if isinstance(state, Accepted) else announcements[:1])]


def _announced(file: File, received: StudyReceived) -> ExpectedStudy | None:
    wanted = (e for e in file.request.studies if matches(e, received.study, received.accession))
    return next(wanted, None)


def _is_known(file: File, received: StudyReceived) -> bool:
    attached = {manifest.sha256 for study in file.studies for manifest in study.manifests}
    return received.manifest.sha256 in attached | {stray.manifest for stray in file.misfiled}


def _stored(received: StudyReceived, quiet_at: datetime) -> StudyStored:
    return StudyStored(
        case_id=received.case_id,
        study=received.study,
        accession=received.accession,
        modality=received.modality,
        body_region=received.body_region,
        laterality=received.laterality,
        instances=received.instances,
        images=received.images,
        manifest=received.manifest,
        quiet_at=quiet_at,
    )


def _misfiled(received: StudyReceived) -> StudyMisfiled:
    return StudyMisfiled(
        case_id=received.case_id,
        study=received.study,
        accession=received.accession,
        manifest=received.manifest.sha256,
    )


def _announcements(
    file: File, expected: ExpectedStudy, received: StudyReceived
) -> tuple[StudyAttached, CaseSupplemented]:
    """Say the study as it now is, in short and as a supplement."""
    case_id, partner = received.case_id, file.request.partner
    study = next(one for one in file.studies if one.study == received.study)
    return (
        StudyAttached(
            case_id=case_id,
            partner=partner,
            study=study.study,
            modality=modality(expected, study),
            instance_count=study.instances,
        ),
        CaseSupplemented(
            case_id=case_id, partner=partner, studies=(raw_study(file, expected, study),)
        ),
    )
