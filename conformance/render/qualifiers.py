"""The qualifiers of a verdict, which every rendering shows beside it, and the problems of the register."""

from __future__ import annotations

from collections import Counter
from typing import Final

from conformance.contract.conversation import TOO_MANY
from conformance.judge.exit import warnings_that_fail
from conformance.judge.report import Report, Run
from conformance.render.words import VERDICT
from conformance.text.plural import count


def is_embedded(run: Run) -> bool:
    """Return whether the suite tested its own reference endpoint."""
    return run.target.startswith("embedded")


def flags(report: Report) -> list[str]:
    """Return the qualifiers of the verdict, such as ``partial run``. Every rendering shows them next to the verdict."""
    stopped = report.properties.stopped if report.properties else None
    sent = f"{report.properties.examples} of {report.properties.wanted}" if report.properties else ""
    left = len(report.jobs.left) if report.jobs else 0
    return [
        text
        for text, holds in (
            ("embedded reference endpoint, not your server", is_embedded(report.run)),
            ("under load: only requests with findings are listed", report.load is not None),
            (failed_on_should(report), True),
            ("partial run", report.run.partial),
            ("only selected clauses", report.run.selected is not None),
            (_stopped(report), True),
            (slowed_down(report), True),
            (banned(report), True),
            ("certificates were not verified", report.run.options.get("insecure") is True),
            ("judged again, without new requests", report.run.made_from is not None),
            (f"{len(report.servers)} servers, judged separately", bool(report.servers)),
            (report.run.uncompared or "", True),
            (f"{count(len(report.run.unread), 'part')} of the recordings not read", bool(report.run.unread)),
            ("whole bodies are kept in compliance.json", report.bodies is not None),
            ("workflows are hidden", report.run.options.get("redact_workflows") is True),
            (f"generated requests ended early, after {sent}: {stopped}", stopped is not None),
            (f"{count(left, 'job')} of this run may still be in the queue", left > 0),
            (f"{report.counts.waived} waived", report.counts.waived > 0),
            (register_summary(report), True),
        )
        if holds and text
    ]


def failed_on_should(report: Report) -> str:
    """Return text that warnings make the run fail (--fail-on-should); ``""`` if not, or if the run fails anyway."""
    warnings = warnings_that_fail(report)
    if not warnings:
        return ""
    return (
        f"{count(warnings, 'warning')} {'fails' if warnings == 1 else 'fail'} the run: exit status 1 (--fail-on-should)"
    )


def _stopped(report: Report) -> str:
    """Return why a run was stopped; ``""`` if it was not stopped, or if the verdict's reason already says so."""
    stopped = report.run.stopped
    return "" if stopped is None or stopped in report.verdict_reason else f"stopped early: {stopped}"


def slowed_down(report: Report) -> str:
    """Return text that requests were repeated because the server limits their rate; ``""`` if that did not happen."""
    judged = (exchange.response for exchange in report.exchanges if not exchange.superseded)
    statuses = Counter(response.status for response in judged if response)
    refused = {status: number for status in (TOO_MANY, 503) if (number := statuses[status])}
    if not refused or report.run.recorded or report.load is not None:
        return ""
    told = ", ".join(f"{number} answered {status}" for status, number in refused.items())
    return f"slowed down and repeated: {told} (see --rate-limit)"


def banned(report: Report) -> str:
    """Return text that the server refused all requests after a wrong key and they were not judged; ``""`` otherwise."""
    last = report.exchanges[-1] if report.exchanges else None
    if last is None or not last.superseded or report.run.stopped is not None:
        return ""
    return "the server banned this address after a wrong key: later refusals were not judged"


def register_problems(report: Report) -> list[tuple[str, str]]:
    """Return the stale, expired and unknown entries of the register of known deviations: clause and problem of each."""
    found = report.deviations
    if found is None:
        return []
    return [
        (problem.clause, problem.message + (f" ({found.file}, deviation {problem.entry})" if problem.entry else ""))
        for problem in found.problems
    ]


_PROBLEM: Final[dict[str, tuple[str, str]]] = {
    "expired": ("expired entry", "expired entries"),
    "stale": ("stale entry", "stale entries"),
    "unknown-clause": ("unknown clause", "unknown clauses"),
    "other-fingerprint": ("failure that no entry covers", "failures that no entry covers"),
}


def register_summary(report: Report) -> str:
    """Return what is wrong with the register: ``the register of known deviations has 1 stale entry``, or ``""``."""
    kinds = Counter[str](problem.problem for problem in (report.deviations.problems if report.deviations else ()))
    told = [
        f"{kinds[kind]} {many if kinds[kind] > 1 else one}" for kind, (one, many) in _PROBLEM.items() if kinds[kind]
    ]
    return f"the register of known deviations has {' and '.join(told)}" if told else ""


def verdict_line(report: Report) -> str:
    """Return the verdict with its reason and its qualifiers, on one line."""
    qualified = "".join(f" [{flag}]" for flag in flags(report))
    return f"{VERDICT[report.verdict]}: {report.verdict_reason}{qualified}"
