"""What every rendering says in the same words: names of statuses and subjects, what comes first, what to do next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from conformance.contract.clause import Source
from conformance.contract.conversation import OK, TOO_MANY, UNAVAILABLE
from conformance.contract.refusals import advice
from conformance.contract.terms import ORDER, Dialect
from conformance.exchange.model import NoResponse
from conformance.judge.exit import warnings_that_fail
from conformance.judge.report import (
    ClauseResult,
    Evidence,
    Moment,
    OwnJobs,
    RecordedExchange,
    Report,
    Run,
    SeenUnderLoad,
    SmallestRequest,
    Status,
    Verdict,
)
from conformance.text.plural import count

VERDICT: Final = {
    Verdict.CONFORMANT: "Conformant",
    Verdict.NON_CONFORMANT: "Non-conformant",
    Verdict.INCONCLUSIVE: "Inconclusive",
}

VERDICT_MEANING: Final = {
    Verdict.CONFORMANT: "Every core clause was exercised, and no answer broke a clause of level must.",
    Verdict.NON_CONFORMANT: "At least one answer broke a clause of level must. One is enough.",
    Verdict.INCONCLUSIVE: "No clause of level must was broken, but too little was seen to say that the contract holds.",
}

STATUS: Final = {
    Status.FAIL: "Failed",
    Status.ERROR: "Error",
    Status.WARN: "Warning",
    Status.NOT_EXERCISED: "Not exercised",
    Status.WAIVED: "Waived",
    Status.PASS: "Passed",
    Status.NOT_APPLICABLE: "Not applicable",
}
"""In the order in which a reader wants them."""

STATUS_MEANING: Final = {
    Status.FAIL: "A clause of level must was broken.",
    Status.ERROR: "The suite itself failed while judging this clause. It says nothing about the server.",
    Status.WARN: "A clause of level should was broken. The verdict stays; with --fail-on-should the exit status is 1.",
    Status.NOT_EXERCISED: "Nothing came up that the clause speaks of. It is not known whether it is kept.",
    Status.WAIVED: "A breach that is known and was accepted, with a reason, by whoever runs the suite.",
    Status.PASS: "The clause was put to the test and every answer kept it.",
    Status.NOT_APPLICABLE: "The clause does not apply to the dialect that was demanded: the reason says why.",
}

LEVEL_MEANING: Final = {
    "must": "Demanded by the schema or the plain prose of the document, or by a MUST of an RFC.",
    "should": "Inferred from the document, or a SHOULD of an RFC.",
    "info": "Told for information; never decides anything.",
}

SUBJECT: Final = {
    "status": "Answering at all",
    "envelope": "The envelope (QueueInfo)",
    "item": "Each job (the QueueItem tuple)",
    "queue": "The queue as a whole",
    "workflow": "Workflows",
    "reads": "From read to read",
    "json": "The text of JSON",
    "http": "HTTP",
    "framing": "Framing on the wire",
    "method": "Methods other than GET",
    "auth": "Authentication",
    "error": "Errors (ErrorResponse)",
    "caching": "Caching",
    "cors": "Cross-origin access",
    "privacy": "Privacy",
    "lifecycle": "The life of a job",
}

_RFC: Final = re.compile(r"RFC (\d+)(?:.*?(?:§|[Ss]ection )\s*(\d+(?:\.\d+)*))?")
BREACHED: Final = (Status.FAIL, Status.ERROR, Status.WARN)
"""The statuses that ask for attention, worst first."""


def subject(clause_id: str) -> str:
    """Return the first word of a clause's id."""
    return clause_id.partition(".")[0]


def subject_title(name: str) -> str:
    """Return the human title of a subject."""
    return SUBJECT.get(name, name.replace("-", " ").capitalize())


class Named(Protocol):
    """What has the id of a clause."""

    @property
    def id(self) -> str:
        """The id."""


N = TypeVar("N", bound=Named)


def by_subject(clauses: Iterable[N]) -> list[tuple[str, list[N]]]:
    """Return clauses by subject, both in the order in which they come."""
    found: dict[str, list[N]] = {}
    for one in clauses:
        found.setdefault(subject(one.id), []).append(one)
    return list(found.items())


def breached(report: Report) -> list[ClauseResult]:
    """Return the clauses that were broken (or that the suite broke upon), worst first."""
    return [result for status in BREACHED for result in report.clauses if result.status is status]


def core_not_exercised(report: Report) -> list[ClauseResult]:
    """Return the core clauses of which nothing came up."""
    return [result for result in report.clauses if result.core and result.status is Status.NOT_EXERCISED]


def status_counts(report: Report) -> dict[Status, int]:
    """Return how many clauses have each status, in the order of ``STATUS``."""
    counts = report.counts
    by_status = {
        Status.FAIL: counts.fail,
        Status.ERROR: counts.error,
        Status.WARN: counts.warn,
        Status.NOT_EXERCISED: counts.not_exercised,
        Status.WAIVED: counts.waived,
        Status.PASS: counts.passed,
        Status.NOT_APPLICABLE: counts.not_applicable,
    }
    return {status: by_status[status] for status in STATUS}


def in_counts(status: Status, number: int) -> str:
    """Return the status as it follows a number: ``2 failed``, ``2 warnings``."""
    return STATUS[status].lower() + ("s" if number != 1 and status in {Status.WARN, Status.ERROR} else "")


def exercised(report: Report) -> str:
    """Return ``exercised 41 of 58 clauses``."""
    return f"exercised {report.counts.exercised:,} of {count(report.counts.total, 'clause')}"


def broken_in(result: ClauseResult) -> str:
    """Return ``broken in 3 of 40 answers``; "" where it is not."""
    return f"broken in {result.breached:,} of {count(result.judged, 'answer')}" if result.breached else ""


def sentence(text: str) -> str:
    """Return a reason as a sentence. One that begins with an id or a number keeps its beginning."""
    begun = text[:1].upper() + text[1:] if re.match(r"[a-z]+[\s,;:]", text) else text
    return begun + "." if begun[-1:].isalnum() or begun.endswith(")") else begun


def more_like_this(evidence: Evidence) -> str:
    """Return ``12 more like this, last at /queue_pending/40/3``; "" where there are none."""
    if not evidence.more:
        return ""
    return f"{evidence.more:,} more like this" + (f", last at {evidence.last}" if evidence.last else "")


def times(smallest: SmallestRequest) -> str:
    """Return how often the smallest generated request breaks its clause, and whether a plain read does as well."""
    if not smallest.asked:
        return "seen once; no time was left to ask again"
    beside = f"a plain read beside it {smallest.plain_broken} of {smallest.plain_asked}"
    if not smallest.broken:
        return f"seen now and then: not again in {smallest.asked} times; {beside}"
    return f"{smallest.broken} of {smallest.asked} times; {beside}"


def place(pointer: str | None) -> str:
    """Return a JSON Pointer in words where it has none."""
    return {None: "not in the body", "": "the whole body"}.get(pointer, pointer or "")


def dialect(run: Run) -> str:
    """Return the dialect that was demanded, and what ``auto`` came to."""
    if run.dialect != Dialect.AUTO:
        return run.dialect
    return f"{run.dialect}, read as {'neither' if run.read_as == Dialect.AUTO else run.read_as}"


def order(run: Run) -> str:
    """Return the names of the five elements in the demanded order, "" where none is."""
    return ORDER.get(run.read_as, "")


def because(run: Run) -> str:
    """Return what ``auto`` was resolved by; "" under another dialect."""
    return run.read_because if run.dialect == Dialect.AUTO else ""


def reading(run: Run) -> str:
    """Return which reading of the tuple was demanded, and for ``auto`` why, in one line."""
    return "; ".join(filter(None, (dialect(run), order(run), because(run))))


def source_text(source: Source) -> str:
    """Return where the sentence of a clause stands, in words."""
    return source.rfc or f"{source.document or 'openapi-cloud.get-queue.yaml'}#{source.pointer or ''}"


def rfc_url(text: str | None) -> str | None:
    """Return where an RFC's section can be read, None where the text names none."""
    match = _RFC.match(text or "")
    if match is None:
        return None
    return f"https://www.rfc-editor.org/rfc/rfc{match[1]}" + (f"#section-{match[2]}" if match[2] else "")


def minute(text: str) -> str:
    """Return an RFC 3339 time in UTC, to the minute, for columns that say so; as it stands where it is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return text


def instant(text: str) -> str:
    """Return an RFC 3339 time as people write it; as it stands where it is none."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return text


def is_embedded(run: Run) -> bool:
    """Whether the suite tested its own reference endpoint."""
    return run.target.startswith("embedded")


def flags(report: Report) -> list[str]:
    """Return what qualifies the verdict and must stand beside it."""
    stopped = report.properties.stopped if report.properties else None
    sent = f"{report.properties.examples} of {report.properties.wanted}" if report.properties else ""
    left = len(report.jobs.left) if report.jobs else 0
    return [
        text
        for text, holds in (
            ("embedded reference endpoint, not a server of yours", is_embedded(report.run)),
            ("under load: of all requests only those are listed that findings name", report.load is not None),
            (failed_on_should(report), True),
            ("partial run", report.run.partial),
            ("of selected clauses", report.run.selected is not None),
            (_stopped(report), True),
            (slowed_down(report), True),
            (banned(report), True),
            ("certificates were not verified", report.run.options.get("insecure") is True),
            ("judged again, without asking", report.run.made_from is not None),
            (f"{len(report.servers)} servers, each judged on its own", bool(report.servers)),
            (f"{count(len(report.run.unread), 'part')} of the recordings not read", bool(report.run.unread)),
            ("whole bodies are kept in compliance.json", report.bodies is not None),
            ("workflows are hidden", report.run.options.get("redact_workflows") is True),
            (f"generated requests ended early, after {sent}: {stopped}", stopped is not None),
            (f"{count(left, 'job')} of this run may still be in the queue", left > 0),
            (f"{report.counts.waived} waived", report.counts.waived > 0),
            ("the register of known deviations does not hold", bool(problems(report))),
        )
        if holds and text
    ]


def failed_on_should(report: Report) -> str:
    """Say that warnings make the exit status 1; "" if they do not, or if the verdict does."""
    warnings = warnings_that_fail(report)
    if not warnings:
        return ""
    return (
        f"{count(warnings, 'warning')} {'fails' if warnings == 1 else 'fail'} the run: exit status 1 (--fail-on-should)"
    )


def _stopped(report: Report) -> str:
    """Say why a run was stopped; "" if it was not, or if the verdict's own reason says it."""
    stopped = report.run.stopped
    return "" if stopped is None or stopped in report.verdict_reason else f"stopped early: {stopped}"


def slowed_down(report: Report) -> str:
    """Say that a live run went on more slowly, since the server refused its pace; "" if it did not."""
    judged = (exchange.response for exchange in report.exchanges if not exchange.superseded)
    statuses = Counter(response.status for response in judged if response)
    refused = {status: number for status in (TOO_MANY, 503) if (number := statuses[status])}
    if not refused or report.run.recorded or report.load is not None:
        return ""
    told = ", ".join(f"{number} answered {status}" for status, number in refused.items())
    return f"sent again, more slowly: {told} (see --rate-limit)"


def banned(report: Report) -> str:
    """Say that the server refused everything after a wrong key, so that nothing later was judged; "" if it did not."""
    last = report.exchanges[-1] if report.exchanges else None
    if last is None or not last.superseded or report.run.stopped is not None:
        return ""
    return "the server banned this address after a wrong key: later refusals were not judged"


def moments(seen: SeenUnderLoad) -> str:
    """Return when a clause was broken first and last, and the load then."""
    return f"first {_moment(seen.first)}, last {_moment(seen.last)}"


def _moment(moment: Moment) -> str:
    return (
        f"at {instant(moment.at)} under {count(moment.requests, 'request')} a second by {count(moment.users, 'user')}"
    )


def judged_again(report: Report) -> str:
    """Say from what a report was made, in a line; "" where its run asked for itself."""
    source = report.run.made_from
    if source is None:
        return ""
    other = "" if source.document_sha256 == report.run.document_sha256 else ", by another document"
    return (
        f"judged again on {source.judged} from {source.file}: then, by suite {source.suite_version}{other}, "
        f"dialect {source.dialect}, it was {VERDICT[source.verdict].lower()} "
        f"({source.verdict_reason})"
    )


def servers(report: Report) -> list[str]:
    """Return the verdict on each server of a recording of several, one line for each."""
    return [
        f"{one.server}: {VERDICT[one.verdict].lower()}, {one.verdict_reason} ({count(one.exchanges, 'exchange')})"
        for one in report.servers
    ]


def waived(report: Report) -> list[ClauseResult]:
    """Return the clauses whose breach is known and accepted."""
    return [result for result in report.clauses if result.status is Status.WAIVED]


def problems(report: Report) -> list[tuple[str, str]]:
    """Return what of the register of known deviations does not hold: the clause, and what is the matter, where."""
    found = report.deviations
    if found is None:
        return []
    return [
        (problem.clause, problem.message + (f" ({found.file}, deviation {problem.entry})" if problem.entry else ""))
        for problem in found.problems
    ]


def verdict_line(report: Report) -> str:
    """Return the verdict with its reason and what qualifies it, on one line."""
    qualified = "".join(f" [{flag}]" for flag in flags(report))
    return f"{VERDICT[report.verdict]}: {report.verdict_reason}{qualified}"


def next_steps(report: Report) -> list[str]:
    """Return what to do next, most useful first. Words of the suite alone: safe to show as they are."""
    steps = []
    if report.verdict is Verdict.NON_CONFORMANT:
        steps.append(
            "Begin with the first failed clause: its evidence names the place, and a curl line shows it again."
        )
    if report.verdict is Verdict.INCONCLUSIVE:
        steps += _to_see_more(report)
    if problems(report):
        steps.append(
            "The register of known deviations does not hold, so the exit status is 1 whatever the verdict: "
            "mend it, or look at what is new."
        )
    if failed_on_should(report):
        steps.append("--fail-on-should was given: look at the warnings, or run without it if they may stay.")
    if report.run.stopped is not None:
        steps.append(f"This run was stopped before its end ({report.run.stopped}). What it did not ask is not known.")
    if report.run.selected is not None:
        steps.append("This run was of selected clauses. Run the whole suite for a verdict that counts.")
    if is_embedded(report.run):
        steps.append("This run tested the suite's own reference endpoint. Name your server with --target.")
    return [*steps, *_left_behind(report), *_no_answer(report)]


def generated(report: Report) -> str:
    """Return ``60 generated requests (of 60), seed 4``; an empty text if the run generated none."""
    found = report.properties
    if found is None:
        return ""
    larger = f", {found.not_cross_checked:,} too large for it" if found.not_cross_checked else ""
    checked = f"; {count(found.cross_checked, 'distinct response')} checked by the JSON Schema as well{larger}"
    sent = f"{count(found.examples, 'generated request')} (of {found.wanted}), seed {report.run.seed}"
    return sent + (checked if found.cross_checked or larger else "")


def own_jobs(jobs: OwnJobs) -> str:
    """Return ``10 prompts submitted, 9 taken, none left behind``."""
    left = count(len(jobs.left), "job") if jobs.left else "none"
    return f"{count(jobs.submitted, 'prompt')} submitted, {jobs.taken} taken, {left} left behind"


def _left_behind(report: Report) -> list[str]:
    left = report.jobs is not None and report.jobs.left
    return ["Remove the jobs that this run could not remove: compliance.json names them (jobs.left)."] if left else []


def _to_see_more(report: Report) -> list[str]:
    """Say what makes an inconclusive run conclusive."""
    answered = [exchange for exchange in report.exchanges if exchange.response]
    steps = []
    if any(
        exchange.error and exchange.error.startswith(NoResponse.NOT_RECORDED.value) for exchange in report.exchanges
    ):
        steps.append("The recording is not whole: docs/recordings.md says how to record everything that is judged.")
    elif not answered and report.run.recorded:
        steps.append("The recording holds no whole response: record it again, with headers and body.")
    elif not answered:
        steps.append("Nothing answered. Check that the server runs, then address, port, TLS and network.")
    elif (refused := _refused(answered)) is not None:
        steps.append(sentence(refused))
    elif any(subject(result.id) == "item" for result in core_not_exercised(report)):
        steps.append(
            "Queue jobs, one running and two pending at least, and run again while they wait; "
            "let the run wait for jobs with --wait-for-items, or bring its own with --populate."
        )
    if report.counts.error:
        steps.append(
            "The suite itself failed on some clauses. That is a defect of the suite: report it, with compliance.json."
        )
    return steps


def _refused(answered: Sequence[RecordedExchange]) -> str | None:
    """Return what to do where no response is a 200 and most say "not let in" or "not now"."""
    responses = [(exchange.response, exchange.request) for exchange in answered if exchange.response]
    ((status, _),) = Counter(response.status for response, _ in responses).most_common(1)
    if status not in UNAVAILABLE or any(response.status == OK for response, _ in responses):
        return None
    response, request = next(pair for pair in responses if pair[0].status == status)
    return advice(status, response.headers, {name.lower() for name, _ in request.headers})


def _no_answer(report: Report) -> list[str]:
    lost = report.properties.no_answer if report.properties else None
    return [f"A generated request brings no whole answer ({times(lost)}): {' && '.join(lost.curl)}"] if lost else []
