"""What does a CT series weigh? 0.5 MB an instance, under a header made here or a scanner's own."""

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless

ROWS = COLUMNS = 512
STUDY = "2.999.41.1.20260817"
_PATIENT = {
    "PatientName": "HARTIGAN^ROSALIND^M", "PatientID": "MRN-7712345",
    "PatientBirthDate": "19670314",
    "PatientSex": "F", "PatientAge": "059Y", "PatientSize": "1.68", "PatientWeight": "71",
    "OtherPatientNames": "HARTIGAN-BORN^ROSALIND", "PatientAddress": "12 Quay Street, Port Haven",
    "PatientTelephoneNumbers": "+1 555 010 7788", "PatientMotherBirthName": "OKONKWO^ANNELIESE",
    "Occupation": "Lighthouse crew", "AdditionalPatientHistory": "Cough for six weeks.",
    "PatientComments": "Prefers mornings", "MedicalRecordLocator": "SHELF-99120",
    "EthnicGroup": "unknown", "SmokingStatus": "NO", "PregnancyStatus": 1,
}  # fmt: skip
_STUDY = {
    "StudyDate": "20260817", "SeriesDate": "20260817", "AcquisitionDate": "20260817",
    "ContentDate": "20260817", "StudyTime": "101500", "SeriesTime": "101733",
    "AcquisitionTime": "101801.25", "ContentTime": "101802", "AccessionNumber": "ACC4471023",
    "StudyID": "ST-55", "StudyDescription": "CT THORAX HARTIGAN", "SeriesDescription": "Lung 1.0",
    "ReferringPhysicianName": "BRANNIGAN^HORATIO^^DR", "PerformingPhysicianName": "OYELARAN^ADA",
    "OperatorsName": "LINDQVIST^FATOU", "PhysiciansOfRecord": "BRANNIGAN^HORATIO",
    "InstitutionName": "St Brigid Port Haven", "InstitutionAddress": "1 Cathedral Square",
    "InstitutionalDepartmentName": "Radiology West", "StationName": "CT-WEST-2",
    "Manufacturer": "Example Imaging", "ManufacturerModelName": "Spiral 64",
    "DeviceSerialNumber": "SN-0042-7781", "SoftwareVersions": "4.1", "ProtocolName": "Thorax",
    "BodyPartExamined": "CHEST", "Modality": "CT", "PatientPosition": "HFS",
    "PerformedProcedureStepStartDate": "20260817", "PerformedProcedureStepStartTime": "101500",
    "PerformedProcedureStepID": "PPS-8812", "PerformedProcedureStepDescription": "Thorax low dose",
    "RequestingPhysician": "BRANNIGAN^HORATIO", "RequestedProcedureDescription": "CT thorax",
    "CurrentPatientLocation": "WARD 7 BED 3", "TimezoneOffsetFromUTC": "+0200",
}  # fmt: skip
_TECHNIQUE = {
    "ScanOptions": "HELICAL MODE", "SliceThickness": "1.0", "KVP": "120",
    "DataCollectionDiameter": "500", "ReconstructionDiameter": "360",
    "DistanceSourceToDetector": "949.1", "DistanceSourceToPatient": "541",
    "GantryDetectorTilt": "0", "TableHeight": "155.2", "RotationDirection": "CW",
    "ExposureTime": "500", "XRayTubeCurrent": "210", "Exposure": "105", "FilterType": "BODY",
    "GeneratorPower": "25200", "FocalSpots": "0.7", "ConvolutionKernel": "LUNG",
    "SpiralPitchFactor": 0.98, "SingleCollimationWidth": 0.625, "TotalCollimationWidth": 40.0,
    "TableSpeed": 39.3, "TableFeedPerRotation": 39.3, "CTDIvol": 4.2, "SeriesNumber": "2",
    "AcquisitionNumber": "1", "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "Laterality": "", "PositionReferenceIndicator": "SN", "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2", "Rows": ROWS, "Columns": COLUMNS,
    "PixelSpacing": ["0.703125", "0.703125"], "BitsAllocated": 16, "BitsStored": 12,
    "HighBit": 11, "PixelRepresentation": 0, "WindowCenter": ["-600", "40"],
    "WindowWidth": ["1500", "400"], "RescaleIntercept": "-1024", "RescaleSlope": "1",
    "RescaleType": "HU", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "SpecificCharacterSet": "ISO_IR 100", "LossyImageCompression": "00",
}  # fmt: skip


def written(folder: Path, series: FileDataset, numbers: range) -> list[Path]:
    """Write instances of a series and give their files."""
    folder.mkdir(parents=True)
    files = []
    for number, content in zip(numbers, instances(series, numbers), strict=True):
        files.append(folder / f"{number:05d}.dcm")
        files[-1].write_bytes(content)
    return files


def instances(series: FileDataset, numbers: range) -> Iterator[bytes]:
    """Each with pixels of its own: a body in air, with noise."""
    rng = np.random.default_rng(numbers.start)
    row, column = np.ogrid[:ROWS, :COLUMNS]
    body = ((row - 256) ** 2 / 180**2 + (column - 256) ** 2 / 230**2) < 1
    for number in numbers:
        noise = rng.normal(0, 12, (ROWS, COLUMNS))
        pixels = np.where(body, 1060, 24) + noise
        series.PixelData = pixels.clip(0, 4095).astype("<u2").tobytes()
        _place(series, number)
        out = BytesIO()
        series.save_as(out, enforce_file_format=True)
        yield out.getvalue()


def multi_frame_header(frames: int) -> tuple[bytes, int]:
    """A multi-frame CT up to its pixels, and how many bytes of these follow."""
    dataset = made()
    _place(dataset, 1)
    dataset.NumberOfFrames = frames
    size = ROWS * COLUMNS * 2 * frames
    dataset.PixelData = bytes(4)
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    start = out.getvalue().rindex(b"\xe0\x7f\x10\x00OW")
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, size)
    return out.getvalue()[:start] + head, size


def multi_frame_compressed(file: BinaryIO, size: int) -> int:
    """Write a JPEG-LS multi-frame of about `size` bytes; how many of these are the image's.

    Each frame has a comment, and bytes behind its end.
    """
    dataset = made()
    _place(dataset, 1)
    noise = np.random.default_rng(1).normal(1000, 40, (ROWS, COLUMNS))
    dataset.PixelData = noise.clip(0, 4095).astype("<u2").tobytes()
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    image = next(generate_frames(dataset.PixelData, number_of_frames=1)).rstrip(b"\0")
    frame = image[:2] + b"\xff\xfe\0\x13HARTIGAN ROSALIND" + image[2:] + b"HARTIGAN"
    frame += b"\0" * (len(frame) % 2)
    count = size // len(frame)
    dataset.NumberOfFrames = count
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    head = out.getvalue()[: out.getvalue().rindex(b"\xe0\x7f\x10\x00OB") + 12]
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(frame)) + frame
    table = struct.pack(f"<{count}I", *range(0, count * len(item), len(item)))
    file.write(head + struct.pack("<HHI", 0xFFFE, 0xE000, len(table)) + table)
    file.writelines(item for _ in range(count))
    file.write(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    return count * len(image)


def scanners() -> FileDataset:
    """The header that a scanner wrote, 262 elements with its private ones (pydicom's own file).

    It lacks the body part, without which thin slices wait for a person.
    """
    dataset = dcmread(str(get_testdata_file("CT_small.dcm")))
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.BodyPartExamined = "CHEST"
    dataset.preamble = bytes(128)
    return dataset


def made() -> FileDataset:
    """A header of over a hundred elements, with a patient, people and places planted in it."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = "CTWEST2"
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"CT-WEST-2".ljust(128, b"\0"))
    for keyword, value in {**_PATIENT, **_STUDY, **_TECHNIQUE}.items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID = CTImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, f"{STUDY}.2"
    dataset.FrameOfReferenceUID = f"{STUDY}.2.9"
    dataset.ReferencedStudySequence = Sequence([_reference("1.2.840.10008.3.1.2.3.1", STUDY)])
    dataset.RequestAttributesSequence = Sequence([_request()])
    dataset.ProcedureCodeSequence = Sequence([_code()])
    private = dataset.private_block(0x0011, "EXAMPLE CT", create=True)
    for number in range(1, 7):
        private.add_new(number, "LO", f"HARTIGAN / {number}")
    return dataset


def _place(dataset: Dataset, number: int) -> None:
    uid = UID(f"{STUDY}.2.{number}")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.InstanceNumber = str(number)
    dataset.SliceLocation = f"{number * 1.0:.1f}"
    dataset.ImagePositionPatient = ["-180", "-180", f"{number * 1.0:.1f}"]
    source = _reference(CTImageStorage, f"{STUDY}.1.{number}")
    dataset.SourceImageSequence = Sequence([source])


def _reference(sop_class: str, uid: str) -> Dataset:
    one = Dataset()
    one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = sop_class, uid
    return one


def _request() -> Dataset:
    one = Dataset()
    one.ScheduledProcedureStepID, one.RequestedProcedureID = "SPS-7123", "RP-9917"
    one.ScheduledProcedureStepDescription = "CT thorax for HARTIGAN"
    return one


def _code() -> Dataset:
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = "169069000", "SCT", "CT of chest"
    return one
