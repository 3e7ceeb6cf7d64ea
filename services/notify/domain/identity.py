"""Who is the patient, and who asked? What intake sealed and only delivery may open.

It lives in memory while one result is built, and is never stored, logged or published.
"""

from datetime import date

from shared.contracts.base import Frozen, Sex


class Patient(Frozen):
    """The patient as the partner named them; `id` is the medical record number of `issuer`."""

    family: str
    given: str = ""
    id: str
    issuer: str
    birth_date: date | None = None
    sex: Sex = "U"
    address: str | None = None
    phone: str | None = None


class Clinician(Frozen):
    """Who asked and is to be told."""

    name: str
    email: str | None = None


class IdentifiedStudy(Frozen):
    """A study under the partner's own numbers; `issuer` is that of the accession number."""

    study_instance_uid: str
    accession_number: str | None = None
    issuer: str | None = None
    modality: str | None = None
    prior: bool = False


class Identity(Frozen):
    """All that is needed to put the patient's name on a result again."""

    patient: Patient
    clinician: Clinician
    studies: tuple[IdentifiedStudy, ...] = ()
