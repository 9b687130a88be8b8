"""The report of a run, as frozen values. ``compliance.json`` is the encoded report.

The JSON Schema beside this file is generated from these classes (``conformance/render/schema.py``).
Members may be added, but never changed or removed: other programs read the format.
"""

from __future__ import annotations

import enum
from typing import Final, Literal

import msgspec

from conformance.contract.clause import Source
from conformance.exchange.model import Problem, Wire

SCHEMA_VERSION: Final = 1
FINGERPRINTS: Final = 100
"""Maximum number of fingerprints that are kept for a clause. If this many are kept, there may be more."""


class Status(enum.StrEnum):
    """The status of one clause in a run."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    WARN = "warn"
    NOT_EXERCISED = "not-exercised"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    ERROR = "error"


EXERCISED: Final = (Status.PASS, Status.FAIL, Status.WARN, Status.WAIVED)


class Verdict(enum.StrEnum):
    """The verdict of a run."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"
    INCONCLUSIVE = "inconclusive"


ChangeKind = Literal[
    "failed", "warned", "changed", "error", "vanished", "waived", "fixed", "exercised", "added", "removed"
]
"""How the result of a clause changed between two runs, the worst change first."""


Outcome = Literal["worse", "better", "same", "unclear"]
"""How a run compares with an earlier one. It is unclear if nothing got worse but the newer run is inconclusive."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of all values in a report. They are frozen, and equal if their members are."""


class Excerpt(Value, frozen=True, kw_only=True):
    """A piece of a body around the place of a violation (``marked``), made printable."""

    before: str
    marked: str
    after: str


class Fingerprint(Value, frozen=True, kw_only=True):
    """Identifies a violation of a clause across runs, by its place and kind.

    ``place`` is a JSON Pointer into the body with ``*`` for indices and ``**`` for names that users chose, or None if
    the violation is not in the body. ``kind`` is a stable word for the cause, or "" if the clause has only one kind.
    """

    place: str | None
    kind: str = ""


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


class RecordedRequest(Value, frozen=True, kw_only=True):
    """A request that was sent, with keys redacted. ``credential`` says which key it had.

    ``purpose`` says why it was sent. ``body`` is the start of the request body, made printable, and ``size`` its length
    in bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    purpose: str = ""
    credential: str = "given"
    body: str = ""
    size: int = 0


class RecordedResponse(Value, frozen=True, kw_only=True):
    """A response. ``size`` (in bytes) and ``sha256`` are those of the decoded body, and ``excerpt`` is its start."""

    status: int
    headers: tuple[tuple[str, str], ...]
    size: int
    sha256: str
    excerpt: str


class KeptAnswer(Value, frozen=True, kw_only=True):
    """What is needed to check a response again, besides its body. The members are those of ``Response``."""

    headers: tuple[tuple[str, str], ...]
    coding_error: str | None
    head: bool
    http_version: str
    wire: Wire | None
    extent: Literal["whole", "cut", "unknown"] = "whole"
    verbatim: bool = True
    echoes: tuple[str, ...] = ()
    """Where the response contains the key of the request: names of header fields, and "" for the body."""


class Kept(Value, frozen=True, kw_only=True):
    """What is needed to check an exchange again, besides what the report shows. Set with ``--full-bodies``.

    ``started`` is in seconds since the Unix epoch. ``operation`` names the operation if the request is not to the
    queue, and ``sent`` is the request body. ``request_head`` is False if a recording lacks the headers of the request.
    ``own_query`` and ``own_headers`` are those that the OpenAPI document of the user requires, and ``own_parameters``
    names all parameters that it declares.
    """

    started: float | None
    to_queue: bool
    answer: KeptAnswer | None
    problem: Problem | None
    operation: str | None = None
    sent: Body | None = None
    request_head: bool = True
    own_query: str = ""
    own_headers: tuple[str, ...] = ()
    own_parameters: tuple[str, ...] = ()


class Body(Value, frozen=True, kw_only=True):
    """A whole decoded body. ``content`` is its text, or base64 if it is not UTF-8.

    In it, each byte of a user's key is replaced by another character.
    """

    encoding: Literal["utf-8", "base64"]
    content: str


class RecordedExchange(Value, frozen=True, kw_only=True):
    """A request and its response in the report. Every attempt of a request is listed. ``elapsed`` is in seconds.

    A ``superseded`` attempt was not checked: it was repeated on a new connection, or refused because the server had
    banned the suite. ``kept`` is set with ``--full-bodies``. ``server`` names the server if a recording contains
    several.
    """

    id: str
    request: RecordedRequest
    response: RecordedResponse | None
    error: str | None
    elapsed: float | None
    attempt: int
    superseded: bool = False
    kept: Kept | None = None
    server: str = ""


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
    beside: dict[str, int] = {}


class OwnJobs(Value, frozen=True, kw_only=True):
    """The jobs of the run itself: how many prompts it submitted, and how many the server accepted (``taken``).

    ``left`` has the ids of jobs that could not be removed and may still be in the queue.
    """

    submitted: int
    taken: int
    left: tuple[str, ...]


class Counts(Value, frozen=True, kw_only=True):
    """The number of clauses by status, of all (``total``), and of those that were checked (``exercised``)."""

    passed: int = msgspec.field(name="pass", default=0)
    fail: int = 0
    warn: int = 0
    not_exercised: int = msgspec.field(name="not-exercised", default=0)
    not_applicable: int = msgspec.field(name="not-applicable", default=0)
    waived: int = 0
    error: int = 0
    exercised: int = 0
    total: int = 0


class PastRun(Value, frozen=True, kw_only=True):
    """A run in a history of runs. ``number`` is its number in the history, or 0 if it is not in a history.

    ``failed_on_should`` says that warnings made the exit status 1 (``--fail-on-should``). ``p50`` and ``p95`` are the
    median and the 95th percentile of response times in seconds, None without responses. ``name`` is the name of the
    target, None if it has none. ``unreached`` says why the target was not reached, None if it was.
    """

    number: int
    target: str
    queue_path: str
    dialect: str
    start: str
    end: str
    verdict: Verdict
    reason: str
    partial: bool
    selected: str | None
    suite_version: str
    edition: int
    document_sha256: str
    counts: Counts
    failed_on_should: bool = False
    p50: float | None = None
    p95: float | None = None
    name: str | None = None
    read_as: str | None = None
    unreached: str | None = None


class RunAt(Value, frozen=True, kw_only=True):
    """The number of a run in a history, and its start as an RFC 3339 time."""

    number: int
    start: str


class Outage(Value, frozen=True, kw_only=True):
    """The latest consecutive runs that did not reach the target: the first of them, and their number."""

    since: RunAt
    runs: int


class Span(Value, frozen=True, kw_only=True):
    """Consecutive runs in which a clause had the same status. The status is None if they did not check the clause."""

    status: Status | None
    runs: int


class ClauseHistory(Value, frozen=True, kw_only=True):
    """The results of a clause over the runs of a history.

    ``spans`` covers the listed runs, oldest first. The other members cover the whole history: the last run that checked
    the clause, the status of the clause in that run, and, if that run broke it, the run since which it has been broken.
    """

    spans: tuple[Span, ...]
    last_exercised: RunAt | None
    last_status: Status | None
    broken_since: RunAt | None


class Change(Value, frozen=True, kw_only=True):
    """How the result of one clause changed between two runs.

    ``before`` and ``now`` are its statuses, None if the run does not have the clause. ``appeared`` are the fingerprints
    that only the newer run has, and ``gone`` those that only the older run has.
    """

    kind: ChangeKind
    clause: str
    title: str
    level: Literal["must", "should", "info"]
    core: bool
    before: Status | None
    now: Status | None
    worse: bool
    appeared: tuple[Fingerprint, ...] = ()
    gone: tuple[Fingerprint, ...] = ()


class Diff(Value, frozen=True, kw_only=True):
    """What changed from one run to another.

    ``notes`` has other differences between the runs, such as another dialect, which may explain changes. ``worse`` says
    in words what got worse. ``outage`` is set if the newer run did not reach the target. Then no clause is compared.
    """

    old: PastRun
    new: PastRun
    outcome: Outcome
    notes: tuple[str, ...]
    worse: tuple[str, ...]
    changes: tuple[Change, ...]
    outage: Outage | None = None


class History(Value, frozen=True, kw_only=True):
    """The last runs of a target, oldest first. The last one is the run of this report.

    A target is identified by its name, or if it has none, by its URL, path and dialect. ``total`` counts all of its
    runs in the history. ``diff`` compares this run with the last complete run before it that reached the target.
    """

    runs: tuple[PastRun, ...]
    total: int
    clauses: dict[str, ClauseHistory]
    diff: Diff | None
    outage: Outage | None = None


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
