"""Heads by words of seven languages and by codes, also in functional groups; knees stay knees."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from pydicom.dataset import Dataset
from pydicom.sr._cid_dict import cid_concepts  # as the standard has them
from pydicom.sr._concepts_dict import concepts
from pydicom.uid import EnhancedCTImageStorage

from examples.phantom import as_bytes, scanner_image
from services.deid.domain.anatomy import Anatomy, Spoken
from services.deid.gateways.anatomy import anatomy, region_of, thinnest
from services.deid.gateways.pixels import facts
from shared.runtime.dicom import read_part10
from tests.unit.deid.files import EXPLICIT, IMPLICIT, KEY, Writer, cleaned, task

FILE = Path("services/deid/profile/anatomy.yaml")
HEADS = (
    "HEAD", "BRAIN W/O CONTRAST", "NEURO STROKE|T1 MPRAGE", "CT CEREBRAL", "CRANIUM", "MAXILLA",
    "DENTAL CBCT", "CSPINE", "CTA CAROTIDS", "CSPINE|CTA CAROTIDS", "IAC|SCHAEDEL", "Schädel nativ",
    "Gesichtsschädel", "Schadel", "SELLA TURCICA", "C-SPINE", "HEADNECK", "NECKCHESTABDPELV",
    "CTSPINE", "WHOLEBODY", "WHOLE BODY", "WB PET", "RoutineHead", "HeadNeck^CTA", "AngioHead1.0",
    "Temporal bones", "TMJ", "ORBITS", "SINUSES", "CHEST|CT NECK CHEST", "Polytrauma",
    "Kopf", "NNH", "HWS", "Halsweichteile", "Felsenbeine", "Hirn", "CCT", "Ganzkörper", "Zähne",
    "Tête", "Crâne sans injection", "cérébral", "Encéphale", "Rachis cervical", "Rochers", "TSA",
    "Cabeza", "Cráneo", "Cerebro", "Cuello", "Peñascos", "Oídos", "Senos paranasales", "CARA",
    "Testa", "Capo", "Encefalo", "Massiccio facciale", "Collo", "Rocche petrose", "Cranio",
    "Crânio", "Cabeça", "Pescoço", "Hersenen", "Schedel", "Aangezicht",
    "HEAD FIRST|BRAIN", "FEMORAL HEAD|HEAD",
)  # fmt: skip
ELSEWHERE = (
    "CHEST", "ABDOMEN", "ABDOMENPELVIS", "CHESTABDPELVIS", "HAND", "KNEE", "FEMORAL HEAD",
    "Hip|head of the femur", "HUMERAL HEAD|SHOULDER", "FEMORAL NECK", "SINUS TARSI", "LSPINE",
    "L-SPINE", "LUMBAR SPINE", "CORONARY SINUS|HEART", "HEAD FIRST SUPINE|KNEE", "PANCREAS HEAD",
    "CERVICAL CANCER|PELVIS", "STROKE VOLUME|CARDIAC", "facet joints|LUMBAR", "surface coil|KNEE",
    "THORAX", "CAP", "CT TAP", "CTPA", "ABDOMEN|ORAL CONTRAST", "EARLY ARTERIAL|LIVER",
    "Hüftkopf|Becken", "LWS", "Schenkelhals|Hüfte", "Kniegelenk", "Leber", "Bauch", "Sprunggelenk",
    "Poumons", "Genou", "tête du fémur|hanche", "Rachis lombaire", "Cheville",
    "Tórax", "Hígado", "Rodilla", "cuello del fémur|cadera", "Addome", "Torace", "Ginocchio",
    "Testa del femore|anca", "Joelho", "Buik", "Heup",
)  # fmt: skip
UNKNOWN = (
    "",
    "e+1",
    "5/5mm Plain",
    "SmartScore - Gated 0.5 sec",
    "SPINE",
    "T2 TSE SAG",
    "Series 4",
)
# Regions that may reach up to a head or not; images of none; ways in, which are not what is seen.
NEITHER = frozenset((
    "AnteriorSpinalArtery", "AorticArch", "Back", "Baffle", "BodyConduit", "CommonVentricle",
    "EndoArterial", "EndoEsophageal", "EndoVascular", "EndoVenous", "Esophagus", "InnominateArtery",
    "InnominateVein", "IntraArticular", "Joint", "LumenOfBloodVessel", "Phantom", "SpinalCord",
    "Spine", "SubclavianArtery", "SubclavianVein", "SuprasternalNotch", "Trachea", "VenousNetwork",
    "Ventricle",
))  # fmt: skip


@pytest.mark.parametrize(
    ("said", "region"),
    [
        *((one, "head") for one in HEADS),
        *((one, "elsewhere") for one in ELSEWHERE),
        *((one, "unknown") for one in UNKNOWN),
    ],
)
def test_a_region_by_its_words(said: str, region: str) -> None:
    assert anatomy().region(said.split("|"), ()) == region
    assert anatomy().region(said.upper().split("|"), ()) in {region, "unknown"}


@pytest.mark.parametrize("cid", [4, 4028, 4030, 4031])
def test_each_region_of_the_standard_is_a_head_or_elsewhere(cid: int) -> None:
    known: Any = concepts["SCT"]
    codes = {code: name for name in cid_concepts[cid]["SCT"] for code in known[name]}

    missing = {name for code, name in codes.items() if anatomy().region((), (code,)) == "unknown"}

    assert missing <= NEITHER


def test_a_code_is_in_one_place_and_srt_says_the_same() -> None:
    heads, others = anatomy().spoken.heads, anatomy().spoken.elsewhere

    assert not heads.values() & others.values()
    assert anatomy().region((), ("T-D1100",)) == anatomy().region((), ("69536005",)) == "head"
    assert anatomy().region((), ("T-D3000",)) == anatomy().region((), ("51185008",)) == "elsewhere"


@pytest.mark.parametrize(
    "wrong", [{"heads": {"words": [["a1"]], "codes": []}}, {"other": 1}, {"strange": [[""]]}]
)
def test_a_vocabulary_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    sound = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    Anatomy(Spoken.model_validate(sound))

    with pytest.raises(ValidationError):
        Spoken.model_validate({**sound, **wrong})


def coded(value: str = "69536005", meaning: str = "Region X") -> Dataset:
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = value, "SCT", meaning
    return one


def silent() -> Dataset:
    dataset = scanner_image()
    del dataset.StudyDescription, dataset.SeriesDescription, dataset.RequestAttributesSequence
    return dataset


def test_a_coded_region_at_the_top_or_in_a_request() -> None:
    top, request, nested = silent(), silent(), Dataset()
    top.AnatomicRegionSequence = [coded()]
    nested.RequestedProcedureDescription = "MRT Schädel"
    request.SpecificCharacterSet = "ISO_IR 192"
    request.RequestAttributesSequence = [nested]

    assert region_of(read_part10(as_bytes(silent()))) == "unknown"
    assert region_of(read_part10(as_bytes(top))) == "head"
    assert region_of(read_part10(as_bytes(request))) == "head"


@pytest.mark.parametrize(
    "groups", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
def test_an_enhanced_image_says_it_of_frames(groups: str) -> None:
    dataset, group, frame, measures = silent(), Dataset(), Dataset(), Dataset()
    dataset.SOPClassUID = EnhancedCTImageStorage
    del dataset.SliceThickness
    frame.AnatomicRegionSequence = [coded()]
    measures.SliceThickness = "0.8"
    group.FrameAnatomySequence, group.PixelMeasuresSequence = [frame], [measures]
    thick = Dataset()
    thick.PixelMeasuresSequence = [Dataset()]
    thick.PixelMeasuresSequence[0].SliceThickness = "9"
    setattr(dataset, groups, [thick, group])

    file = read_part10(as_bytes(dataset))

    assert region_of(file) == "head"
    assert thinnest(file) == 0.8


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_a_no_is_believed_of_our_own_alone_so_cleaning_again_changes_nothing(
    tmp_path: Path, syntax: str
) -> None:
    write = Writer(syntax)
    said = {
        0x00120063: write.element(0x00120063, "LO", "Overread\\PS3.15 Table E.1-1 2026c"),
        0x00120064: write.sequence(0x00120064, write.element(0x00080100, "SH", "113102")),
        0x00180015: write.element(0x00180015, "CS", "HEAD"),
        0x00280302: write.element(0x00280302, "CS", "NO"),
    }

    once, first = cleaned(write.file(said.items()), tmp_path)
    twice, second = cleaned(once, tmp_path)
    _, stranger = cleaned(once, tmp_path, replace(task(), key=replace(KEY, secret=bytes(32))))

    assert [one.code for one in first.doubts] == ["recognisable_face_possible"]
    assert facts(read_part10(write.file(said.items()))).cleaned  # as anybody can write
    assert second.doubts == ()
    assert twice == once
    assert [one.code for one in stranger.doubts] == ["recognisable_face_flagged"]
