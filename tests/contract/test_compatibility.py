"""The checker passes what is allowed and names everything else; a checker must be able to fail."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.compatibility import breaks
from cli.contracts import SCHEMAS, golden_schemas, incompatible
from shared.contracts.intake import CaseAccepted
from shared.contracts.reporting import ReportFinalized

Schema = dict[str, Any]
Change = Callable[[Schema], object]


def changed(change: Change, schema: Schema | None = None) -> list[str]:
    old = schema or ReportFinalized.model_json_schema()
    new = copy.deepcopy(old)
    change(new)
    assert new != old
    return breaks(old, new)


def test_nothing_changed_breaks_nothing() -> None:
    schema = CaseAccepted.model_json_schema()

    assert breaks(schema, copy.deepcopy(schema)) == []


ALLOWED: dict[str, Change] = {
    "a new optional field": lambda s: s["properties"].update(
        note={"default": None, "anyOf": [{"type": "integer"}, {"type": "null"}]}
    ),
    "a new optional field inside": lambda s: s["$defs"]["Discrepancy"]["properties"].update(
        certain={"default": True, "type": "boolean"}
    ),
    "other words for people": lambda s: s.update(description="Signed.", title="Signed"),
    "another order of fields": lambda s: s.update(
        properties=dict(reversed(s["properties"].items())), required=s["required"][::-1]
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_an_optional_addition_passes(name: str) -> None:
    schema = ReportFinalized.model_json_schema()
    new = copy.deepcopy(schema)
    ALLOWED[name](new)

    assert breaks(schema, new) == []


def _rename(schema: Schema) -> None:
    schema["properties"]["signatory"] = schema["properties"].pop("signer")
    schema["required"][schema["required"].index("signer")] = "signatory"


FORBIDDEN: dict[str, tuple[Change, str]] = {
    "removed": (lambda s: s["properties"].pop("blind"), "#/blind: removed or renamed"),
    "renamed": (_rename, "#/signer: removed or renamed"),
    "renamed, the new one": (_rename, "#/signatory: new and required"),
    "retyped": (
        lambda s: s["properties"]["blind"].update(type="string"),
        "#/blind: type was 'boolean', is 'string'",
    ),
    "retyped inside a reference": (
        lambda s: s["$defs"]["ObjectRef"]["properties"]["size"].update(type="string"),
        "#/report/size: type was 'integer', is 'string'",
    ),
    "new and required": (
        lambda s: (s["properties"].update(x={"type": "integer"}), s["required"].append("x")),
        "#/x: new and required",
    ),
    "new and required inside a list": (
        lambda s: (
            s["$defs"]["ClaimOutcome"]["properties"].update(x={"type": "integer"}),
            s["$defs"]["ClaimOutcome"]["required"].append("x"),
        ),
        "#/outcomes[]/x: new and required",
    ),
    "became required": (
        lambda s: s["required"].append("critical_results"),
        "#/critical_results: became required",
    ),
    "became optional": (
        lambda s: s["required"].remove("signer"),
        "#/signer: became optional",
    ),
    "narrowed": (
        lambda s: s["properties"]["verdict"]["enum"].remove("refuted"),
        "#/verdict: narrowed, 'refuted' is no longer allowed",
    ),
    "widened": (
        lambda s: s["properties"]["verdict"]["enum"].append("perhaps"),
        "#/verdict: widened, older readers don't know 'perhaps'",
    ),
    "any word": (
        lambda s: s["properties"]["verdict"].pop("enum"),
        "#/verdict: was a list of words before",
    ),
    "another pattern": (
        lambda s: s["properties"]["partner"].update(pattern="^x$"),
        "#/partner: pattern was '^[a-z0-9][a-z0-9-]{0,62}$', is '^x$'",
    ),
    "no longer null": (
        lambda s: s["properties"]["discrepancy"]["anyOf"].pop(),
        "#/discrepancy: anyOf had 2 part(s), has 1",
    ),
    "another default": (
        lambda s: s["$defs"]["Discrepancy"]["properties"]["radpeer_scale"].update(default="x"),
        "#/discrepancy[]/radpeer_scale: default was 'radpeer-2016', is 'x'",
    ),
    "closed": (
        lambda s: s.update(additionalProperties=False),
        "#: additionalProperties was None, is False",
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_anything_else_breaks_and_is_named(name: str) -> None:
    change, named = FORBIDDEN[name]

    assert named in changed(change)


def test_a_golden_schema_whose_event_is_gone_breaks(tmp_path: Path) -> None:
    for at, text in golden_schemas().items():
        (tmp_path / at).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / at).write_text(text)
    assert list(incompatible(tmp_path)) == []

    (tmp_path / SCHEMAS / "intake.case-forgotten.v1.json").write_text("{}")
    accepted = tmp_path / SCHEMAS / "intake.case-accepted.v1.json"
    accepted.write_text(accepted.read_text().replace('"partner"', '"hospital"'))

    assert list(incompatible(tmp_path)) == [
        "intake.case-accepted.v1 #/hospital: removed or renamed",
        "intake.case-accepted.v1 #/partner: new and required",
        "intake.case-forgotten.v1: the event is gone",
    ]
