"""Advice on what to do next, about a finding and about a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from conformance.contract.conversation import OK, UNAVAILABLE
from conformance.contract.refusals import advice
from conformance.exchange.model import NoResponse
from conformance.judge.report import ClauseResult, Evidence, RecordedExchange, Report, Status, Verdict
from conformance.render.words import (
    core_not_exercised,
    failed_on_should,
    is_embedded,
    register_problems,
    sentence,
    subject,
    times,
)

_THE_VALUE_ITSELF: Final = "Send the value itself, not a string with its JSON: it is encoded twice."
_THE_API: Final = "Check that the target and --queue-path are those of the API, and not of a login page or a proxy."
_CHECK_THE_KEY: Final = "Check the key before the queue is read, and answer 401 or 403 if it is missing or wrong."
_THE_ERROR_FORM: Final = "Send errors as an object with the strings code and message at its top level."
_COMFYUI: Final = "If this server is ComfyUI, check it with --dialect oss. Otherwise send positions that begin at 1."

REMEDIES: Final[dict[str, str]] = {
    "comfyui-order": (
        "Use --dialect oss if the server should use ComfyUI's own order. "
        "Otherwise send output_node_ids at [3] and metadata at [4]."
    ),
    "cloud-order": "Use --dialect cloud if the server should use the order of Comfy Cloud.",
    "zero": _COMFYUI,
    "negative": _COMFYUI,
    "float": "Send the number as an integer: 3, not 3.0 or 3e0.",
    "seconds": "Multiply the value by 1,000 before you send it.",
    "microseconds": "Divide the value by 1,000 before you send it.",
    "nanoseconds": "Divide the value by 1,000,000 before you send it.",
    "number-as-text": "Send the number without quotation marks.",
    "date-as-text": "Send the number of milliseconds since the Unix epoch, not a date.",
    "local-time": "Convert local time to UTC before you compute the timestamp.",
    "encoded-twice": _THE_VALUE_ITSELF,
    "web-page": _THE_API,
    "python-json": "Replace NaN and Infinity before you serialize; json.dumps(..., allow_nan=False) refuses them.",
    "python-repr": "Serialize with json.dumps, not with str or repr.",
    "let-in": _CHECK_THE_KEY,
    "comfyui-form": _THE_ERROR_FORM,
    "fastapi-form": _THE_ERROR_FORM,
    "no-hyphens": "Send the UUID with its four hyphens.",
    "surrounded": "Send only the UUID, with nothing before or after it.",
    "empty": "Send [] for an empty list.",
}
"""The remedy for a finding, by its kind."""


def remedy(result: ClauseResult, evidence: Evidence | None) -> str:
    """Return what to do about a finding: the known remedy, or how to check a fix."""
    if result.status is Status.ERROR:
        return "This is a defect of the suite, not of the server. Please report it, with compliance.json."
    known = REMEDIES.get(evidence.kind) if evidence is not None else None
    return known or f"To check a fix, run the same command with --clause {result.id}."


def next_steps(report: Report) -> list[str]:
    """Return what to do next, most useful first. The texts contain nothing from the server."""
    steps = _to_see_more(report) if report.verdict is Verdict.INCONCLUSIVE else []
    if register_problems(report):
        steps.append(
            "The register of known deviations has stale or expired entries, so the exit status is 1 with any "
            "verdict: update the register, or look at the new breaches."
        )
    if failed_on_should(report):
        steps.append("--fail-on-should was given: fix the warnings, or run without it to accept them.")
    if report.run.selected is not None:
        steps.append("This run checked only selected clauses. Run the whole suite for a complete verdict.")
    if is_embedded(report.run):
        steps.append("This run tested the suite's own reference endpoint. Name your server with --target.")
    return [*steps, *_left_behind(report), *_no_response(report)]


def _left_behind(report: Report) -> list[str]:
    left = report.jobs is not None and report.jobs.left
    return ["Remove the jobs that this run could not remove: compliance.json names them (jobs.left)."] if left else []


def _no_response(report: Report) -> list[str]:
    lost = report.properties.no_answer if report.properties else None
    return (
        [f"A generated request gets an incomplete response ({times(lost)}): {' && '.join(lost.curl)}"] if lost else []
    )


def _to_see_more(report: Report) -> list[str]:
    """Return what would make an inconclusive run conclusive."""
    answered = [exchange for exchange in report.exchanges if exchange.response]
    steps = []
    if any(
        exchange.error and exchange.error.startswith(NoResponse.NOT_RECORDED.value) for exchange in report.exchanges
    ):
        steps.append("The recording is incomplete: docs/recordings.md says how to record a whole response.")
    elif not answered and report.run.recorded:
        steps.append("The recording contains no complete response: record again, with headers and body.")
    elif not answered:
        steps.append("The server did not respond. Check that it runs, then check address, port, TLS and network.")
    elif (refused := _refused(answered)) is not None:
        steps.append(sentence(refused))
    elif any(subject(result.id) == "item" for result in core_not_exercised(report)):
        steps.append(
            "Queue at least one running and two pending jobs and run again while they wait. "
            "Or let the run wait for jobs with --wait-for-items, or submit its own with --populate."
        )
    if report.counts.error:
        steps.append("The suite itself failed on some clauses. Please report this defect, with compliance.json.")
    return steps


def _refused(answered: Sequence[RecordedExchange]) -> str | None:
    """Return what to do if no response is a 200 and most of them refuse the request or say to retry later."""
    responses = [(exchange.response, exchange.request) for exchange in answered if exchange.response]
    ((status, _),) = Counter(response.status for response, _ in responses).most_common(1)
    if status not in UNAVAILABLE or any(response.status == OK for response, _ in responses):
        return None
    response, request = next(pair for pair in responses if pair[0].status == status)
    return advice(status, response.headers, {name.lower() for name, _ in request.headers})
