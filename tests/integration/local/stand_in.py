"""What does the set-up need of a service? That it listens on its port and answers /readyz.

Stands in for a service where a test is about starting and stopping, not about what is started.
It answers any other path with its own environment.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ENVIRONMENT = dict(os.environ)  # noqa: TID251 - it shows what it was given
NAME = sys.argv[1]


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(ENVIRONMENT).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


if ENVIRONMENT.get("STAND_IN_FAILS"):
    sys.exit(f"{NAME} can't start: STAND_IN_FAILS is set")
ThreadingHTTPServer(
    ("127.0.0.1", int(ENVIRONMENT[f"{NAME.upper()}_PORT"])), Answers
).serve_forever()
