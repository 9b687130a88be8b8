"""Runs against the reference endpoint without a network, on a simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from conformance.contract.terms import Dialect
from conformance.exchange.codings import decode
from conformance.exchange.headers import Headers, values
from conformance.exchange.model import NoResponse, Problem, Response
from conformance.exchange.secrets import Secret
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.deviations.register import Register
from conformance.judge.report import Report
from conformance.probe.client import Client
from conformance.probe.limits import Bounds, ServerChanges
from conformance.probe.plan import follow
from conformance.probe.populate import Populating, leave_for
from conformance.probe.requests import Required
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.message import HangUpError, IncomingRequest
from conformance.reference.server import KEY
from conformance.reference.variants import VARIANTS
from conformance.run.settings import Settings

START = 1_795_000_000.25
"""The start of the simulated clock, in seconds since the epoch."""
TRIP = 0.004
"""Simulated seconds from a request to its response."""
POPULATE = ServerChanges(populate=True, clear=True)


class Clock:
    """A simulated clock, in seconds since the epoch. ``now`` can be set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Played(Client):
    """A client whose requests go directly to a reference endpoint.

    Each request takes TRIP seconds of simulated time.
    """

    def __init__(  # noqa: PLR0913 - one parameter for each part of a run
        self,
        reference: Reference,
        clock: Clock,
        server_changes: ServerChanges | None,
        bounds: Bounds | None = None,
        host: str = "127.0.0.1",
        *,
        required: Required | None = None,
    ) -> None:
        self.reference = reference
        self.clock = clock
        self.sent = 0
        self.heard: list[Headers] = []
        """The header fields of each request, as the endpoint received them."""
        self.on_answer: Callable[[str, str], None] = lambda _method, _url: None
        """Called with method and URL when the endpoint has handled a request, before the response arrives."""
        self.base = f"http://{host}"
        leave = None if server_changes is None else leave_for(server_changes, loopback=host == "127.0.0.1")
        key = None if reference.key is None else Secret(reference.key)
        url, bounds = f"{self.base}{reference.path}", bounds or Bounds(max_requests=900)
        super().__init__(url, key, bounds, leave=leave, required=required)
        self._wall = self._clock  # use the simulated clock as the wall clock too

    def monotonic(self) -> float:
        return self.clock.now

    async def sleep(self, seconds: float) -> None:
        self.clock.now += seconds
        await asyncio.sleep(0)

    async def _send(
        self, method: str, url: str, headers: Headers, body: bytes = b""
    ) -> tuple[Response | None, Problem | None]:
        path, _, query = url.removeprefix(self.base).partition("?")
        self.heard.append(headers)
        self.clock.now += TRIP / 2
        try:
            reply = self.reference.answer(IncomingRequest(method, path, query, headers, body=body))
        except HangUpError:
            return None, Problem(NoResponse.BROKEN, "the connection was closed without a response")
        self.sent += 1
        self.on_answer(method, url)
        await asyncio.sleep(0)
        self.clock.now += TRIP / 2
        head = reply.wire(method).partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        fields = tuple((name, value) for name, _, value in (line.partition(": ") for line in head))
        bodiless = method == "HEAD" or reply.status in {204, 304}
        if not bodiless and sum(map(int, values(fields, "content-length"))) > len(reply.body):
            return None, Problem(NoResponse.BROKEN, "the body is shorter than its Content-Length", begun=True)
        codings = values(fields, "content-encoding")
        content, coding_error = (b"", None) if bodiless else decode(reply.body, codings, self._bounds.max_body)
        return Response(reply.status, fields, content, coding_error), None

    @property
    def can_inspect(self) -> bool:
        return False


@dataclass
class Run:
    """A finished run: the client with its exchanges, why it was stopped, and the lines that it printed."""

    client: Played
    _populating: Populating | None
    stopped: str | None
    said: list[str]
    dialect: str = "cloud"

    @property
    def populating(self) -> Populating:
        """The part of the run that submitted the jobs."""
        assert self._populating is not None
        return self._populating


def endpoint(variant: str = "takes-jobs", fault: str | None = None) -> tuple[Reference, Clock]:
    """Return the reference endpoint with a variant or a fault, and its clock. A fault selects its own variant."""
    clock = Clock()
    broken = FAULTS[fault] if fault else None
    ground = VARIANTS[broken.variant if broken else variant]
    key = (ground.key or KEY) if ground.needs_key else None
    return Reference(ground, broken, path="/api/queue", clock=clock, key=key), clock


def played(
    variant: str = "takes-jobs",
    fault: str | None = None,
    server_changes: ServerChanges = POPULATE,
    *,
    bounds: Bounds | None = None,
    dialect: str = "cloud",
) -> Run:
    """Return a whole run against the reference endpoint, including submitting and removing jobs."""
    reference, clock = endpoint(variant, fault)
    return ran(reference, clock, server_changes, bounds=bounds, dialect=dialect)


def ran(  # noqa: PLR0913 - one parameter for each part of a run
    reference: Reference,
    clock: Clock,
    server_changes: ServerChanges | None,
    *,
    bounds: Bounds | None = None,
    dialect: str = "cloud",
    host: str = "127.0.0.1",
) -> Run:
    """Return a whole run against an endpoint. If ``server_changes`` is None, the run only reads."""
    client = Played(reference, clock, server_changes, bounds, host)
    said: list[str] = []

    async def plan() -> str | None:
        return await follow(client, keyed=reference.key is not None, max_requests=client._bounds.max_requests)

    if server_changes is None:
        return Run(client, None, asyncio.run(plan()), said, dialect)
    populating = Populating(
        client,
        server_changes,
        plan,
        said.append,
        max_requests=client._bounds.max_requests,
        priorities=dialect != Dialect.OSS,
    )
    return Run(client, populating, asyncio.run(populating.run()), said, dialect)


def judged(run: Run, deviations: Register | None = None) -> Report:
    """Return the report on a run, with a register of known deviations if one is given."""
    transcript = Transcript(tuple(run.client.ledger), "played", START, run.client.monotonic(), run.stopped)
    settings = Settings(dialect=Dialect(run.dialect), server_changes=POPULATE, deviations=deviations)
    return report_on(transcript, settings.judging)
