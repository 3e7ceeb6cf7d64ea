"""How does such an image arrive? As a DICOM file whose header tells all about the patient."""

from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from examples.phantom.hand import Shot, expose
from examples.phantom.patient import MARIPOSA, Patient

_DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
_STUDY_SOP_CLASS = "1.2.840.10008.3.1.2.3.1"  # retired, and still in every header
Photometric = Literal["MONOCHROME1", "MONOCHROME2"]


def hand_radiograph(
    patient: Patient = MARIPOSA,
    shot: Shot | None = None,
    *,
    photometric: Photometric = "MONOCHROME2",
    burned_in: bool = False,
) -> Dataset:
    """A DX instance of the hand. `burned_in` writes the patient's name into the pixels as well."""
    shot = shot or Shot()
    pixels = _marked(expose(shot), patient.name if burned_in else "")
    dataset = _file(_DX_FOR_PRESENTATION, patient)
    _describe_patient(dataset, patient)
    _describe_study(dataset, patient)
    _describe_radiograph(dataset, patient, shot)
    dataset.BurnedInAnnotation = "YES" if burned_in else "NO"
    dataset.PhotometricInterpretation = photometric
    dataset.PresentationLUTShape = "IDENTITY" if photometric == "MONOCHROME2" else "INVERSE"
    if photometric == "MONOCHROME1":
        pixels = (4095 - pixels).astype(np.uint16)
        dataset.WindowCenter = "2395"
    dataset.PixelData = pixels.tobytes()
    return dataset


def scanner_image(
    name: Literal["CT_small.dcm", "MR_small.dcm"] = "CT_small.dcm", patient: Patient = MARIPOSA
) -> Dataset:
    """A real scanner's image, bundled with pydicom, with our patient planted in its header."""
    dataset = dcmread(str(get_testdata_file(name)))
    _describe_patient(dataset, patient)
    _describe_study(dataset, patient)
    dataset.SOPInstanceUID = patient.instance_uid()
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(patient.instance_uid())
    dataset.FrameOfReferenceUID = f"{patient.study_uid}.77"
    dataset.file_meta.SourceApplicationEntityTitle = patient.station[:16]
    return dataset


def as_bytes(dataset: Dataset) -> bytes:
    """The file, with the preamble some viewers fill with the file's origin."""
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _file(sop_class: str, patient: Patient) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(patient.instance_uid())
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID("2.999.40.0.1")
    meta.ImplementationVersionName = "EXAMPLE_DX_1"
    meta.SourceApplicationEntityTitle = patient.station[:16]
    origin = f"exported by {patient.station} for {patient.name}".encode()
    dataset = FileDataset("", {}, file_meta=meta, preamble=origin.ljust(128, b"\0")[:128])
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = patient.instance_uid()
    return dataset


def _describe_patient(dataset: Dataset, patient: Patient) -> None:
    born = f"{patient.birth_date:%Y%m%d}"
    dataset.PatientName = patient.name
    dataset.PatientID = patient.mrn
    dataset.IssuerOfPatientID = patient.issuer
    dataset.PatientBirthDate = born
    dataset.PatientSex = patient.sex
    dataset.PatientAge = f"{patient.age:03d}Y"
    dataset.PatientSize = "1.68"
    dataset.PatientWeight = "71"
    dataset.OtherPatientNames = f"{patient.family.upper()}-BORN^{patient.given.upper()}"
    dataset.PatientAddress = f"{patient.street}, {patient.city}, {patient.postcode}"
    dataset.PatientTelephoneNumbers = [patient.phone]
    dataset.PatientMotherBirthName = f"{patient.middle.upper()}^ANNELIESE"
    dataset.Occupation = patient.city
    dataset.AdditionalPatientHistory = f"{patient.given} fell on {patient.study_date:%d %B %Y}."
    dataset.PatientComments = f"Call {patient.phone} before discharge; born {born}"
    other = Dataset()
    other.PatientID = patient.other_id
    other.TypeOfPatientID = "TEXT"
    dataset.OtherPatientIDsSequence = Sequence([other])


def _describe_study(dataset: Dataset, patient: Patient) -> None:
    day = f"{patient.study_date:%Y%m%d}"
    dataset.StudyInstanceUID = patient.study_uid
    dataset.SeriesInstanceUID = patient.series_uid()
    dataset.StudyID = patient.study_id
    dataset.AccessionNumber = patient.accession
    dataset.IssuerOfAccessionNumberSequence = Sequence([_issuer(patient.accession_issuer)])
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(dataset, keyword, day)
    for keyword in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"):
        setattr(dataset, keyword, "142233")
    dataset.StudyDescription = f"HAND R 3V {patient.family.upper()}"
    dataset.SeriesDescription = f"PA for Dr. {patient.referring}"
    dataset.ReferringPhysicianName = f"{patient.referring.upper()}^HORATIO^^DR"
    dataset.PerformingPhysicianName = f"{patient.performing.upper()}^AGNIESZKA"
    dataset.OperatorsName = f"{patient.operator.upper()}^FATOU"
    dataset.InstitutionName = patient.institution
    dataset.InstitutionAddress = f"1 Cathedral Square, {patient.city}"
    dataset.StationName = patient.station
    dataset.ReferencedStudySequence = Sequence([_reference(_STUDY_SOP_CLASS, patient.study_uid)])
    dataset.RequestAttributesSequence = Sequence([_request(patient)])
    private = dataset.private_block(0x0011, "EXAMPLE DX EXPORT", create=True)
    private.add_new(0x01, "LO", f"{patient.name} / {patient.mrn}")
    private.add_new(0x02, "SQ", Sequence([_request(patient)]))


def _describe_radiograph(dataset: Dataset, patient: Patient, shot: Shot) -> None:
    spacing = [f"{shot.spacing:.6g}"] * 2
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "85562004", "SCT", "Hand"
    for keyword, value in {
        "Modality": "DX", "ImageType": ["ORIGINAL", "PRIMARY"], "Manufacturer": "Example Imaging",
        "ManufacturerModelName": "Phantom DX 1", "DeviceSerialNumber": "SN-0042-7781",
        "SoftwareVersions": "1.0", "SeriesNumber": 1, "InstanceNumber": 1,
        "BodyPartExamined": "HAND", "ImageLaterality": "R", "ViewPosition": "PA",
        "PatientOrientation": ["F", "H"],
        "PresentationIntentType": "FOR PRESENTATION", "KVP": "55", "Exposure": "3",
        "DetectorType": "SCINTILLATOR", "ImagerPixelSpacing": spacing, "PixelSpacing": spacing,
        "PixelIntensityRelationship": "LOG", "PixelIntensityRelationshipSign": 1,
        "RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US",
        "LossyImageCompression": "00", "WindowCenter": "1700", "WindowWidth": "3300",
        "SamplesPerPixel": 1, "Rows": shot.rows, "Columns": shot.columns, "BitsAllocated": 16,
        "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "AcquisitionContextSequence": [],
        "AcquisitionDeviceProcessingDescription": "Hand, edge enhanced",
        "ImageComments": f"repeat for {patient.family}, motion", "AnatomicRegionSequence": [region],
        "RequestingPhysician": f"{patient.referring.upper()}^HORATIO",
    }.items():  # fmt: skip
        setattr(dataset, keyword, value)


def _request(patient: Patient) -> Dataset:
    request = Dataset()
    request.AccessionNumber = patient.accession
    request.RequestedProcedureDescription = f"Hand of {patient.given} {patient.family}"
    request.ScheduledProcedureStepDescription = f"Exclude fracture, MRN {patient.mrn}"
    request.ScheduledProcedureStepID = patient.study_id
    request.RequestedProcedureID = patient.study_id
    request.ReferencedStudySequence = Sequence([_reference(_STUDY_SOP_CLASS, patient.study_uid)])
    return request


def _reference(sop_class: str, uid: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = sop_class
    reference.ReferencedSOPInstanceUID = uid
    return reference


def _issuer(name: str) -> Dataset:
    issuer = Dataset()
    issuer.LocalNamespaceEntityID = name
    return issuer


def _marked(pixels: NDArray[np.uint16], banner: str) -> NDArray[np.uint16]:
    """The technologist's lead letter and, where asked for, a name in the corner."""
    rows, columns = pixels.shape
    sheet = Image.new("L", (columns, rows))
    draw = ImageDraw.Draw(sheet)
    draw.text((columns * 0.87, rows * 0.06), "R", 255, ImageFont.load_default(rows / 22))
    if banner:
        draw.text((columns * 0.04, rows * 0.95), banner, 255, ImageFont.load_default(rows / 40))
    lead = np.asarray(sheet, dtype=np.float64) / 255
    return np.maximum(pixels, 3800 * lead).astype(np.uint16)
