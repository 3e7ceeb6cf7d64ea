"""The published descriptions are what the code says, and whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import asyncapi, openapi
from cli.contracts import ASYNCAPI, MESSAGES, OPENAPI, ROOT
from shared.contracts.topics import EVENTS, SERVICES

MEND = "run `overread contracts`"


def described() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ASYNCAPI).read_text())
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inside in part.values():
            yield from references(inside)
    if isinstance(part, list):
        for inside in part:
            yield from references(inside)


def resolved(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_asyncapi_is_fresh() -> None:
    assert (ROOT / ASYNCAPI).read_text() == asyncapi.render(ROOT / MESSAGES), MEND


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    document = described()
    found = list(references(document))

    assert len(found) > len(EVENTS)
    for reference in found:
        assert resolved(document, reference) is not None


def test_every_event_is_described_on_its_publishers_channel() -> None:
    document = described()
    on_channels = {
        message["$ref"].rpartition("/")[2]
        for channel in document["channels"].values()
        for message in channel["messages"].values()
    }

    assert on_channels == EVENTS.keys()
    assert [c["address"] for c in document["channels"].values()] == [
        f"overread.{service}" for service in SERVICES
    ]
    assert all(m["summary"] and m["examples"] for m in document["components"]["messages"].values())


@pytest.mark.timeout(300)
def test_openapi_is_fresh() -> None:
    kept = {path.stem: path.read_text() for path in (ROOT / OPENAPI).glob("*.json")}

    assert kept == openapi.render(), MEND


@pytest.mark.parametrize("service", SERVICES)
def test_every_edge_demands_a_token_and_says_what_it_does(service: str) -> None:
    document = yaml.safe_load((ROOT / OPENAPI / f"{service}.json").read_text())
    open_to_all = {"/livez", "/readyz", "/metrics"}

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path}"
            assert ("security" in operation) == (path not in open_to_all), f"{method} {path}"
    assert document["openapi"].startswith("3.1")
    assert "servers" not in document


def test_a_stale_file_is_noticed(tmp_path: Path) -> None:
    assert asyncapi.render(tmp_path) != asyncapi.render(ROOT / MESSAGES)
