"""Phrases that all renderings of a report share: names of statuses and subjects, counts, qualifiers of the verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final, TypeVar

from conformance.contract.clause import Source
from conformance.contract.terms import ORDER, Dialect, Profile
from conformance.judge import outcome
from conformance.judge.coverage import coverage
from conformance.judge.report import (
    ClauseResult,
    Evidence,
    GeneratedRequests,
    Moment,
    OwnJobs,
    PastRun,
    Report,
    Run,
    SeenUnderLoad,
    SmallestRequest,
    Status,
    Verdict,
)
from conformance.text.plural import count

T = TypeVar("T")
VERDICT: Final = {
    Verdict.CONFORMANT: "Conformant",
    Verdict.NON_CONFORMANT: "Non-conformant",
    Verdict.INCONCLUSIVE: "Inconclusive",
}

SHOWN_VALUES: Final = 5
"""Maximum number of values that were not sent that a summary names."""

VERDICT_MEANING: Final = {
    Verdict.CONFORMANT: "Every core clause was checked, and no response broke a must clause.",
    Verdict.NON_CONFORMANT: "At least one response broke a must clause.",
    Verdict.INCONCLUSIVE: "No must clause was broken, but the run saw too little to say that the server conforms.",
}

STATUS: Final = {
    Status.FAIL: "Failed",
    Status.ERROR: "Error",
    Status.WARN: "Warning",
    Status.NOT_EXERCISED: "Not checked",
    Status.WAIVED: "Waived",
    Status.PASS: "Passed",
    Status.NOT_APPLICABLE: "Not applicable",
}
"""The names of statuses, in the order in which reports list them."""

STATUS_MEANING: Final = {
    Status.FAIL: "A must clause was broken.",
    Status.ERROR: "The suite itself failed while judging this clause. It says nothing about the server.",
    Status.WARN: "A should clause was broken. The verdict stays the same; with --fail-on-should the exit status is 1.",
    Status.NOT_EXERCISED: "No response showed whether the server follows the clause.",
    Status.WAIVED: "A breach that the register of known deviations accepts, with a reason.",
    Status.PASS: "The clause was checked, and no response broke it.",
    Status.NOT_APPLICABLE: "The clause does not apply under this dialect or with these options.",
}

LEVEL_MEANING: Final = {
    "must": "Required by the schema or the text of the document, or by a MUST in an RFC.",
    "should": "Inferred from the document, or a SHOULD in an RFC.",
    "info": "For information only.",
}

SUBJECT: Final = {
    "status": "Serving the queue",
    "envelope": "The envelope (QueueInfo)",
    "item": "Each job (the QueueItem tuple)",
    "queue": "The queue as a whole",
    "workflow": "Workflows",
    "reads": "From one response to the next",
    "json": "JSON text",
    "http": "HTTP",
    "framing": "Message framing",
    "method": "Methods other than GET",
    "auth": "Authentication",
    "error": "Errors (ErrorResponse)",
    "caching": "Caching",
    "cors": "Cross-origin access",
    "privacy": "Privacy",
    "lifecycle": "Life of a job",
    "document": "Document",
}

_RFC: Final = re.compile(r"RFC (\d+)(?:.*?(?:§|[Ss]ection )\s*(\d+(?:\.\d+)*))?")
BREACHED: Final = (Status.FAIL, Status.ERROR, Status.WARN)
"""The statuses of broken clauses and of clauses on which the suite failed, worst first."""


def subject(clause_id: str) -> str:
    """Return the first word of a clause's id, such as ``item``."""
    return clause_id.partition(".")[0]


def subject_title(name: str) -> str:
    """Return the heading for the clauses whose ids begin with this word."""
    return SUBJECT.get(name, name.replace("-", " ").capitalize())


def by_subject(clauses: Iterable[T], id_of: Callable[[T], str] = attrgetter("id")) -> list[tuple[str, list[T]]]:
    """Group clauses by the first word of their ids. Groups and clauses keep their order."""
    found: dict[str, list[T]] = {}
    for one in clauses:
        found.setdefault(subject(id_of(one)), []).append(one)
    return list(found.items())


def breached(report: Report) -> list[ClauseResult]:
    """Return the clauses that were broken, or on which the suite failed, worst first."""
    return [result for status in BREACHED for result in report.clauses if result.status is status]


def core_not_exercised(report: Report) -> list[ClauseResult]:
    """Return the core clauses that this run did not check."""
    return [result for result in report.clauses if result.core and result.status is Status.NOT_EXERCISED]


def status_counts(report: Report) -> dict[Status, int]:
    """Return how many clauses have each status, in the order of ``STATUS``."""
    tally = Counter(result.status for result in report.clauses)
    return {status: tally[status] for status in STATUS}


def in_counts(status: Status, number: int) -> str:
    """Return a status as it follows a number: ``2 failed``, ``2 warnings``."""
    return STATUS[status].lower() + ("s" if number != 1 and status in {Status.WARN, Status.ERROR} else "")


def checked(report: Report) -> str:
    """Return how many clauses were checked: ``Checked 94 of 106 clauses that this run could check``."""
    total = sum(counts.total for counts in coverage(report.clauses, report.run))
    return f"Checked {report.counts.exercised:,} of {count(total, 'clause')} that this run could check"


def profile_counts(report: Report) -> list[tuple[Profile, str, str]]:
    """Return each profile with two texts: ``20 of 25`` (checked) and ``5 need --populate`` (out of reach of this run).

    A text is ``""`` if it would count no clause.
    """
    return [
        (
            counts.profile,
            f"{counts.checked:,} of {counts.total:,}" if counts.total else "",
            _in_need(counts.out_of_reach),
        )
        for counts in coverage(report.clauses, report.run)
    ]


def profile_lines(report: Report) -> list[tuple[Profile, str]]:
    """Return each profile with one text on how many of its clauses were checked: ``20 of 25; 5 need --populate``."""
    return [(profile, "; ".join(filter(None, both))) for profile, *both in profile_counts(report)]


def _in_need(needs: Mapping[str, int]) -> str:
    """Return how many clauses could not be checked without something: ``22 need --populate, 1 needs a key``."""
    ordered = sorted(needs.items(), key=lambda need: -need[1])
    return ", ".join(f"{number:,} need{'s' if number == 1 else ''} {what}" for what, number in ordered)


def not_checked(report: Report) -> str:
    """Return how many clauses were not checked, and what they need; ``""`` if there are none."""
    if not report.counts.not_exercised:
        return ""
    needs: Counter[str] = Counter()
    for counts in coverage(report.clauses, report.run):
        needs.update(counts.needs)
    return f"{report.counts.not_exercised:,} not checked: {_in_need(needs)}."


def rule(level: str, title: str) -> str:
    """Return the title of a clause as a rule, so that nobody reads it as a finding: ``must: queue_running is ...``."""
    return f"{level}: {title}"


def broken_in(result: ClauseResult) -> str:
    """Return ``broken in 3 of 40 responses``, or ``""`` if no response broke the clause."""
    return outcome.broken_in(result.id, result.breached, result.judged) if result.breached else ""


def sentence(text: str) -> str:
    """Return a text as a sentence with a full stop.

    It gets a capital letter unless it begins with an id or a number.
    """
    begun = text[:1].upper() + text[1:] if re.match(r"[a-z]+[\s,;:]", text) else text
    return begun + "." if begun[-1:].isalnum() or begun.endswith(")") else begun


def more_like_this(evidence: Evidence) -> str:
    """Return ``12 more in the same response, last at /queue_pending/40/3``, or ``""``."""
    if not evidence.more:
        return ""
    return f"{evidence.more:,} more in the same response" + (f", last at {evidence.last}" if evidence.last else "")


def times(smallest: SmallestRequest) -> str:
    """Return how often a repeated generated request broke the clause, and how often a normal GET broke it."""
    if not smallest.asked:
        return "seen once; no time was left to repeat it"
    beside = f"a normal GET for comparison: {smallest.plain_broken} of {smallest.plain_asked}"
    if not smallest.broken:
        return f"intermittent: not again in {smallest.asked} times; {beside}"
    return f"{smallest.broken} of {smallest.asked} times; {beside}"


def place(pointer: str | None) -> str:
    """Return the place of a finding: its JSON Pointer, or words for None (not in the body) and ``""`` (all of it)."""
    return {None: "not in the body", "": "the whole body"}.get(pointer, pointer or "")


def dialect(run: Run | PastRun) -> str:
    """Return the dialect that the run required, and for ``auto`` the dialect that the run detected."""
    if run.dialect != Dialect.AUTO or run.read_as is None:
        return run.dialect
    return f"{run.dialect}, read as {'neither' if run.read_as == Dialect.AUTO else run.read_as}"


def order(run: Run) -> str:
    """Return the names of the five elements in the required order; ``""`` if no order is required."""
    return ORDER.get(run.read_as, "")


def dialect_reason(run: Run) -> str:
    """Return why ``auto`` decided as it did; ``""`` for another dialect."""
    return run.read_because if run.dialect == Dialect.AUTO else ""


def dialect_line(run: Run) -> str:
    """Return the dialect, the order of elements that it requires, and for ``auto`` the reason, in one line."""
    return "; ".join(filter(None, (dialect(run), order(run), dialect_reason(run))))


def source_text(source: Source) -> str:
    """Return where a clause comes from: the section of an RFC, or a file with a JSON Pointer."""
    return source.rfc or f"{source.document or 'openapi-cloud.get-queue.yaml'}#{source.pointer or ''}"


def rfc_url(text: str | None) -> str | None:
    """Return the URL of an RFC section, or None if the text names no RFC."""
    match = _RFC.match(text or "")
    if match is None:
        return None
    return f"https://www.rfc-editor.org/rfc/rfc{match[1]}" + (f"#section-{match[2]}" if match[2] else "")


def minute(text: str) -> str:
    """Return an RFC 3339 time in UTC without seconds, for tables. Any other text is returned unchanged."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return text


def instant(text: str) -> str:
    """Return an RFC 3339 time in a readable form. Any other text is returned unchanged."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return text


def duration(run: Run) -> float | None:
    """Return how long a run took, in seconds. None if its start or end is not a time."""
    try:
        return (datetime.fromisoformat(run.end) - datetime.fromisoformat(run.start)).total_seconds()
    except (ValueError, TypeError):
        return None


def moments(seen: SeenUnderLoad) -> str:
    """Return when a clause was first and last broken under load, and how many requests and users there were then."""
    return f"first {_moment(seen.first)}, last {_moment(seen.last)}"


def _moment(moment: Moment) -> str:
    return (
        f"at {instant(moment.at)} under {count(moment.requests, 'request')} a second by {count(moment.users, 'user')}"
    )


def judged_again(report: Report) -> str:
    """Return which earlier report this report was made from without new requests; ``""`` for a normal run."""
    source = report.run.made_from
    if source is None:
        return ""
    other = "" if source.document_sha256 == report.run.document_sha256 else ", another document"
    return (
        f"judged again on {source.judged} from {source.file}: before, with suite {source.suite_version}{other}, "
        f"dialect {source.dialect}, it was {VERDICT[source.verdict].lower()} "
        f"({source.verdict_reason})"
    )


def servers(report: Report) -> list[str]:
    """Return the verdict on each server of a recording with several, one line for each."""
    return [
        f"{one.server}: {VERDICT[one.verdict].lower()}, {one.verdict_reason} ({count(one.exchanges, 'exchange')})"
        for one in report.servers
    ]


def waived(report: Report) -> list[ClauseResult]:
    """Return the clauses whose breach the register of known deviations accepts."""
    return [result for result in report.clauses if result.status is Status.WAIVED]


def generated(report: Report) -> str:
    """Return how many generated requests were sent: ``60 generated requests (of 60), seed 4``; ``""`` if none."""
    found = report.properties
    if found is None:
        return ""
    larger = f", {found.not_cross_checked:,} too large for that" if found.not_cross_checked else ""
    checked = f"; {count(found.cross_checked, 'distinct response')} also checked by the JSON Schema{larger}"
    sent = f"{count(found.examples, 'generated request')} (of {found.wanted}), seed {report.run.seed}"
    return sent + (checked if found.cross_checked or larger else "") + unsent(found)


def unsent(found: GeneratedRequests) -> str:
    """Return which declared values were not sent: ``; not sent: ?depth=7 and 3 more declared values``. May be empty."""
    if not found.unsent:
        return ""
    more = len(found.unsent) - SHOWN_VALUES
    others = f" and {count(more, 'more declared value')}" if more > 0 else ""
    return f"; not sent: {', '.join(found.unsent[:SHOWN_VALUES])}{others}"


def own_jobs(jobs: OwnJobs) -> str:
    """Return what happened to the run's own jobs: ``10 jobs submitted, 9 accepted, none left behind``."""
    left = count(len(jobs.left), "job") if jobs.left else "none"
    return f"{count(jobs.submitted, 'job')} submitted, {jobs.taken} accepted, {left} left behind"
