"""The report of a run, as frozen values. ``compliance.json`` is the encoded report.

The JSON Schema in ``conformance/render`` is generated from these classes (``tools/report_schema.py``).
Members may be added, but never changed or removed: other programs read the format.
"""

from __future__ import annotations

import enum
from typing import Final, Literal

import msgspec

from conformance.contract.clause import Source
from conformance.judge.exchanges import Body, Kept, KeptAnswer, RecordedExchange, RecordedRequest, RecordedResponse
from conformance.judge.past import (
    Change,
    ChangeKind,
    ClauseHistory,
    Diff,
    History,
    Outage,
    OverTimeOutcome,
    PastRun,
    RunAt,
    Span,
)
from conformance.judge.statuses import EXERCISED, Counts, Fingerprint, Status, Value, Verdict

__all__ = [
    "EXERCISED",
    "Body",
    "Change",
    "ChangeKind",
    "ClauseHistory",
    "Counts",
    "Diff",
    "Fingerprint",
    "History",
    "Kept",
    "KeptAnswer",
    "Outage",
    "OverTimeOutcome",
    "PastRun",
    "RecordedExchange",
    "RecordedRequest",
    "RecordedResponse",
    "RunAt",
    "Span",
    "Status",
    "Value",
    "Verdict",
]
"""The parts of a report that other modules define. All of them can be imported from here."""

SCHEMA_VERSION: Final = 1
FINGERPRINTS: Final = 100
"""Maximum number of fingerprints that are kept for a clause. If this many are kept, there may be more."""


class Excerpt(Value, frozen=True, kw_only=True):
    """A piece of a body around the place of a violation (``marked``), made printable."""

    before: str
    marked: str
    after: str


class Evidence(Value, frozen=True, kw_only=True):
    """A violation of a clause: in which exchange, at which place, what was expected and what the server sent.

    ``more`` counts further violations in this response that are not listed, because they differ from this one only in
    the indices in their place. ``last`` is the place of the last of these. ``seen_in`` has the ids of up to 20 other
    exchanges with the same violation. ``kind`` is a stable word for the cause, or "" if the clause has only one kind.
    """

    exchange: str
    pointer: str | None
    expected: str
    got: str
    message: str
    hint: str | None = None
    more: int = 0
    last: str | None = None
    seen_in: tuple[str, ...] = ()
    excerpt: Excerpt | None = None
    kind: str = ""


class SmallestRequest(Value, frozen=True, kw_only=True):
    """The smallest generated request, or sequence of requests, that broke a clause.

    ``exchanges`` has the ids of its requests, and ``curl`` has bash lines that send them again. The request was sent
    again ``asked`` times, and broke the clause ``broken`` of these times. Normal GETs of the queue, sent before for
    comparison, broke the clause ``plain_broken`` of ``plain_asked`` times.
    """

    exchanges: tuple[str, ...]
    curl: tuple[str, ...]
    asked: int
    broken: int
    plain_asked: int
    plain_broken: int


class Moment(Value, frozen=True, kw_only=True):
    """One second of a load test: its RFC 3339 time, the requests that ended in it, and the users at its end."""

    at: str
    requests: int
    users: int


class SeenUnderLoad(Value, frozen=True, kw_only=True):
    """When a clause was first and last broken during a load test, and the load at these moments."""

    first: Moment
    last: Moment


class ClauseResult(Value, frozen=True, kw_only=True):
    """The result of one clause in a run.

    ``judged`` counts the responses to which the clause applied, ``breached`` those that violate it. ``evidence`` lists
    some violations. ``fingerprints`` covers all of them, up to ``FINGERPRINTS``. ``waiver`` says why a violation is a
    known deviation.
    """

    id: str
    title: str
    level: Literal["must", "should", "info"]
    status: Status
    reason: str
    core: bool
    since: int
    judged: int
    breached: int
    source: Source
    evidence: tuple[Evidence, ...] = ()
    waiver: str | None = None
    why: str = ""
    smallest: SmallestRequest | None = None
    fingerprints: tuple[Fingerprint, ...] = ()
    under_load: SeenUnderLoad | None = None


class MadeFrom(Value, frozen=True, kw_only=True):
    """The older report whose responses were checked again: its file, its results, and when that was done."""

    file: str
    judged: str
    suite_version: str
    document_sha256: str
    dialect: str
    edition: int
    verdict: Verdict
    verdict_reason: str


class Run(Value, frozen=True, kw_only=True):
    """How and when a run was made. ``start`` and ``end`` are RFC 3339 times in UTC.

    ``options`` has the values of all options. ``partial`` means that not everything was checked. ``read_as`` is the
    dialect whose order of elements was required (``auto`` if it could not be detected), and ``read_because`` says why.
    ``selected`` says how the user selected clauses. ``stopped`` says why some requests were not sent. ``unread`` has
    the parts of recordings that could not be read. ``recorded`` means that files were checked and no request was sent.
    A report that was made from an older one (``made_from``) has the target and the times of that run.
    """

    suite_version: str
    document_sha256: str
    target: str
    dialect: str
    options: dict[str, str | int | float | bool | None]
    seed: int | None
    start: str
    end: str
    partial: bool
    read_as: str = "cloud"
    read_because: str = ""
    selected: str | None = None
    edition: int = 1
    stopped: str | None = None
    made_from: MadeFrom | None = None
    unread: tuple[str, ...] = ()
    recorded: bool = False
    uncompared: str | None = None
    """In words, how many GETs of the queue were not compared with one another because they list too many jobs, or None.
    """


class BrokenByGenerated(Value, frozen=True, kw_only=True):
    """A clause that generated requests break although normal GETs of the queue do not.

    ``clause`` is "" if a generated request got no complete response. ``times`` counts the generated requests that broke
    the clause, without those that were sent to reduce a failing request to a smaller one.
    """

    clause: str
    times: int
    smallest: SmallestRequest


class GeneratedFamily(Value, frozen=True, kw_only=True):
    """The generated requests of one family (group of parameters): how many were sent, and what they broke."""

    name: str
    sent: int
    broken: tuple[BrokenByGenerated, ...] = ()


class GeneratedRequests(Value, frozen=True, kw_only=True):
    """The results of generated requests: ``examples`` of ``wanted`` requests were sent.

    ``stopped`` says why fewer than ``wanted`` requests were sent, or is None. ``no_answer`` is the smallest request
    that got no complete response, or None. ``operation`` names the operation, such as ``GET /api/queue``, ``document``
    is the SHA-256 of the OpenAPI document, and ``schemathesis`` the version that generated the requests.
    ``cross_checked`` counts distinct responses that were also checked against the JSON Schema of the document, and
    ``not_cross_checked`` those that were too large for that or for which no time was left. ``unsent`` has the values
    that the user's own document declares and that were not sent, such as ``?depth=7``.
    """

    examples: int
    wanted: int
    stopped: str | None
    no_answer: SmallestRequest | None
    operation: str = ""
    document: str = ""
    schemathesis: str = ""
    families: tuple[GeneratedFamily, ...] = ()
    cross_checked: int = 0
    not_cross_checked: int = 0
    unsent: tuple[str, ...] = ()

    def family(self, name: str) -> GeneratedFamily:
        """Return the results of the family with this name."""
        return next((each for each in self.families if each.name == name), GeneratedFamily(name=name, sent=0))


class State(enum.StrEnum):
    """The state of an entry in the file of known deviations after a run: whether the failure still occurs."""

    HOLDS = "holds"
    NOT_EXERCISED = "not-exercised"
    NOT_SEEN = "not-seen"
    EXPIRED = "expired"
    STALE = "stale"
    UNKNOWN_CLAUSE = "unknown-clause"


class KnownDeviation(Value, frozen=True, kw_only=True):
    """An entry in the file of known deviations that applies to the run. ``entry`` is its number in the file, from 1."""

    entry: int
    state: State
    clause: str
    place: str
    kind: str
    reason: str
    issue: str
    owner: str
    since: str
    expires: str
    intermittent: bool


class Waiver(Value, frozen=True, kw_only=True):
    """A known deviation: the clause, and ``expires``, the last day on which its violation is waived."""

    clause: str
    expires: str
    owner: str
    reason: str


class DeviationProblem(Value, frozen=True, kw_only=True):
    """A problem with the file of known deviations. ``entry`` is None for a failure that no entry covers."""

    problem: Literal["expired", "stale", "unknown-clause", "other-fingerprint"]
    clause: str
    fingerprint: Fingerprint
    message: str
    entry: int | None = None


class Deviations(Value, frozen=True, kw_only=True):
    """The result of applying a file of known deviations to a run.

    Any of ``problems`` makes the exit status 1. The verdict is about the server, and ignores them.
    """

    file: str
    known: tuple[KnownDeviation, ...]
    problems: tuple[DeviationProblem, ...]


class LoadSecond(Value, frozen=True, kw_only=True):
    """One second of a load test. ``at`` is in seconds since the Unix epoch.

    ``broken`` counts the responses that violate a must clause.
    """

    at: int
    requests: int
    broken: int
    users: int


class LatencyBySize(Value, frozen=True, kw_only=True):
    """Response times in seconds for bodies of at most ``up_to`` bytes. None stands for all larger bodies."""

    up_to: int | None
    answers: int
    p50: float
    p95: float
    longest: float


class LoadRun(Value, frozen=True, kw_only=True):
    """The requests of a load test. ``statuses`` counts the GETs of the queue by status.

    ``problems`` counts the requests without a complete response by cause. ``beside`` counts other requests, such as
    submissions, by status. The report of a load test has only the exchanges that its evidence names.
    """

    requests: int
    statuses: dict[str, int]
    problems: dict[str, int]
    seconds: tuple[LoadSecond, ...]
    latency: tuple[LatencyBySize, ...]
    beside: dict[str, int] = msgspec.field(default_factory=dict)


class OwnJobs(Value, frozen=True, kw_only=True):
    """The jobs of the run itself: how many prompts it submitted, and how many the server accepted (``taken``).

    ``left`` has the ids of jobs that could not be removed and may still be in the queue.
    """

    submitted: int
    taken: int
    left: tuple[str, ...]


class Server(Value, frozen=True, kw_only=True):
    """The result of one of several servers in a recording. ``exchanges`` is the number of its exchanges.

    The clauses and the verdict of the report are the worst of all servers.
    """

    server: str
    verdict: Verdict
    verdict_reason: str
    read_as: str
    exchanges: int
    counts: Counts


class Report(Value, frozen=True, kw_only=True):
    """The report of one run. ``bodies``, by the SHA-256 of the body, is set with ``--full-bodies``.

    ``servers`` is set if a recording contains several servers. Each of them is checked separately.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    run: Run
    verdict: Verdict
    verdict_reason: str
    counts: Counts
    clauses: tuple[ClauseResult, ...]
    exchanges: tuple[RecordedExchange, ...]
    properties: GeneratedRequests | None = None
    deviations: Deviations | None = None
    bodies: dict[str, Body] | None = None
    history: History | None = None
    load: LoadRun | None = None
    jobs: OwnJobs | None = None
    servers: tuple[Server, ...] = ()

    def clause(self, clause_id: str) -> ClauseResult:
        """Return the result of one clause. Raises KeyError if the run does not have it."""
        for result in self.clauses:
            if result.id == clause_id:
                return result
        raise KeyError(clause_id)


def encode(report: Report) -> bytes:
    """Return a report as the bytes of ``compliance.json``: UTF-8, indented by two spaces."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(data: bytes) -> Report:
    """Parse the bytes of ``compliance.json``. Raises msgspec.DecodeError (a ValueError) if they are not a report."""
    return msgspec.json.decode(data, type=Report)
