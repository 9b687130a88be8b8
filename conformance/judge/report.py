"""The report: what a run found, as plain frozen values. ``compliance.json`` is this, encoded.

The JSON Schema beside this file is generated from these classes (``conformance/render/schema.py``).
Members may be added, never changed or taken away: others build on the format.
"""

from __future__ import annotations

import enum
from typing import Final, Literal

import msgspec

from conformance.contract.clause import Source
from conformance.exchange.model import Problem, Wire

SCHEMA_VERSION: Final = 1
FINGERPRINTS: Final = 100
"""Fingerprints that are kept of a clause: where there are as many, there may be more."""


class Status(enum.StrEnum):
    """Of one clause in a run."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    WARN = "warn"
    NOT_EXERCISED = "not-exercised"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    ERROR = "error"


EXERCISED: Final = (Status.PASS, Status.FAIL, Status.WARN, Status.WAIVED)


class Verdict(enum.StrEnum):
    """Of a run."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"
    INCONCLUSIVE = "inconclusive"


ChangeKind = Literal[
    "failed", "warned", "changed", "error", "vanished", "waived", "fixed", "exercised", "added", "removed"
]
"""Of a clause between two runs, in the order in which a reader wants them: what got worse comes first."""


Outcome = Literal["worse", "better", "same", "unclear"]
"""From one run to another. Unclear: nothing got worse, and the newer run is inconclusive."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen value that is compared and encoded by its members."""


class Excerpt(Value, frozen=True, kw_only=True):
    """A piece of a body around the place of a breach: ``before`` + ``marked`` + ``after``, made printable."""

    before: str
    marked: str
    after: str


class Fingerprint(Value, frozen=True, kw_only=True):
    """What makes two breaches of a clause the same from night to night: place and kind, not the text.

    ``place`` is a JSON Pointer into the body with ``*`` for indices and ``**`` for what is named by users, None
    outside the body. ``kind`` is a word of the suite that stays, "" where the clause tells no kinds apart.
    """

    place: str | None
    kind: str = ""


class Evidence(Value, frozen=True, kw_only=True):
    """One breach, with how many more like it the same answer holds.

    ``more`` counts the findings like this one (same clause, same place but for indices, same cause)
    in this answer that are not listed; ``last`` is the place of the last of them. ``seen_in`` names
    the other exchanges that showed the same (the first 20). ``kind`` is as in a fingerprint.
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
    """The smallest generated request, or sequence of requests, that was seen to break a clause.

    ``exchanges`` are the ids of its requests and ``curl`` lines for bash that send them again. It was sent
    ``asked`` times more and broke the clause ``broken`` times; a plain read ``plain_broken`` of ``plain_asked`` times.
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
    """What a run says of one clause. ``judged`` and ``breached`` count answers.

    ``evidence`` is a choice; ``fingerprints`` are those of all that was found, up to ``FINGERPRINTS``.
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
    """A request as it was sent, keys redacted. ``credential`` says which key it carried.

    ``body`` is the start of what was sent with it, made printable, and ``size`` its bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    purpose: str = ""
    credential: str = "given"
    body: str = ""
    size: int = 0


class RecordedResponse(Value, frozen=True, kw_only=True):
    """An answer: ``size`` in bytes and ``sha256`` are of the body after content codings, ``excerpt`` is its start."""

    status: int
    headers: tuple[tuple[str, str], ...]
    size: int
    sha256: str
    excerpt: str


class KeptAnswer(Value, frozen=True, kw_only=True):
    """Of an answer what is not shown, or not whole: all header fields as they came, and what became of its codings."""

    headers: tuple[tuple[str, str], ...]
    coding_error: str | None
    head: bool
    http_version: str
    wire: Wire | None
    extent: Literal["whole", "cut", "unknown"] = "whole"
    verbatim: bool = True
    echoes: tuple[str, ...] = ()
    """Where the key of the request is repeated: header fields, and "" for the body."""


class Kept(Value, frozen=True, kw_only=True):
    """What clauses look at of an exchange beside what is shown of it. ``started`` in seconds since the Unix epoch.

    ``operation`` names what was asked for where that was not to read the queue, and ``sent`` is the request's body.
    ``request_head`` is False if a recording lacks the headers of the request.
    ``own_query`` and ``own_headers`` are what the user's document requires of every read.
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
    """A whole body after content codings: ``content`` as text, or in base64 where it is not UTF-8.

    Keys of users are blotted out in it, byte by byte.
    """

    encoding: Literal["utf-8", "base64"]
    content: str


class RecordedExchange(Value, frozen=True, kw_only=True):
    """One line of the ledger: every request that was sent, every attempt. ``elapsed`` in seconds.

    ``superseded`` attempts were made again on a fresh connection, or refused by a ban, and were not judged. ``kept`` is
    there in a report with whole bodies. ``server`` is the name of the server in a recording of several.
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
    """The report whose answers were judged again: its file, when that was done, and what it said itself."""

    file: str
    judged: str
    suite_version: str
    document_sha256: str
    dialect: str
    edition: int
    verdict: Verdict
    verdict_reason: str


class Run(Value, frozen=True, kw_only=True):
    """What was run. ``start`` and ``end`` are RFC 3339 times in UTC; ``options`` are as the user typed or left them.

    ``read_as`` is the order of the tuple that was demanded (``auto`` where no job has told it), and ``read_because``
    says how it is known. ``stopped`` says why not all was asked. ``recorded`` means that nothing was sent and
    files were judged. A report that was made from another one has the target and the times of that run.
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


class BrokenByGenerated(Value, frozen=True, kw_only=True):
    """A clause that generated requests of a family break and plain reads keep, "" for a response that is not whole.

    ``times`` counts the requests of the family that broke it, without those that only made the breach small.
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
    """What was searched with generated requests: how many of ``wanted``, and why not all of them.

    ``no_answer`` is the smallest request that brought no whole response, if one did not. ``operation`` names the
    operation of the document, ``document`` its SHA-256, and ``schemathesis`` the version that generated.
    ``cross_checked`` counts distinct responses that were held against the JSON Schema of the document as well, and
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
        """Return what one family came to."""
        return next((each for each in self.families if each.name == name), GeneratedFamily(name=name, sent=0))


class State(enum.StrEnum):
    """Of an entry of a register of known deviations, in a run."""

    HOLDS = "holds"
    NOT_EXERCISED = "not-exercised"
    NOT_SEEN = "not-seen"
    EXPIRED = "expired"
    STALE = "stale"
    UNKNOWN_CLAUSE = "unknown-clause"


class KnownDeviation(Value, frozen=True, kw_only=True):
    """An entry that concerns the run: its number in the register, from 1, and its members as they stand there."""

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
    """What of a register does not hold. ``entry`` is None for a failure that no entry knows."""

    problem: Literal["expired", "stale", "unknown-clause", "other-fingerprint"]
    clause: str
    fingerprint: Fingerprint
    message: str
    entry: int | None = None


class Deviations(Value, frozen=True, kw_only=True):
    """What a register of known deviations came to. With any of ``problems`` the exit status is 1.

    The verdict speaks of the server and does not know of them.
    """

    file: str
    known: tuple[KnownDeviation, ...]
    problems: tuple[DeviationProblem, ...]


class LoadSecond(Value, frozen=True, kw_only=True):
    """One second of a run under load, ``at`` seconds since the Unix epoch: answers that ``broken`` a must."""

    at: int
    requests: int
    broken: int
    users: int


class LatencyBySize(Value, frozen=True, kw_only=True):
    """Seconds that answers took whose bodies have ``up_to`` so many bytes, None for those larger than all sizes."""

    up_to: int | None
    answers: int
    p50: float
    p95: float
    longest: float


class LoadRun(Value, frozen=True, kw_only=True):
    """What was sent under load, and how it was answered: reads by status, requests without an answer by fault.

    ``beside`` are the answers to other requests, such as those that write, by status.
    ``exchanges`` of the report are then those that evidence names, and no others.
    """

    requests: int
    statuses: dict[str, int]
    problems: dict[str, int]
    seconds: tuple[LoadSecond, ...]
    latency: tuple[LatencyBySize, ...]
    beside: dict[str, int] = {}


class OwnJobs(Value, frozen=True, kw_only=True):
    """What became of the jobs of a run that submits some: prompts ``submitted`` and ``taken``.

    ``left`` are the ids of those that could not be removed, and may still be in the queue.
    """

    submitted: int
    taken: int
    left: tuple[str, ...]


class Counts(Value, frozen=True, kw_only=True):
    """Clauses by status, and how many were ``exercised`` (pass, fail, warn, waived) of how many in ``total``."""

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
    """A run as a history keeps it. ``number`` is its own in that history, 0 if it is in none.

    ``failed_on_should`` says that warnings made the exit status 1 (``--fail-on-should``).

    ``p50`` and ``p95`` are percentiles of the seconds that its answers took, None if nothing answered.

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
    """Runs in a row, up to the newest one, that did not reach the target: the first of them, and their number."""

    since: RunAt
    runs: int


class Span(Value, frozen=True, kw_only=True):
    """Runs one after the other in which a clause had the same status; None: they did not judge it."""

    status: Status | None
    runs: int


class ClauseHistory(Value, frozen=True, kw_only=True):
    """A clause over the runs of a history.

    ``spans`` cover the runs that are listed, oldest first. The rest looks back over the whole history: when the clause
    was exercised last and with which status then, and, where it was broken then, since when it has not been kept.
    """

    spans: tuple[Span, ...]
    last_exercised: RunAt | None
    last_status: Status | None
    broken_since: RunAt | None


class Change(Value, frozen=True, kw_only=True):
    """What became of one clause from one run to another. ``before`` and ``now`` are None where a run lacks the clause.

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

    ``notes`` say what else differs between them, so that a change need not be the server's. ``worse`` says in words
    what got worse. With an ``outage`` the newer run did not reach the target, and no clause is compared.
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
    """What one of several servers in a recording came to; ``exchanges`` are counted.

    The report's own clauses and verdict are the worst of all servers.
    """

    server: str
    verdict: Verdict
    verdict_reason: str
    read_as: str
    exchanges: int
    counts: Counts


class Report(Value, frozen=True, kw_only=True):
    """One run, whole. ``bodies``, by the SHA-256 of the body, are there where whole bodies were asked for.

    ``servers`` are there if a recording holds several: each is judged on its own.
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
        """Return the result of one clause. Raises KeyError where the run has none of that id."""
        for result in self.clauses:
            if result.id == clause_id:
                return result
        raise KeyError(clause_id)


def encode(report: Report) -> bytes:
    """Return ``compliance.json``: UTF-8, indented by two."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def decode(data: bytes) -> Report:
    """Read ``compliance.json``. Raises msgspec.DecodeError (a ValueError) where it is none."""
    return msgspec.json.decode(data, type=Report)
