"""`overread submit` and `parked`: what a service says, and one sentence when it refuses."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.runtime.local import ports

OUTER = dict(os.environ)  # noqa: TID251 - what the program under test would see
CASE = "42be7784-be91-5512-a144-383ff3f6f51b"
HAND = Path("examples/cases/hand-fracture-missed.json")
WRONG = {
    "code": "invalid-request",
    "detail": "1 field is wrong.",
    "errors": [{"pointer": "#/data/modality", "detail": "input should be 'CR' or 'CT'"}],
}
GUILTY = {"id": 7, "case_id": CASE, "type": "t.v9", "cause": "unknown type", "behind": None}
WAITING = {"id": 8, "case_id": CASE, "type": "t.v1", "cause": None, "behind": 7}


@dataclass
class Edge:
    """An issuer and a service in one, which answer as they are told and remember the asking."""

    folder: Path
    answers: dict[str, tuple[int, Any]]
    asked: list[tuple[str, Any]] = field(default_factory=list)
    port: int = 0

    def overread(self, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "-m", "cli", *map(str, arguments), "--folder", str(self.folder)]
        here = {"ISSUER_PORT": str(self.port), "INTAKE_PORT": str(self.port)}
        return subprocess.run(  # noqa: S603
            program, env={**OUTER, **here}, capture_output=True, text=True, check=False, timeout=100
        )


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    secrets = {"operator": "secret", "st-brigid": "secret"}
    (tmp_path / "clients.json").write_text(json.dumps(secrets), encoding="utf-8")
    told = Edge(tmp_path, {"/token": (200, {"access_token": "token", "expires_in": 300})})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(edge: Edge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            edge.asked.append((self.path, body))
            status, content = edge.answers[self.path]
            if status == 0:  # hangs up without an answer
                return
            sent = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def test_an_event_is_sent_as_it_stands_in_its_file(edge: Edge) -> None:
    edge.answers["/v1/events"] = (202, {"case_id": CASE, "state": "collecting", "missing": []})

    done = edge.overread("submit", HAND)

    assert (done.returncode, json.loads(done.stdout)["case_id"]) == (0, CASE), done.stderr
    assert edge.asked[-1] == ("/v1/events", HAND.read_bytes())


def test_a_refused_event_names_each_wrong_field(edge: Edge) -> None:
    edge.answers["/v1/events"] = (422, WRONG)

    done = edge.overread("submit", HAND)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "overread: 1 field is wrong.",
        "#/data/modality: input should be 'CR' or 'CT'",
    ]


@pytest.mark.parametrize("missing", ["event", "image"])
def test_a_file_that_is_not_there_is_told_before_anything_is_sent(edge: Edge, missing: str) -> None:
    nowhere = edge.folder / "nowhere"
    given = (nowhere,) if missing == "event" else (HAND, "--image", nowhere)

    done = edge.overread("submit", *given)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"overread: {nowhere} can't be read: look at its path"]
    assert not edge.asked


def test_a_service_that_hangs_up_is_told_in_one_sentence(edge: Edge) -> None:
    edge.answers["/v1/events"] = (0, None)

    done = edge.overread("submit", HAND)

    assert done.returncode == 1
    told = "overread: the answer broke off: see whether all runs: overread status"
    assert done.stderr.splitlines() == [told]


def test_nobody_there_is_told_in_one_sentence(edge: Edge) -> None:
    edge.port = ports.free_ports(1)[0]

    done = edge.overread("parked", "list", "intake")

    assert done.returncode == 1
    assert done.stderr.splitlines() == ["overread: nothing listens there: start it: overread up"]


def test_all_pages_of_what_is_parked_are_listed_with_cause_or_as_waiting(edge: Edge) -> None:
    path = "/v1/operations/parked?after="
    edge.answers[f"{path}0"] = (200, {"parked": [GUILTY], "next": 7})
    edge.answers[f"{path}7"] = (200, {"parked": [WAITING], "next": None})

    done = edge.overread("parked", "list", "intake")

    assert done.returncode == 0, done.stderr
    first, second, count = done.stdout.splitlines()
    assert first.split(maxsplit=3) == ["7", CASE, "t.v9", "unknown type"]
    assert second.split() == ["8", CASE, "t.v1", "waits"]
    assert count == "2 parked"


def test_a_replay_that_fails_again_ends_with_1(edge: Edge) -> None:
    again = {"replayed": [], "parked_again": [{"id": 7, "cause": "unknown type"}]}
    edge.answers["/v1/operations/parked/7/replay"] = (200, again)

    done = edge.overread("parked", "replay", "intake", "7")

    assert done.returncode == 1
    assert done.stdout.splitlines() == ["replayed: nothing", "parked again: 7: unknown type"]


def test_a_discard_hands_its_reason_on(edge: Edge) -> None:
    path = "/v1/operations/parked/7/discard"
    edge.answers[path] = (200, {"replayed": [8], "parked_again": []})

    done = edge.overread("parked", "discard", "intake", "7", "--reason", "sent by mistake")

    assert (done.returncode, done.stdout) == (0, "replayed: [8]\n"), done.stderr
    assert [(at, json.loads(sent)) for at, sent in edge.asked[1:]] == [
        (path, {"reason": "sent by mistake"})
    ]
