"""Which attributes tell who it is, which does reading need, and what is asked of each?"""

from datetime import timedelta
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from benchmarks.midi.files import PER_VISIT, Written, pixels

_NUMBERS: dict[str, Any] = {
    "SliceThickness": "2.5",
    "PixelSpacing": ["0.7", "0.7"],
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "RescaleSlope": "1",
    "RescaleIntercept": "-1024",
    "WindowCenter": "40",
    "WindowWidth": "400",
    "PatientWeight": "71.5",
    "PatientSize": "1.74",
    "SpacingBetweenSlices": "2.5",
    "ReconstructionDiameter": "350",
    "AcquisitionNumber": "1",
    "SeriesNumber": "3",
    "LossyImageCompression": "00",
    "PregnancyStatus": 4,
    "TemporalPositionIndex": 1,
    "NumberOfTemporalPositions": "1",
    "EchoTime": "8.1",
    "RepetitionTime": "500",
    "FlipAngle": "90",
    "KVP": "120",
    "ExposureTime": "500",
    "XRayTubeCurrent": "210",
    "TableHeight": "150.5",
    "GantryDetectorTilt": "0",
}
_WORDS = {
    "Manufacturer": "ACME IMAGING",
    "ManufacturerModelName": "TOMO 9000",
    "SoftwareVersions": "VB20A",
    "DeviceSerialNumber": "D70019",
    "BodyPartExamined": "CHEST",
    "PatientPosition": "HFS",
    "ConvolutionKernel": "STANDARD",
    "FilterType": "BODY FILTER",
    "ScanningSequence": "SE",
    "SequenceVariant": "SK",
    "MRAcquisitionType": "2D",
    "PositionReferenceIndicator": "XY",
    "ScanOptions": "HELICAL MODE",
    "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
    "PresentationLUTShape": "IDENTITY",
}
_DAYS = {
    "StudyDate": 0, "SeriesDate": 0, "AcquisitionDate": 1, "ContentDate": 1,
    "InstanceCreationDate": 2, "PerformedProcedureStepStartDate": 0,
    "DateOfLastCalibration": -300,
}  # fmt: skip
_TIMES = ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "InstanceCreationTime")
_CLINICAL = ("contrast phase portal venous", "nodule right upper lobe", "effusion follow-up")


def tag(keyword: str) -> str:
    return f"{tag_for_keyword(keyword):08X}"


def technique(written: Written) -> None:
    """What reading needs: it stays."""
    for keyword, value in {**_NUMBERS, **_WORDS}.items():
        setattr(written.dataset, keyword, value)
        shown = "\\".join(value) if isinstance(value, list) else str(value)
        written.ask("tag_retained", tag(keyword))
        written.ask("text_retained", tag(keyword), shown)
    dataset = written.dataset
    dataset.InstanceNumber = str(written.place + 1)
    dataset.ImagePositionPatient = ["0", "0", str(written.place * 2.5)]
    dataset.PatientSex = written.person.sex
    for keyword in ("InstanceNumber", "ImagePositionPatient", "Rows", "Modality", "SOPClassUID"):
        written.ask("tag_retained", tag(keyword))
    written.ask("text_retained", tag("PatientSex"), written.person.sex)
    written.ask("text_retained", tag("SOPClassUID"), dataset.SOPClassUID)


def times(written: Written) -> None:
    """All days of a patient move together; the time of day stays."""
    dataset, day = written.dataset, written.visit.day
    for keyword, after in _DAYS.items():
        text = f"{day + timedelta(days=after):%Y%m%d}"
        setattr(dataset, keyword, text)
        written.ask("date_shifted", tag(keyword), text)
    dataset.AcquisitionDateTime = f"{day:%Y%m%d}143015.120000+0100"
    written.ask("date_shifted", tag("AcquisitionDateTime"), dataset.AcquisitionDateTime)
    for keyword in _TIMES:
        setattr(dataset, keyword, "143015.12")
        written.ask("text_retained", tag(keyword), "143015.12")
    deep = Dataset()
    deep.RadiopharmaceuticalStartDateTime = f"{day:%Y%m%d}1200"
    dataset.RadiopharmaceuticalInformationSequence = [deep]
    path = f"{tag('RadiopharmaceuticalInformationSequence')}.0."
    written.ask(
        "date_shifted",
        path + tag("RadiopharmaceuticalStartDateTime"),
        deep.RadiopharmaceuticalStartDateTime,
    )


def uids(written: Written) -> None:
    """Each is new, and the same old one is the same new one in all files."""
    dataset, visit = written.dataset, written.visit
    named = {
        "SOPInstanceUID": visit.instance_uid(written.place),
        "StudyInstanceUID": visit.study_uid,
        "SeriesInstanceUID": visit.series_uid(),
        "FrameOfReferenceUID": visit.frame_uid,
    }
    for keyword, uid in named.items():
        setattr(dataset, keyword, uid)
        written.ask("text_notnull", tag(keyword))
        written.ask("uid_changed", tag(keyword), uid)
        written.ask("uid_consistent", tag(keyword), uid)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    other = visit.instance_uid((written.place + 1) % PER_VISIT)
    reference = Dataset()
    reference.ReferencedSOPClassUID = dataset.SOPClassUID
    reference.ReferencedSOPInstanceUID = other
    for sequence in ("ReferencedImageSequence", "SourceImageSequence"):
        setattr(dataset, sequence, [reference])
        path = f"{tag(sequence)}.0.{tag('ReferencedSOPInstanceUID')}"
        written.ask("uid_changed", path, other)
        written.ask("uid_consistent", path, other)


def identity(written: Written) -> None:
    """Who it is, in the attributes that are made for it."""
    dataset, person, visit = written.dataset, written.person, written.visit
    told = {
        "PatientName": person.name,
        "PatientID": person.mrn,
        "PatientBirthDate": f"{person.born:%Y%m%d}",
        "OtherPatientIDs": person.other_id,
        "PatientAddress": person.street,
        "PatientTelephoneNumbers": person.phone,
        "PatientMotherBirthName": f"{person.family}^MOTHER",
        "AccessionNumber": visit.accession,
        "StudyID": visit.accession[1:8],
        "ReferringPhysicianName": person.referring,
        "OperatorsName": person.operator,
        "PerformingPhysicianName": person.referring,
        "InstitutionName": person.hospital,
        "InstitutionAddress": person.street,
        "StationName": person.station,
        "RequestingPhysician": person.referring,
        "PerformedStationName": person.station,
    }
    for keyword, value in told.items():
        setattr(dataset, keyword, value)
        written.ask("text_removed", tag(keyword), value)
    written.ask("text_notnull", tag("PatientName"))
    written.ask("patid_consistent", tag("PatientID"), person.mrn)
    dataset.PatientAge = f"{person.age(visit.day):03d}Y"
    written.ask("text_notnull", tag("PatientAge"))


def hidden(written: Written) -> None:
    """Who it is, where one does not look: free text, items, private elements, the file's edges."""
    dataset, person = written.dataset, written.person
    clinical = _CLINICAL[written.number % len(_CLINICAL)]
    written.dataset.SeriesDescription = f"{clinical} {person.family}"
    for word in clinical.split():
        written.ask("text_retained", tag("SeriesDescription"), f"~{word}")
    written.ask("text_removed", "", person.family)
    dataset.ImageComments = f"seen by Dr. {person.operator.split('^')[0]}, call {person.phone}"
    written.ask("text_removed", "", person.operator.split("^")[0])
    written.ask("text_removed", "", person.phone)
    order = Dataset()
    order.RequestedProcedureDescription = f"for {person.family}"
    order.RequestedProcedureID = written.visit.accession
    order.ScheduledPerformingPhysicianName = person.referring
    dataset.RequestAttributesSequence = [order]
    written.ask("text_removed", "", written.visit.accession)
    written.ask("text_removed", "", person.referring.split("^")[0])
    block = dataset.private_block(0x0029, "ACME PRIVATE 1.0", create=True)
    block.add_new(0x10, "LO", person.mrn)
    block.add_new(0x11, "UN", person.name.encode())
    written.ask("text_removed", "", person.mrn)
    written.ask("text_removed", "00291010", person.mrn)
    dataset.preamble = person.family.encode().ljust(128, b"\0")
    dataset.file_meta.SourceApplicationEntityTitle = person.station[:16]
    written.ask("text_removed", "", person.station)
    written.ask("text_removed", "", person.street)
    written.ask("text_removed", "", person.hospital)


PARTS = (pixels, technique, times, uids, identity, hidden)
