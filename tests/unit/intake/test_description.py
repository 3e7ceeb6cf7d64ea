"""The description of the API's own bodies agrees with what is taken."""

import json

from services.intake.api.description import events
from services.intake.api.schema import TYPES

CONTENT = events()["requestBody"]["content"]


def test_every_event_type_is_described_in_both_modes() -> None:
    structured = CONTENT["application/cloudevents+json"]["schema"]["oneOf"]

    assert [one["properties"]["type"]["const"] for one in structured] == list(TYPES)
    assert len(CONTENT["application/json"]["schema"]["oneOf"]) == len(TYPES)


def test_no_reference_points_outside_the_fragment() -> None:
    assert "$ref" not in json.dumps(CONTENT)
    assert "$defs" not in json.dumps(CONTENT)


def test_the_data_say_what_is_required_and_closed() -> None:
    submit = CONTENT["application/cloudevents+json"]["schema"]["oneOf"][0]["properties"]["data"]

    assert "patient" in submit["required"]
    assert submit["additionalProperties"] is False
    assert submit["properties"]["patient"]["properties"]["name"]["required"] == ["family", "given"]
