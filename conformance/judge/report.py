"""The report: what a run found, as plain frozen values. ``compliance.json`` is the encoded report.

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
"""Fingerprints that are kept of a clause: if a clause has this many, there may be more."""


class Status(enum.StrEnum):
    """Status of one clause in a run."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    WARN = "warn"
    NOT_EXERCISED = "not-exercised"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    ERROR = "error"


EXERCISED: Final = (Status.PASS, Status.FAIL, Status.WARN, Status.WAIVED)


class Verdict(enum.StrEnum):
    """Verdict of a run."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"
    INCONCLUSIVE = "inconclusive"


ChangeKind = Literal[
    "failed", "warned", "changed", "error", "vanished", "waived", "fixed", "exercised", "added", "removed"
]
"""How a clause changed between two runs, in the order of the report: worse first."""


Outcome = Literal["worse", "better", "same", "unclear"]
"""How a run compares with an earlier one. Unclear: nothing got worse, and the newer run is inconclusive."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen value, compared and encoded by its members."""


class Excerpt(Value, frozen=True, kw_only=True):
    """A piece of a body around the place of a breach: ``before`` + ``marked`` + ``after``, made printable."""

    before: str
    marked: str
    after: str


class Fingerprint(Value, frozen=True, kw_only=True):
    """Identifies a breach of a clause across runs: place and kind, not the text.

    ``place`` is a JSON Pointer into the body with ``*`` for indices and ``**`` for names that users chose, None outside
    the body. ``kind`` is a stable word of the suite, "" if the clause has only one kind.
    """

    place: str | None
    kind: str = ""


class Evidence(Value, frozen=True, kw_only=True):
    """One breach, and how many more like it the same response has.

    ``more`` counts the unlisted findings in this response with the same clause, the same cause and the same place
    except for indices; ``last`` is the place of the last of them. ``seen_in`` names the other exchanges with the same
    breach (the first 20). ``kind`` is as in a fingerprint.
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

    ``exchanges`` has the ids of its requests, and ``curl`` has lines for bash that send them again. It was sent
    ``asked`` more times and broke the clause ``broken`` times; plain reads broke it ``plain_broken`` of
    ``plain_asked`` times.
    """

    exchanges: tuple[str, ...]
    curl: tuple[str, ...]
    asked: int
    broken: int
    plain_asked: int
    plain_broken: int


class Moment(Value, frozen=True, kw_only=True):
    """A second of a run under load: an RFC 3339 time, the requests that ended in it and the users at its end."""

    at: str
    requests: int
    users: int


class SeenUnderLoad(Value, frozen=True, kw_only=True):
    """When a clause was broken first and last, and the load at that moment."""

    first: Moment
    last: Moment


class ClauseResult(Value, frozen=True, kw_only=True):
    """The result of one clause in a run. ``judged`` and ``breached`` count responses.

    ``evidence`` is a selection; ``fingerprints`` covers all findings, up to ``FINGERPRINTS``.
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
    """A request as sent, with keys redacted. ``credential`` says which key it carried.

    ``body`` is the start of the request body, made printable, and ``size`` its length in bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    purpose: str = ""
    credential: str = "given"
    body: str = ""
    size: int = 0


class RecordedResponse(Value, frozen=True, kw_only=True):
    """A response: ``size`` in bytes and ``sha256`` are of the decoded body, ``excerpt`` is its start."""

    status: int
    headers: tuple[tuple[str, str], ...]
    size: int
    sha256: str
    excerpt: str


class KeptAnswer(Value, frozen=True, kw_only=True):
    """The parts of a response that are not shown, or not whole: all header fields, and errors of content codings."""

    headers: tuple[tuple[str, str], ...]
    coding_error: str | None
    head: bool
    http_version: str
    wire: Wire | None
    extent: Literal["whole", "cut", "unknown"] = "whole"
    verbatim: bool = True
    echoes: tuple[str, ...] = ()
    """Where the response repeats the key of the request: names of header fields, and "" for the body."""


class Kept(Value, frozen=True, kw_only=True):
    """The facts of an exchange that clauses read and that are not shown. ``started`` in seconds since the Unix epoch.

    ``operation`` names the operation if it is not a read of the queue, and ``sent`` is the request body.
    ``request_head`` is False if a recording lacks the headers of the request.
    ``own_query`` and ``own_headers`` are those that the user's document requires of every read.
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


class Body(Value, frozen=True, kw_only=True):
    """A whole body after content codings: ``content`` as text, or in base64 if it is not UTF-8.

    Keys of users are blotted out in it, byte by byte.
    """

    encoding: Literal["utf-8", "base64"]
    content: str


class RecordedExchange(Value, frozen=True, kw_only=True):
    """One line of the ledger, which lists every attempt of every request. ``elapsed`` in seconds.

    ``superseded`` attempts were repeated on a fresh connection, or refused by a ban, and were not judged. ``kept`` is
    set in a report with whole bodies. ``server`` is the name of the server in a recording of several.
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
    """The report whose responses were judged again: its file, its own results, and when they were judged again."""

    file: str
    judged: str
    suite_version: str
    document_sha256: str
    dialect: str
    edition: int
    verdict: Verdict
    verdict_reason: str


class Run(Value, frozen=True, kw_only=True):
    """The run. ``start`` and ``end`` are RFC 3339 times in UTC; ``options`` are the options of the user and defaults.

    ``read_as`` is the order of the tuple that was demanded (``auto`` if no job showed one), and ``read_because`` says
    how it is known. ``stopped`` says why some requests were not sent. ``recorded`` means that no request was sent
    and files were judged. A report that was made from another one has the target and the times of that run.
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
    """Which reads were not compared with others because they list too many jobs. None if all were."""


class BrokenByGenerated(Value, frozen=True, kw_only=True):
    """A clause that generated requests of a family break and plain reads keep, "" for an incomplete response.

    ``times`` counts the requests of the family that broke it, without those that only shrank the request.
    """

    clause: str
    times: int
    smallest: SmallestRequest


class GeneratedFamily(Value, frozen=True, kw_only=True):
    """The generated requests of one family: how many were sent, and what they broke."""

    name: str
    sent: int
    broken: tuple[BrokenByGenerated, ...] = ()


class GeneratedRequests(Value, frozen=True, kw_only=True):
    """The search with generated requests: how many of ``wanted`` were sent, and why some were not.

    ``no_answer`` is the smallest request without a complete response, if there is one. ``operation`` names the
    operation of the document, ``document`` its SHA-256, and ``schemathesis`` the version that generated the requests.
    ``cross_checked`` counts distinct responses that were also checked against the JSON Schema of the document, and
    ``not_cross_checked`` those too large for it.
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

    def family(self, name: str) -> GeneratedFamily:
        """Return the results of one family."""
        return next((each for each in self.families if each.name == name), GeneratedFamily(name=name, sent=0))


class State(enum.StrEnum):
    """State of an entry of a register of known deviations, in a run."""

    HOLDS = "holds"
    NOT_EXERCISED = "not-exercised"
    NOT_SEEN = "not-seen"
    EXPIRED = "expired"
    STALE = "stale"
    UNKNOWN_CLAUSE = "unknown-clause"


class KnownDeviation(Value, frozen=True, kw_only=True):
    """An entry that concerns the run: its number in the register, from 1, and its members."""

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
    """An entry of a register that concerns a run: the clause, and the last day on which it is waived."""

    clause: str
    expires: str
    owner: str
    reason: str


class DeviationProblem(Value, frozen=True, kw_only=True):
    """A problem of a register. ``entry`` is None for a failure that no entry covers."""

    problem: Literal["expired", "stale", "unknown-clause", "other-fingerprint"]
    clause: str
    fingerprint: Fingerprint
    message: str
    entry: int | None = None


class Deviations(Value, frozen=True, kw_only=True):
    """The result of applying a register of known deviations. Any of ``problems`` makes the exit status 1.

    The verdict is about the server and ignores them.
    """

    file: str
    known: tuple[KnownDeviation, ...]
    problems: tuple[DeviationProblem, ...]


class LoadSecond(Value, frozen=True, kw_only=True):
    """One second of a run under load, ``at`` seconds since the Unix epoch.

    ``broken`` counts responses that break a must clause.
    """

    at: int
    requests: int
    broken: int
    users: int


class LatencyBySize(Value, frozen=True, kw_only=True):
    """Response times in seconds of bodies of at most ``up_to`` bytes; None for those larger than all sizes."""

    up_to: int | None
    answers: int
    p50: float
    p95: float
    longest: float


class LoadRun(Value, frozen=True, kw_only=True):
    """The requests of a run under load: reads by status, and requests without a response by fault.

    ``beside`` counts the responses to other requests, such as those that write, by status.
    ``exchanges`` of the report then has only those that evidence names.
    """

    requests: int
    statuses: dict[str, int]
    problems: dict[str, int]
    seconds: tuple[LoadSecond, ...]
    latency: tuple[LatencyBySize, ...]
    beside: dict[str, int] = {}


class OwnJobs(Value, frozen=True, kw_only=True):
    """The jobs that a run submitted: prompts ``submitted`` and ``taken`` by the server.

    ``left`` has the ids of jobs that could not be removed and may still be in the queue.
    """

    submitted: int
    taken: int
    left: tuple[str, ...]


class Counts(Value, frozen=True, kw_only=True):
    """Clauses by status, the ``total``, and how many were ``exercised`` (pass, fail, warn, waived)."""

    passed: int = msgspec.field(name="pass", default=0)
    fail: int = 0
    warn: int = 0
    not_exercised: int = msgspec.field(name="not-exercised", default=0)
    not_applicable: int = msgspec.field(name="not-applicable", default=0)
    waived: int = 0
    error: int = 0
    exercised: int = 0
    total: int = 0

    @property
    def applicable(self) -> int:
        """The number of clauses that apply."""
        return self.total - self.not_applicable


class PastRun(Value, frozen=True, kw_only=True):
    """A run in a history. ``number`` is its number in that history, 0 if it is not in one.

    ``failed_on_should`` says that warnings made the exit status 1 (``--fail-on-should``).

    ``p50`` and ``p95`` are percentiles of response times in seconds, None without responses.

    ``name`` is the name of its target, None if the target has none. ``unreached`` says why the target was not reached,
    None if it was.
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
    """A run of a history by its number, and when it started."""

    number: int
    start: str


class Outage(Value, frozen=True, kw_only=True):
    """Runs in a row, up to the newest one, that did not reach the target: the first run, and how many."""

    since: RunAt
    runs: int


class Span(Value, frozen=True, kw_only=True):
    """Consecutive runs in which a clause had the same status; None if they did not judge it."""

    status: Status | None
    runs: int


class ClauseHistory(Value, frozen=True, kw_only=True):
    """A clause over the runs of a history.

    ``spans`` covers the listed runs, oldest first. The other members cover the whole history: when the clause was last
    exercised and with which status, and, if it was broken then, since when.
    """

    spans: tuple[Span, ...]
    last_exercised: RunAt | None
    last_status: Status | None
    broken_since: RunAt | None


class Change(Value, frozen=True, kw_only=True):
    """How one clause changed between two runs. ``before`` and ``now`` are None if a run lacks the clause.

    ``appeared`` and ``gone`` are the fingerprints that only the newer or only the older run has.
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

    ``notes`` says what else differs between them: it may explain a change that the server did not make. ``worse`` says
    in words what got worse. With an ``outage`` the newer run did not reach the target, and no clause is compared.
    """

    old: PastRun
    new: PastRun
    outcome: Outcome
    notes: tuple[str, ...]
    worse: tuple[str, ...]
    changes: tuple[Change, ...]
    outage: Outage | None = None


class History(Value, frozen=True, kw_only=True):
    """The last runs of a target, oldest first: the last one is the run of this report.

    A target is known by its name, or without one by its URL, path and dialect. ``total`` counts all of its runs in
    the history. ``diff`` is from the last whole run before this one that reached the target.
    """

    runs: tuple[PastRun, ...]
    total: int
    clauses: dict[str, ClauseHistory]
    diff: Diff | None
    outage: Outage | None = None


class Server(Value, frozen=True, kw_only=True):
    """The result of one of several servers in a recording; ``exchanges`` is their number.

    The report's own clauses and verdict are the worst of all servers.
    """

    server: str
    verdict: Verdict
    verdict_reason: str
    read_as: str
    exchanges: int
    counts: Counts


class Report(Value, frozen=True, kw_only=True):
    """The report of one run. ``bodies``, by SHA-256 of the body, is set if whole bodies were requested.

    ``servers`` is set if a recording has several: each is judged separately.
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
    """Return ``compliance.json``: UTF-8, indented by two."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(data: bytes) -> Report:
    """Read ``compliance.json``. Raises msgspec.DecodeError (a ValueError) if it is not a report."""
    return msgspec.json.decode(data, type=Report)
