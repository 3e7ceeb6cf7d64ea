"""Which code of which public table stands for what? Only codes that are beyond doubt; else text."""

from typing import Any

Json = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
HL7 = "http://terminology.hl7.org/CodeSystem/"


def concept(system: str, code: str, display: str, text: str | None = None) -> Json:
    coding = {"system": system, "code": code, "display": display}
    return {"coding": [coding], "text": text}


IMAGING_STUDY_REPORT = concept(
    LOINC, "18748-4", "Diagnostic imaging study", "Radiology second opinion"
)
RADIOLOGY = concept(f"{HL7}v2-0074", "RAD", "Radiology")  # HL7 v2 table 0074
IMAGING = concept(f"{HL7}observation-category", "imaging", "Imaging")
RECORD_NUMBER = concept(f"{HL7}v2-0203", "MR", "Medical record number")  # HL7 v2 table 0203
ACCESSION = concept(f"{HL7}v2-0203", "ACSN", "Accession ID")
CRITICAL = concept(f"{HL7}v3-ObservationInterpretation", "AA", "Critical abnormal")

# FHIR R4 AdministrativeGender beside DICOM (0010,0040).
GENDER = {"F": "female", "M": "male", "O": "other", "U": "unknown"}
# SNOMED CT qualifier values beside DICOM (0020,0060).
SIDE = {
    "L": concept(SNOMED, "7771000", "Left"),
    "R": concept(SNOMED, "24028007", "Right"),
    "B": concept(SNOMED, "51440002", "Bilateral"),
}
SIDE_WORD = {"L": "left", "R": "right", "B": "bilateral"}
