"""Sample reports: passed, failed, inconclusive, with waivers, and of a hostile server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from msgspec import structs

from conformance.contract.clause import Source
from conformance.exchange.secrets import REDACTED
from conformance.judge.report import (
    ClauseResult,
    Counts,
    DeviationProblem,
    Deviations,
    Evidence,
    Excerpt,
    Fingerprint,
    KnownDeviation,
    LatencyBySize,
    LoadRun,
    LoadSecond,
    Moment,
    RecordedExchange,
    RecordedRequest,
    RecordedResponse,
    Report,
    Run,
    SeenUnderLoad,
    State,
    Status,
    Verdict,
)

Headers = tuple[tuple[str, str], ...]

SENT: Headers = (
    ("Host", "queue.example:8188"),
    ("User-Agent", "comfy-queue-conformance/1.0.0"),
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip"),
    ("X-API-Key", REDACTED),
    ("X-Request-Id", "7d1f6a5e-0001"),
)

HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "'; window.pwned=1; //",
    "</script><script>window.pwned=1</script>",
    "</style><style>*{display:none}</style>",
    "{{ 7*7 }}{% raw %}",
    "\x1b[31mred\x1b]0;title\x07",
    "::error file=a::x",
    "\n::stop-commands::x",
    "\r\n  ::add-mask::x",
    "##vso[task.complete result=Succeeded]",
    "##[error]x",
    "]]><failure/>",
    "nul\x00 and \x0b\x0c\x7f\x85\ufffe\uffff",
    "\u202eevil\u202c \u2066x\u2069 \u200b\ufeff",
    "\u2028line\u2029separators",
    "`code` ``two`` ```three",
    "\\| pipe | and \\\\| more \\",
    "**bold** _it_ [link](javascript:alert(1)) ![i](http://x.invalid/i.png) https://x.invalid www.x.invalid",
    "@everyone @octocat $x$ &lt; &amp; ~~gone~~",
    "# heading\n- list\n| a | b |\n|---|---|\n<details open>",
    "a" * 600,
    "\U000e0001tags\U0001f642",
)

CATALOGUE: tuple[tuple[str, Literal["must", "should"], bool, str], ...] = (
    ("status.served", "must", True, "The server sends the queue: a GET gets a 200"),
    ("envelope.object", "must", True, "The body of a 200 is one JSON object"),
    ("envelope.queue-running.array", "must", True, "queue_running is an array"),
    ("envelope.queue-pending.array", "must", True, "queue_pending is an array"),
    ("envelope.both-lists", "should", False, "Both lists are present"),
    ("item.array", "must", True, "Each item is an array"),
    ("item.five-elements", "must", True, "Each item has exactly five elements"),
    ("item.element-order", "must", True, "Output node ids stand at [3] and metadata at [4]"),
    ("item.job-number.integer", "must", True, "The job number is a whole number"),
    ("item.job-number.one-based", "must", True, "Job numbers begin at 1"),
    ("item.prompt-id.uuid", "must", True, "The prompt id is a UUID in its text form"),
    ("item.prompt-id.lower-case", "should", False, "The prompt id is in lower case"),
    ("item.output-node-ids.distinct", "should", False, "No output node id is listed twice"),
    ("item.create-time.milliseconds", "must", True, "create_time is in milliseconds since the Unix epoch"),
    ("queue.one-order", "must", False, "All items of one answer use one order"),
    ("queue.pending.oldest-first", "must", False, "Pending jobs are listed oldest first"),
    ("workflow.links", "should", False, "Each link of a workflow names a node of it"),
    ("reads.order", "should", False, "Two pending jobs never change places between reads"),
    ("json.well-formed", "must", False, "The body is JSON"),
    ("json.distinct-names", "should", False, "No object has two members of the same name"),
    ("http.content-type", "must", False, "An answer of 200 is application/json"),
    ("http.date", "should", False, "Each answer carries a plausible Date"),
    ("method.head", "should", False, "HEAD gets the same status and headers as GET"),
    ("auth.key-required", "must", False, "A request without the key is refused"),
    ("error.code", "must", False, "A 400 or 500 response has a string code that is a string"),
    ("caching.shared", "should", False, "Shared caches are told not to keep the queue"),
    ("privacy.credentials", "should", False, "No credentials of a user stand in an item"),
)

BODY = (
    '{"queue_running": [], "queue_pending": [[1, "0b9c1ad5-3f1e-4f5e-9a3e-8a2f6a5f1c11", '
    '{"3": {"class_type": "KSampler", "inputs": {"seed": 5, "model": ["4", 0]}}}, ["9"], {"create_time": 1767225600}]]}'
)


def exchange(number: int, *, purpose: str = "read", method: str = "GET", status: int | None = 200) -> RecordedExchange:
    """Return an entry of the list of exchanges. ``status`` None stands for a request without a response."""
    response = None
    if status is not None:
        response = RecordedResponse(
            status=status,
            headers=(("Content-Type", "application/json"), ("Date", "Thu, 01 Jan 2026 03:00:00 GMT"), ("Vary", "")),
            size=len(BODY) if method != "HEAD" else 0,
            sha256="3f9a1c" * 10 + "0b1d",
            excerpt=BODY if method != "HEAD" else "",
        )
    return RecordedExchange(
        id=f"x{number}",
        request=RecordedRequest(
            method=method, url="http://queue.example:8188/api/queue", headers=SENT, purpose=purpose, credential="given"
        ),
        response=response,
        error=None if response else "ConnectError: [Errno 111] Connection refused",
        elapsed=0.0021 + number * 0.00037 if response else 0.0004,
        attempt=1,
    )


LEDGER = (
    *(exchange(number) for number in range(1, 13)),
    exchange(13, purpose="read as a browser does: User-Agent, Accept: text/html and others"),
    exchange(14, purpose="read with an undeclared query parameter"),
    exchange(15, purpose="head", method="HEAD"),
    exchange(16, purpose="options", method="OPTIONS", status=405),
    exchange(17, purpose="read without a key", status=401),
)


def clause(
    clause_id: str, status: Status = Status.PASS, *evidence: Evidence, reason: str = "", judged: int = 14
) -> ClauseResult:
    """Return the result of a clause of the sample catalogue."""
    _, level, core, title = next(entry for entry in CATALOGUE if entry[0] == clause_id)
    seen = status not in {Status.NOT_EXERCISED, Status.NOT_APPLICABLE, Status.ERROR}
    reasons = {
        Status.PASS: f"kept in {judged} responses",
        Status.NOT_EXERCISED: "needs a job in the queue",
        Status.NOT_APPLICABLE: "only where the dialect is auto",
        Status.ERROR: "the suite itself failed: ZeroDivisionError: division by zero. Please report this",
    }
    return ClauseResult(
        id=clause_id,
        title=title,
        level=level,
        status=status,
        reason=reason or reasons.get(status, f"broken in 3 of {judged} responses"),
        core=core,
        since=1,
        judged=judged if seen else 0,
        breached=3 if status in {Status.FAIL, Status.WARN, Status.WAIVED} else 0,
        source=Source(
            rfc="RFC 9110 §8.3",
            quote="A sender that generates a message containing content SHOULD generate a Content-Type header field "
            "in that message.",
            inferred="The RFC does not name a queue.",
        )
        if clause_id.startswith("http.")
        else Source(pointer="/components/schemas/QueueItem/items/oneOf/1/description", quote="Prompt ID (UUID)"),
        evidence=evidence,
        waiver="Accepted until the next release: gateway issue 481." if status is Status.WAIVED else None,
        why="Clients find a job again by this value, and compare it with what they were given when they queued it.",
    )


def report(  # noqa: PLR0913 - one parameter for each part of a report
    verdict: Verdict,
    reason: str,
    clauses: Iterable[ClauseResult],
    exchanges: Iterable[RecordedExchange] = LEDGER,
    *,
    target: str = "http://queue.example:8188",
    partial: bool = False,
    options: dict[str, str | int | float | bool | None] | None = None,
) -> Report:
    """Return a report whose counts match its clauses."""
    results = tuple(clauses)
    by_status = Counter(result.status for result in results)
    exercised = sum(by_status[status] for status in (Status.PASS, Status.FAIL, Status.WARN, Status.WAIVED))
    return Report(
        run=Run(
            suite_version="1.0.0",
            document_sha256="95185edf23bb80be1c67b006cda5596d84c358fa8f8b8db5cf8b4a52206210de",
            target=target,
            dialect="cloud",
            options=options or {"target": target, "fail_on_should": False},
            seed=None,
            start="2026-01-01T03:00:00Z",
            end="2026-01-01T03:00:01.250Z",
            partial=partial,
        ),
        verdict=verdict,
        verdict_reason=reason,
        counts=Counts(
            passed=by_status[Status.PASS],
            fail=by_status[Status.FAIL],
            warn=by_status[Status.WARN],
            not_exercised=by_status[Status.NOT_EXERCISED],
            not_applicable=by_status[Status.NOT_APPLICABLE],
            waived=by_status[Status.WAIVED],
            error=by_status[Status.ERROR],
            exercised=exercised,
            total=len(results),
        ),
        clauses=results,
        exchanges=tuple(exchanges),
    )


def all_but(changed: dict[str, ClauseResult]) -> list[ClauseResult]:
    """Return results of the whole sample catalogue: ``changed``, and the others passed."""
    standing = {
        "queue.one-order": clause("queue.one-order", Status.NOT_APPLICABLE),
        "error.code": clause("error.code", Status.NOT_EXERCISED, reason="needs a 400 or 500"),
    }
    return [changed.get(name) or standing.get(name) or clause(name) for name, *_ in CATALOGUE]


def passing() -> Report:
    """Return the report of a conformant run."""
    return report(Verdict.CONFORMANT, "no must clause broken, 25 of 27 clauses checked", all_but({}))


def failing() -> Report:
    """Return the report of a run in which every status occurs."""
    seconds = Evidence(
        exchange="x1",
        pointer="/queue_pending/0/4/create_time",
        expected="milliseconds since the Unix epoch",
        got="1767225600",
        message="create_time is 1767225600: that is January 1970 in milliseconds, and 2026-01-01 in seconds",
        hint="The server sends seconds. Multiply by 1,000.",
        kind="seconds",
        more=41,
        last="/queue_pending/41/4/create_time",
        seen_in=("x2", "x3", "x4"),
        excerpt=Excerpt(
            before='…"inputs": {"seed": 5}}}, ["9"], {"create_time": ', marked="1767225600", after="}], [2, …"
        ),
    )
    absent = Evidence(
        exchange="x13",
        pointer="/queue_running",
        expected="both lists",
        got="nothing",
        message="queue_running is missing",
        excerpt=Excerpt(before='{"queue_pending": []', marked="", after="}"),
    )
    charset = Evidence(
        exchange="x2",
        pointer=None,
        expected="application/json",
        got='"text/html; charset=utf-8"',
        message="Content-Type is text/html",
        hint="The answer may come from a proxy in front of the server.",
        seen_in=tuple(f"x-{number:02}" for number in range(3, 13)),
    )
    again = Evidence(
        exchange="x1",
        pointer="/queue_pending/3/4/create_time",
        expected="a number",
        got="null",
        message="create_time is null",
    )
    changed = {
        result.id: result
        for result in (
            clause("item.create-time.milliseconds", Status.FAIL, seconds, again),
            clause("http.content-type", Status.FAIL, charset),
            clause("envelope.both-lists", Status.WARN, absent),
            clause("http.date", Status.WARN, reason="broken in 3 of 14 responses"),
            clause("workflow.links", Status.ERROR),
            clause("item.prompt-id.lower-case", Status.WAIVED),
        )
    }
    return report(
        Verdict.NON_CONFORMANT,
        "2 must clauses broken: http.content-type, item.create-time.milliseconds",
        all_but(changed),
    )


def idle() -> Report:
    """Return the report of an inconclusive run against the embedded endpoint with an empty queue."""
    return report(
        Verdict.INCONCLUSIVE,
        "the queue was always empty, so no job could be checked (see --wait-for-items)",
        all_but(
            {
                name: clause(name, Status.NOT_EXERCISED)
                for name, *_ in CATALOGUE
                if name.startswith(("item.", "workflow."))
            }
        ),
        target="embedded",
        partial=True,
    )


def unreachable() -> Report:
    """Return the report of a run whose target was not reached."""
    return report(
        Verdict.INCONCLUSIVE,
        "the target cannot be reached: Connection refused",
        [
            clause(name, Status.NOT_EXERCISED, reason="needs a 200 response to a GET of the queue")
            for name, *_ in CATALOGUE
        ],
        [exchange(number, status=None) for number in (1, 2)],
    )


def loaded() -> Report:
    """Return the report of a run under load: four minutes, a pause, and a clause that some responses broke."""
    first, last = (Moment(at=f"2026-01-01T03:00:{at:02}Z", requests=40 + at, users=8) for at in (7, 59))
    seen = structs.replace(
        clause("item.create-time.milliseconds", Status.FAIL), under_load=SeenUnderLoad(first=first, last=last)
    )
    failed = report(
        Verdict.NON_CONFORMANT, "1 must clause broken: item.create-time.milliseconds", all_but({seen.id: seen}), []
    )
    seconds = tuple(
        LoadSecond(at=1767236400 + at, requests=40 + at % 7, broken=at % 5 if at > 60 else 0, users=8)
        for at in range(240)
        if not 100 < at < 130
    )
    latency = tuple(
        LatencyBySize(up_to=up_to, answers=4_500, p50=0.0021, p95=0.0213, longest=1.25)
        for up_to in (1_000, 10_000, None)
    )
    load = LoadRun(
        requests=9_004, statuses={"200": 9_000, "503": 3}, problems={"timeout": 1}, seconds=seconds, latency=latency
    )
    return structs.replace(failed, load=load)


def hostile() -> Report:
    """Return a report in which every text from a server, a proxy or a recording is hostile."""
    text = " ".join(HOSTILE)
    evidence = tuple(
        Evidence(
            exchange="x1",
            pointer=f"/{nasty}",
            expected="harmless text",
            got=nasty,
            message=nasty,
            hint="none",
            more=2,
            last=f"/{nasty}/9",
            seen_in=("x2", nasty),
            excerpt=Excerpt(before=nasty, marked=nasty, after=nasty),
        )
        for nasty in HOSTILE
    )
    answered = RecordedExchange(
        id="x1",
        request=RecordedRequest(
            method="GET",
            url=f"http://x.invalid/{text}",
            headers=(
                *((f"X-{number}", nasty) for number, nasty in enumerate(HOSTILE)),
                (text, text),
                ("@/etc/passwd", "x"),
            ),
            purpose=text,
        ),
        response=RecordedResponse(
            status=200,
            headers=tuple((nasty, nasty) for nasty in HOSTILE),
            size=1,
            sha256=text,
            excerpt="\n".join(HOSTILE),
        ),
        error=text,
        elapsed=0.1,
        attempt=2,
    )
    broken = [
        clause("item.prompt-id.uuid", Status.FAIL, *evidence, reason=text),
        clause("item.prompt-id.lower-case", Status.WARN, *evidence[::-1], reason=text),
        clause("workflow.links", Status.ERROR, reason=text),
        clause("item.array", Status.NOT_EXERCISED, reason=text),
        clause("reads.order", Status.WAIVED, reason=text),
        *(clause("http.date", Status.WARN, one) for one in evidence),
    ]
    return report(
        Verdict.NON_CONFORMANT,
        text,
        broken,
        [answered, exchange(2, purpose=text)],
        target=f"http://x.invalid/{text}",
        partial=True,
    )


def known() -> Report:
    """Return the report of a conformant run with waived clauses and a stale register of known deviations."""
    text = " ".join(HOSTILE)
    changed = {name: clause(name, Status.WAIVED) for name in ("item.element-order", "item.prompt-id.lower-case")}
    made = report(
        Verdict.CONFORMANT,
        "no must clause broken apart from known deviations, 25 of 27 clauses checked",
        all_but(changed),
    )
    entry = KnownDeviation(
        entry=1,
        state=State.HOLDS,
        clause="item.element-order",
        place="/*/*/3",
        kind="comfyui-order",
        reason=text,
        issue=text,
        owner=text,
        since="2026-01-01",
        expires="2026-06-30",
        intermittent=False,
    )
    problems = [
        DeviationProblem(
            problem="stale", clause="reads.order", fingerprint=Fingerprint(place=None), message="stale", entry=2
        ),
        DeviationProblem(problem="other-fingerprint", clause=text, fingerprint=Fingerprint(place=text), message=text),
    ]
    return structs.replace(
        made, deviations=Deviations(file="deviations.toml", known=(entry,), problems=tuple(problems))
    )


REPORTS = {
    "known": known,
    "passing": passing,
    "failing": failing,
    "idle": idle,
    "unreachable": unreachable,
    "hostile": hostile,
    "loaded": loaded,
}
