"""Does the certificate say which pixels are black now, and by whose hand? And who wrote it?"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.deid.domain.boxes import Box, Placed
from services.deid.domain.certificate import Blanked, Certificate, is_sealed, sealed
from services.deid.gateways.certifying import certified
from services.deid.gateways.instance import clean_instance
from tests.unit.deid.files import EXPLICIT, KEY, PARTNER, Writer, task


def test_each_box_stands_with_its_frame_and_only_what_was_blanked(tmp_path: Path) -> None:
    source, target = tmp_path / "raw.dcm", tmp_path / "clean.dcm"
    source.write_bytes(Writer(EXPLICIT).file([]))
    drawn = (Placed(Box(1, 0, 3, 2)), Placed(Box(0, 3, 4, 4), 0))

    receipt = clean_instance(source, target, replace(task(), drawn={"raw.dcm": drawn}))
    doubtful = replace(
        receipt, places=(*receipt.places, ("doubtful", drawn[0]), ("blanked", drawn[1]))
    )

    assert certified(receipt).blanked == (
        Blanked(by="drawn", left=1, top=0, right=3, bottom=2),
        Blanked(by="drawn", left=0, top=3, right=4, bottom=4, frame=1),
    )
    assert [one.by for one in certified(doubtful).blanked] == ["drawn", "drawn", "blanked"]


CERTIFICATE = Certificate(
    edition="2026c",
    policy="second-opinion-2",
    codes=(),
    key_version=KEY.version,
    engine="OVERREAD_1",
    partner=PARTNER,
    study="2.25.7",
    pseudonym="OV-1",
    instances=(),
    rejected=(),
    actions={"removed": 7, "kept": 3},
    checks=("read again",),
)


def test_a_seal_holds_whatever_the_spelling_and_breaks_with_any_word() -> None:
    proof = sealed(CERTIFICATE, KEY)
    said: dict[str, Any] = json.loads(proof.model_dump_json())

    assert sealed(proof, KEY) == proof
    assert is_sealed(proof.model_dump_json(indent=2), KEY)
    assert is_sealed(json.dumps(dict(reversed(said.items()))), KEY)
    for name in said:
        assert not is_sealed(json.dumps({**said, name: "another"}), KEY)
    assert not is_sealed(json.dumps({**said, "more": 1}), KEY)
    assert not is_sealed(CERTIFICATE.model_dump_json(), KEY)
    assert not is_sealed(proof.model_dump_json(), replace(KEY, secret=bytes(32)))


def test_what_a_later_version_says_is_sealed_as_well() -> None:
    later = json.loads(CERTIFICATE.model_dump_json()) | {"later": [1]}
    bare = Certificate.model_validate(later)

    proof = {**later, "seal": sealed(bare, KEY).seal}

    assert not is_sealed(json.dumps(proof), KEY)  # this version would have dropped it unseen
