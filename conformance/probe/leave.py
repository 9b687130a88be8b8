"""The user's permission to change a server: which requests are allowed, and which jobs belong to the run."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from conformance.contract.clauses.lifecycle_remove import MALFORMED
from conformance.contract.conversation import ENDED, NOT_NOW, OK
from conformance.contract.reading.body import LISTS, Reading
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS
from conformance.exchange.model import Exchange, Operation, Request, Response

IDS: Final = ("prompt_id", "id", "job_id")
"""Names of members that may contain the id of a job, if a server lists jobs as objects."""


INTERRUPTS_BY_ID: Final = (0, 3, 57)
"""The first version of ComfyUI whose interrupt stops only the job with the given id (pull request 9607)."""
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_VERSION: Final = re.compile(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job in a response of GET /api/queue. ``id`` is "" if it has none. ``own`` says that the run submitted it.

    ``whole`` is False if the job is not an array with an id but, for example, an object or a string.
    """

    id: str
    pending: bool
    own: bool
    whole: bool = True


class Leave:
    """The user's permission to submit ``prompts`` jobs and to remove them, and what is known about these jobs.

    ``clear`` permits clearing the queue if it contains only jobs of this run. ``bare`` permits an interrupt that stops
    any running job, if only jobs of this run are in the queue. The client passes each request to ``refusal`` before it
    sends it, and each finished exchange to ``note``. ``token`` is part of every workflow of the run: a job that
    contains it belongs to the run, even if the response to its submission was lost.
    """

    def __init__(self, *, prompts: int = 0, clear: bool = False, bare: bool = False, token: str = "") -> None:
        self.token = token or new_token()
        self.prompts = prompts
        self.clear = clear
        self.bare = bare
        self.cancels: bool | None = None
        """Whether the server can cancel a job by its id. None until a cancel was tried."""
        self.interrupts = True
        """False once the server has refused an interrupt."""
        self.interrupts_by_id: bool | None = None
        """Whether an interrupt stops only the job with the given id, judged by the server's version. None if that is
        unknown.
        """
        self.own: dict[str, str] = {}
        """The run's own jobs: for each id in lower case, the id as the server spells it."""
        self.waiting: set[str] = set()
        """Ids, in lower case, of the run's jobs that were last seen pending, or not seen yet, and were not deleted."""
        self.there: set[str] = set()
        """Ids, in lower case, of the run's jobs that the last GET of the queue listed."""
        self.seen = False
        """Whether any GET of the queue has listed a job of this run as an array with an id."""
        self.unlisted: set[str] = set()
        """Ids, in lower case, of the run's jobs that may exist although no GET of the queue has listed them yet."""
        self.shared = False
        """Whether any GET of the queue has listed another user's job."""
        self.ended: set[str] = set()
        """Ids, in lower case, of jobs that have ended according to GET /api/jobs, also jobs of other users."""
        self.unanswered = 0
        """The number of submissions that got no usable response, so that it is unknown whether their jobs exist."""
        self.listed: tuple[ListedJob, ...] | None = None
        """The jobs in the last response. None if the last request was not a GET of the queue or did not get the
        queue.
        """
        self._made_up: set[str] = set()

    @classmethod
    def to_remove(cls, leaves: Iterable[Leave], token: str, *, bare: bool = False) -> Leave:
        """Return the permission to remove the jobs of several ``Leave`` objects.

        Their tokens must begin with ``token``.
        """
        joined = cls(token=token, bare=bare)
        for leave in leaves:
            joined.own |= leave.own
            joined.waiting |= leave.waiting
            joined.there |= leave.there
            joined.unlisted |= leave.unlisted
            joined.seen = joined.seen or leave.seen
            joined.unanswered += leave.unanswered
        return joined

    def make_up_id(self) -> str:
        """Return a new random id, which no job has. A delete of it is allowed."""
        made_up = str(uuid.uuid4())
        self._made_up.add(made_up)
        return made_up

    @property
    def alone(self) -> bool:
        """Whether the last GET of the queue listed only jobs of this run, each as an array with an id."""
        return self.listed is not None and all(job.own and job.whole for job in self.listed)

    @property
    def may_interrupt(self) -> bool:
        """Whether an interrupt that names a job of this run is safe: as far as known, it cannot stop any other job."""
        return bool(self.interrupts_by_id) or (self.bare and self.alone)

    @property
    def left(self) -> tuple[str, ...]:
        """The ids of the run's jobs that may still be in the queue: listed, last seen pending, or never seen."""
        return tuple(sorted(self.own[name] for name in self.waiting | self.there | self.unlisted))

    @property
    def unknown(self) -> int:
        """The number of submissions whose outcome is unknown; 0 if the last GET of the queue shows which jobs exist."""
        return self.unanswered if self.listed is None else 0

    def own_listed(self, *, pending: bool | None = None) -> list[str]:
        """Return the ids of the run's jobs in the last GET of the queue: all of them, the pending, or the running."""
        return [job.id for job in self.listed or () if job.own and pending in {None, job.pending}]

    def refusal(self, method: str, operation: Operation | None, body: bytes, job: str = "") -> str | None:
        """Return why a request that changes the server must not be sent; None if it may be sent.

        ``job`` is the id in its URL.
        """
        if operation is None or not operation.writes or method != operation.method:
            return f"{method} changes the server and is not a permitted operation"
        if operation is Operation.SUBMIT:
            return self._refusal_to_submit(body)
        if operation is Operation.INTERRUPT:
            return self._refusal_to_interrupt(body)
        if operation is Operation.CANCEL:
            return None if nameable(job) and job.lower() in self.own else "only a job of this run may be cancelled"
        return self._refusal_to_remove(body)

    def _refusal_to_submit(self, body: bytes) -> str | None:
        if self.prompts < 1:
            return "no further job may be submitted"
        if self.token.encode() not in body:
            return "a job without the mark of this run could not be distinguished from another user's"
        return None

    def _refusal_to_interrupt(self, body: bytes) -> str | None:
        content = _parse(body)
        named = content.get("prompt_id") if isinstance(content, dict) else None
        if str(named).lower() not in self.own:
            return "only a job of this run may be interrupted"
        # The published document has no id here: any running job would be interrupted.
        if self.may_interrupt:
            return None
        if self.alone:
            return "an interrupt may stop any job, which needs --interrupt on a host that is not loopback"
        return "an interrupt could stop a job that does not belong to this run"

    def _refusal_to_remove(self, body: bytes) -> str | None:
        if body in MALFORMED:
            return None
        content = _parse(body)
        if not isinstance(content, dict) or not content.keys() <= {"delete", "clear"}:
            return "the body is neither a list of jobs of this run to delete nor a request without effect"
        named = content.get("delete", [])
        if not isinstance(named, list) or not {str(name).lower() for name in named} <= self.own.keys() | self._made_up:
            return "only jobs of this run may be deleted"
        if content.get("clear", False) is False:
            return None
        if content["clear"] is not True or not self.clear:
            return "clearing the queue was not allowed (--clear)"
        return None if self.alone else "clearing the queue would remove jobs that do not belong to this run"

    def note(self, exchange: Exchange) -> None:
        """Update what is known about the run's jobs from a finished exchange."""
        request, response = exchange.request, exchange.response
        if request.operation is Operation.SUBMIT:
            self.prompts -= response is None or response.status == OK
            answer = None if response is None or response.status != OK else _parse(response.content)
            found = answer.get("prompt_id") if isinstance(answer, dict) else None
            if isinstance(found, str):
                self.own.setdefault(found.lower(), found)
                self.waiting.add(found.lower())
                if found.lower() not in self.there:
                    self.unlisted.add(found.lower())
            elif response is None or response.status == OK:
                self.unanswered += 1
        if request.operation is Operation.MANAGE and response is not None and response.status == OK:
            deleted = _ids_in(request.body, "delete")
            self.waiting -= deleted
            # until a GET of the queue has listed our jobs, a 200 does not prove that a job is gone
            self.unlisted -= deleted if self.seen else deleted & _ids_in(response.content, "deleted")
        if request.operation in {Operation.CANCEL, Operation.INTERRUPT, Operation.STATS}:
            self._note_stopping(request, response)
        if request.operation is Operation.JOBS and response is not None and response.status == OK:
            self.ended |= _ended_ids(response.content)
            self.waiting -= self.ended
            self.unlisted -= self.ended
        if request.method != "GET" or request.usual:
            self.listed = None
        if request.usual and response is not None and response.status == OK:
            self.listed = self._listed(Reading(response.content, AS_THE_DOCUMENT_SAYS))

    def _note_stopping(self, request: Request, response: Response | None) -> None:
        """Update what is known about how running jobs can be stopped."""
        if response is None or response.status in NOT_NOW:
            return
        content = _parse(response.content) if response.status == OK else None
        if request.operation is Operation.STATS:
            self.interrupts_by_id = _version(content) >= INTERRUPTS_BY_ID
        elif request.operation is Operation.INTERRUPT:
            self.interrupts = response.status == OK
        else:
            self.cancels = isinstance(content, dict) and content.get("cancelled") is not False
            if isinstance(content, dict) and content.get("cancelled") is True:
                gone = request.url.rpartition("/")[0].rpartition("/")[2].lower()
                self.waiting.discard(gone)
                self.unlisted.discard(gone)

    def _listed(self, reading: Reading) -> tuple[ListedJob, ...] | None:
        """Return the jobs in a response of GET /api/queue, and add those with the token to the run's own jobs.

        A job is recognised by its id even if it is not an array, so that it can be removed. A list may be absent or
        null. Returns None if the body is not a queue, or if a job of the run has no id.
        """
        body = reading.document.value
        if not isinstance(body, dict) or not all(isinstance(body.get(name), list | None) for name in LISTS):
            return None
        listed = []
        marked = self.token.encode() in reading.content
        for pending, element in reading.elements:
            named, whole = _id_of(element.value)
            key = named.lower()
            if marked and key not in self.own and self.token in json.dumps(element.value, default=str):
                if not named:
                    return None
                self.own[key] = named
            own = bool(named) and key in self.own
            if own:
                (self.waiting.add if pending else self.waiting.discard)(key)
            listed.append(ListedJob(named, pending, own, whole))
        self.there = {job.id.lower() for job in listed if job.own}
        self.unlisted -= self.there
        self.seen = self.seen or any(job.own and job.whole for job in listed)
        self.shared = self.shared or not all(job.own for job in listed)
        return tuple(listed)


def nameable(job: str) -> bool:
    """Whether an id may be put into a URL path: only a UUID, because other ids from a server may contain any text."""
    return bool(_UUID.fullmatch(job))


def _version(content: Any) -> tuple[int, ...]:
    """Return the version of ComfyUI in the parsed body of GET /api/system_stats, or () if it has none."""
    system = content.get("system") if isinstance(content, dict) else None
    version = system.get("comfyui_version") if isinstance(system, dict) else None
    found = _VERSION.match(version) if isinstance(version, str) else None
    return tuple(map(int, found.groups())) if found else ()


def new_token() -> str:
    """Return 16 random hexadecimal digits, to mark the workflows of a run."""
    return secrets.token_hex(8)


def _id_of(element: Any) -> tuple[str, bool]:
    """Return the id of a listed job ("" if it has none), and whether the job is an array with an id."""
    if isinstance(element, list):
        found = element[1] if len(element) > 1 else None
        return (found, True) if isinstance(found, str) else ("", False)
    if isinstance(element, dict):
        element = next((element[name] for name in IDS if isinstance(element.get(name), str)), "")
    return (element, False) if isinstance(element, str) else ("", False)


def _ids_in(body: bytes, member: str) -> set[str]:
    """Return the ids, in lower case, in the list ``member`` of a JSON object."""
    found = _parse(body)
    named = found.get(member) if isinstance(found, dict) else None
    return {str(name).lower() for name in named} if isinstance(named, list) else set()


def _ended_ids(body: bytes) -> set[str]:
    """Return the ids, in lower case, of the jobs that have ended, from the body of GET /api/jobs."""
    content = _parse(body)
    jobs = content.get("jobs") if isinstance(content, dict) else None
    entries = [job for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else []
    return {str(job.get("id")).lower() for job in entries if job.get("status") in ENDED}


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
