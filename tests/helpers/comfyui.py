"""An imitation of ComfyUI 0.3.64, 0.8.0 and 0.33.0, which tests cannot install. It runs on a simulated clock.

The imitations of 0.8.0 and 0.33.0 are made from recordings, with which ``test_comfyui.py`` compares them. That of
0.3.64 is made from what is known of its code.
"""

from __future__ import annotations

import ipaddress
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlparse, urlsplit

from conformance.reference.app import Reference
from conformance.reference.board import Board, BoardResponse, Job, copied
from conformance.reference.message import IncomingRequest, Reply
from conformance.reference.queue import QueueItem
from conformance.reference.server import Endpoint
from conformance.reference.variants import Variant

CREDENTIALS: Final = ("auth_token_comfy_org", "api_key_comfy_org")
ALLOWED: Final = "GET,HEAD,POST"


class CrashError(Exception):
    """An exception that ComfyUI does not handle: aiohttp responds with a 500, and logs a traceback."""


@dataclass
class ComfyJob(Job):
    """A job. ``extra`` is the extra_data that its client sent."""

    extra: dict[str, Any] = field(default_factory=dict)


class Comfy(Board):
    """The queue of ComfyUI: a heap, ordered by number and then by prompt_id."""

    version: ClassVar[str]
    interrupted: ClassVar[str | None] = None
    """The status of an interrupted job in GET /api/jobs; None if this version of ComfyUI lacks that operation."""
    dates_jobs: ClassVar[bool] = True
    strips_credentials: ClassVar[bool] = True
    wants_uuids: ClassVar[bool] = False
    cancels: ClassVar[bool] = False
    checks_site: ClassVar[bool] = False

    def __init__(self, now: float, seed: int = 0) -> None:
        super().__init__(now, seed)
        self._numbers = count(0)
        self._heap: list[tuple[float, str, int, Job]] = []

    @property
    def pending(self) -> list[Job]:
        """The pending jobs in the order of the heap."""
        return [job for *_, job in self._heap]

    def next_of(self, waiting: list[Job]) -> Job:
        """Remove the job with the lowest number from the heap, and return it."""
        del waiting
        return heappop(self._heap)[-1]

    def end(self, job: Job, status: str) -> None:
        """End a job. A pending job is removed from the heap."""
        place = next((place for place, entry in enumerate(self._heap) if entry[-1] is job), None)
        if place is not None:
            self._heap.pop(place)
            heapify(self._heap)
        super().end(job, status)

    def add_theirs(self) -> None:
        """Submit a job as another user."""
        node = {"class_type": "SaveImage", "inputs": {"images": ["0", 0]}}
        self.submit({"prompt": {str(number): node for number in range(9)}})
        self.jobs[-1].foreign = True

    # --- POST /prompt -------------------------------------------------------------------------------------------------

    def submit(self, asked: Any) -> BoardResponse:
        """Accept or refuse a submission, and return the response."""
        if not isinstance(asked, dict):
            raise CrashError
        if "number" in asked:
            number = float(asked["number"])
        else:
            number = next(self._numbers) * (-1 if asked.get("front") else 1)
        if "prompt" not in asked:
            message = "No prompt provided"
            return 400, _error("no_prompt", message, message)
        if self.wants_uuids and not _is_canonical(asked.get("prompt_id")):
            return 400, _error("invalid_prompt_id", "prompt_id must be a valid UUID", NOT_CANONICAL)
        graph, extra = asked["prompt"], asked.get("extra_data", {})
        if (problem := self._invalid(graph)) is not None:
            return 400, problem
        if not isinstance(extra, dict):
            raise CrashError
        extra = copied(extra) | ({"client_id": asked["client_id"]} if "client_id" in asked else {})
        if self.dates_jobs:
            extra["create_time"] = int(self.now * 1000)
        outputs = [name for name, node in graph.items() if node["class_type"] in {"PreviewImage", "SaveImage"}]
        job = ComfyJob(self._id(asked), copied(graph), outputs, self.now, number, extra=extra)
        self.jobs.append(job)
        heappush(self._heap, (number, job.prompt_id, len(self.jobs), job))
        return 200, {"prompt_id": job.prompt_id, "number": number, "node_errors": {}}

    def _id(self, asked: dict[str, Any]) -> str:
        made = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        if self.wants_uuids:
            return asked.get("prompt_id") or made
        return str(asked.get("prompt_id", made))

    def _invalid(self, graph: Any) -> dict[str, Any] | None:
        for name, node in graph.items():
            if node["class_type"] not in self.classes:
                return self._unknown(name, node["class_type"])
        return None

    def _unknown(self, name: str, class_type: str) -> dict[str, Any]:
        message = f"Cannot execute because node {class_type} does not exist."
        return _error("invalid_prompt", message, f"Node ID '#{name}'")

    # --- POST /queue, /interrupt and /jobs ----------------------------------------------------------------------------

    def manage(self, asked: Any) -> BoardResponse:
        """Clear the queue, or delete the first pending job with each id, and return the response."""
        if isinstance(asked, list):
            return 200, None
        if asked.get("clear"):
            for job in self.pending:
                self.end(job, "deleted")
        names = asked.get("delete", [])
        if names is None or isinstance(names, int | float):
            raise CrashError
        for name in names:
            self.cancel(name, running=False)
        return 200, None

    def cancel(self, name: Any, *, running: bool = True) -> bool:
        """Remove the first job with this id, and return whether there was one."""
        found = next((job for job in self.pending if job.prompt_id == name), None)
        if found is not None:
            self.end(found, "deleted")
            return True
        runs = [job for job in self.running if job.prompt_id == name] if running else []
        for job in runs:
            self.end(job, self.interrupted or "failed")
        return bool(runs)

    def interrupt(self, asked: Any) -> BoardResponse:
        """Stop the running jobs, unless the request names another job, and return the response."""
        named = asked.get("prompt_id") if isinstance(asked, dict) else None
        for job in self.running:
            if not named or job.prompt_id == named:
                self.end(job, self.interrupted or "failed")
        return 200, None

    # --- responses ----------------------------------------------------------------------------------------------------

    def item(self, job: Job, position: int) -> QueueItem:
        """Return ``[number, prompt_id, prompt, extra_data, outputs_to_execute]``."""
        del position
        assert isinstance(job, ComfyJob)
        hidden = CREDENTIALS if self.strips_credentials else ()
        extra = {name: value for name, value in job.extra.items() if name not in hidden}
        return [job.number, job.prompt_id, copied(job.workflow), extra, list(job.outputs)]

    def listed(self, limit: int | None, offset: int) -> dict[str, Any]:
        """Return the body of GET /api/jobs, newest job first. Deleted jobs are not listed."""
        jobs = [job for job in reversed(self.jobs) if job.status != "deleted"]
        page = jobs[offset:] if limit is None else jobs[offset : offset + limit]
        entries = [
            {
                "id": job.prompt_id,
                "status": job.status,
                "priority": job.number,
                "create_time": int(job.created * 1000),
                "outputs_count": 0,
                "previewable_outputs_count": 0,
                **_workflow_id(job),
            }
            for job in page
        ]
        pages = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": offset + len(page) < len(jobs)}
        return {"jobs": entries, "pagination": pages}


class Comfy0364(Comfy):
    """October 2025: no create_time, no list of jobs, and credentials are shown."""

    version = "0.3.64"
    dates_jobs = False
    strips_credentials = False


class Comfy080(Comfy):
    """January 2026."""

    version = "0.8.0"
    interrupted = "failed"


class Comfy0330(Comfy):
    """August 2026: ids are UUIDs, one job can be cancelled, and other sites are refused."""

    version = "0.33.0"
    interrupted = "cancelled"
    wants_uuids = True
    cancels = True
    checks_site = True

    def _unknown(self, name: str, class_type: str) -> dict[str, Any]:
        message = f"Node '{class_type}' not found. The custom node may not be installed."
        extra = {"node_id": name, "class_type": class_type, "node_title": class_type}
        return _error("missing_node_type", message, f"Node ID '#{name}'", **extra)


VERSIONS: Final[dict[str, type[Comfy]]] = {board.version: board for board in (Comfy0364, Comfy080, Comfy0330)}
NOT_CANONICAL: Final = (
    "prompt_id must be a UUID string in canonical lowercase hyphenated form; omit it to let the server generate one"
)


def _workflow_id(job: Job) -> dict[str, Any]:
    assert isinstance(job, ComfyJob)
    editor = job.extra.get("extra_pnginfo", {}).get("workflow", {})
    return {"workflow_id": editor["id"]} if "id" in editor else {}


def _error(kind: str, message: str, details: str, **extra: str) -> dict[str, Any]:
    error = {"type": kind, "message": message, "details": details, "extra_info": extra}
    return {"error": error, "node_errors": {}}


def _is_canonical(name: Any) -> bool:
    if name is None:
        return True
    try:
        return isinstance(name, str) and str(uuid.UUID(name)) == name
    except ValueError:
        return False


class ComfyUI(Reference):
    """The server of one version of ComfyUI: routing, errors and the check of Origin, as aiohttp and ComfyUI do them."""

    board: Comfy

    def __init__(self, board: type[Comfy], clock: Callable[[], float] = time.time) -> None:
        super().__init__(Variant("comfyui", board.__doc__ or "", board=board), path="/api/queue", clock=clock)

    def answer(self, ask: IncomingRequest) -> Reply:
        """Return the response to one request."""
        now = self._clock()
        self.board.advance(now)
        blank = Reply(headers={"Date": formatdate(now, usegmt=True), "Server": "Python/3.11 aiohttp/3.14.5"})
        try:
            return self._check_origin(ask, blank)
        except (CrashError, ValueError, TypeError, AttributeError, KeyError):
            text = b"500 Internal Server Error\n\nServer got itself in trouble"
            return replace(_plain(blank, text), status=500).having(connection="close")

    def _check_origin(self, ask: IncomingRequest, blank: Reply) -> Reply:
        foreign = self._is_foreign(ask)
        if self.board.checks_site and ask.header("sec-fetch-site") == "cross-site":
            foreign = True
        return replace(blank, status=403) if foreign else self._route(ask, blank)

    def _is_foreign(self, ask: IncomingRequest) -> bool:
        """Whether this server is on loopback and a browser sends the request from a page of another site."""
        origin = ask.header("origin")
        if origin is None:
            return False
        asked = urlsplit("//" + (ask.header("host") or "127.0.0.1").lower())
        parsed = urlparse(origin)
        here: str | None = asked.netloc
        there: str | None = parsed.netloc.lower()
        if parsed.port is None:
            here = asked.hostname
        if asked.port is None:
            there = parsed.hostname
        return bool(here and there and here != there and _is_loopback(asked.hostname))

    def _route(self, ask: IncomingRequest, blank: Reply) -> Reply:
        path = ask.path.removeprefix("/api")
        known = {"/queue", "/prompt", "/interrupt", "/object_info", "/system_stats"}
        known |= {"/jobs"} if self.board.interrupted else set()
        method = "GET" if ask.method == "HEAD" else ask.method
        if method == "OPTIONS":
            return blank
        if method == "POST" and (reply := self._post(path, ask, blank)) is not None:
            return reply
        if method == "GET" and "/jobs" in known and path.startswith("/jobs/"):
            jobs = self.board.listed(None, 0)["jobs"]
            found = next((job for job in jobs if job["id"] == path.removeprefix("/jobs/")), None)
            return _json(blank, *((200, found) if found else (404, {"error": "Job not found"})))
        if method == "GET" and path in known - {"/interrupt"}:
            return _json(blank, 200, self._content(path, ask))
        if method == "GET":
            return replace(blank, status=404).having(content_type="application/octet-stream")
        allowed = ALLOWED if path in {"/queue", "/prompt"} else "POST" if path == "/interrupt" else "GET,HEAD"
        return replace(_plain(blank, b"405: Method Not Allowed"), status=405).having(allow=allowed)

    def _post(self, path: str, ask: IncomingRequest, blank: Reply) -> Reply | None:
        if path == "/prompt":
            return _json(blank, *self.board.submit(json.loads(ask.body)))
        if path == "/queue":
            return _json(blank, *self.board.manage(json.loads(ask.body)))
        if path == "/interrupt":
            try:
                asked = json.loads(ask.body)
            except ValueError:
                asked = {}
            return _json(blank, *self.board.interrupt(asked))
        parts = path.strip("/").split("/")
        if self.board.cancels and parts[0] == "jobs" and parts[-1] == "cancel" and len(parts) in {2, 3}:
            names = [parts[1]] if len(parts) == 3 else json.loads(ask.body)["job_ids"]
            done = [self.board.cancel(name) for name in names]
            return _json(blank, 200, {"cancelled": any(done)})
        return None

    def _content(self, path: str, ask: IncomingRequest) -> object:
        if path == "/queue":
            self.reads += ask.method == "GET"
            return self.board.snapshot()
        if path == "/jobs":
            query = {name: values[-1] for name, values in parse_qs(ask.query).items()}
            limit = int(query["limit"]) if "limit" in query else None
            return self.board.listed(limit, int(query.get("offset", "0")))
        shown: dict[str, object] = {
            "/prompt": {"exec_info": {"queue_remaining": self.board.remaining()}},
            "/object_info": {name: {"name": name} for name in self.board.classes},
            "/system_stats": {"system": {"os": "linux", "comfyui_version": self.board.version}, "devices": []},
        }
        return shown[path]


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def _plain(blank: Reply, text: bytes) -> Reply:
    return blank.having(text, content_type="text/plain; charset=utf-8")


def _json(blank: Reply, status: int, value: object) -> Reply:
    if value is None:
        return replace(blank, status=status)
    body = json.dumps(value).encode()
    return replace(blank, status=status).having(body, content_type="application/json; charset=utf-8")


@contextmanager
def serving_comfyui(version: str, *, step: float = 0.02) -> Iterator[tuple[Endpoint, Comfy]]:
    """Serve the imitation of a version on a free loopback port. Each node of a workflow takes ``step`` seconds."""
    quick = type("Quick", (VERSIONS[version],), {"step": step, "__doc__": VERSIONS[version].__doc__})
    server = ComfyUI(quick)
    with Endpoint(server, "127.0.0.1", 0, "") as endpoint:
        yield endpoint, server.board
