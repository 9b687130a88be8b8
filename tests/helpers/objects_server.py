"""A server that lists its jobs as JSON objects, as a fork of ComfyUI does. Its jobs never end."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, object]
"""Status and JSON value of a response. A value of None stands for an empty body."""
NODES = ("EmptyImage", "ImageScale", "PreviewImage")


@dataclass
class ObjectsServer:
    """The state of the server. The first of its jobs runs, and the others are pending."""

    url: str = ""
    jobs: list[dict[str, Any]] = field(default_factory=list)
    submitted: int = 0
    keeps: bool = False
    """Whether the server responds with 200 to requests that remove jobs, but keeps the jobs."""

    def get(self, path: str) -> Answer:
        """Return the response to a GET."""
        if path == "/queue":
            return 200, {"queue_running": self.jobs[:1], "queue_pending": self.jobs[1:]}
        if path == "/object_info":
            return 200, {name: {} for name in NODES}
        return 404, {"code": "NOT_FOUND", "message": "There is nothing here."}

    def post(self, path: str, raw: bytes) -> Answer:
        """Return the response to a POST."""
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            return 400, {"code": "BAD_REQUEST", "message": "The body is not JSON."}
        answers = {"/prompt": self._submit, "/queue": self._delete, "/interrupt": self._interrupt}
        return answers[path](body) if path in answers else (404, None)

    def _submit(self, body: dict[str, Any]) -> Answer:
        if any(node["class_type"] not in NODES for node in body["prompt"].values()):
            return 400, {"error": "unknown node"}
        self.submitted += 1
        name = str(uuid.uuid4())
        self.jobs.append(
            {
                "priority": self.submitted,
                "prompt_id": name,
                "prompt": body["prompt"],
                "good_outputs": ["9"],
                "extra_data": {"create_time": int(time.time() * 1000)},
                "sensitive": None,
            }
        )
        return 200, {"prompt_id": name, "number": self.submitted, "node_errors": {}}

    def _delete(self, body: dict[str, Any]) -> Answer:
        named = body.get("delete", [])
        if not isinstance(named, list):
            return 400, {"code": "BAD_REQUEST", "message": "delete is a list."}
        if not self.keeps:
            self.jobs = [job for job in self.jobs if job["prompt_id"] not in named]
        return 200, None

    def _interrupt(self, _: dict[str, Any]) -> Answer:
        del self.jobs[: 0 if self.keeps else 1]
        return 200, None


@contextmanager
def serving_objects(*, keeps: bool = False) -> Iterator[ObjectsServer]:
    """Run the server on a free loopback port."""
    state = ObjectsServer(keeps=keeps)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply(*state.get(self.route))

        def do_POST(self) -> None:
            self.reply(*state.post(self.route, self.rfile.read(int(self.headers.get("Content-Length", 0)))))

        @property
        def route(self) -> str:
            return self.path.partition("?")[0].removeprefix("/api")

        def reply(self, status: int, value: object) -> None:
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            if body:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
