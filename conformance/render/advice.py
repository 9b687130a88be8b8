"""Advice to the user: what to do about a finding, and what to do next after a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from conformance.contract.conversation import OK, UNAVAILABLE
from conformance.contract.refusals import advice
from conformance.exchange.model import NoResponse
from conformance.judge.report import ClauseResult, Evidence, RecordedExchange, Report, Status, Verdict
from conformance.render.qualifiers import failed_on_should, is_embedded, register_problems, register_summary
from conformance.render.words import core_not_exercised, sentence, subject, times

_THE_VALUE_ITSELF: Final = "Send the value as JSON, not as a string that contains JSON: it is encoded twice."
_THE_API: Final = "Check that the target and --queue-path are those of the API, and not of a login page or a proxy."
_CHECK_THE_KEY: Final = "Check the key before the queue is read, and answer 401 or 403 if it is missing or wrong."
_THE_ERROR_FORM: Final = "Send errors as an object with the strings code and message at its top level."
_QUEUE_JOBS: Final = (
    "Queue at least one running and two pending jobs and run again while they wait. "
    "Or let the run wait for jobs with --wait-for-items, or submit its own with --populate."
)
_RECORD_JOBS: Final = "Queue at least one running and two pending jobs, and record a response while they wait."
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
"""What to do about a finding, by the kind of the finding."""


def cause_and_advice(result: ClauseResult, hint: str) -> tuple[str, str]:
    """Split a hint into the likely cause and the advice. The advice is ``""`` if the hint contains only the cause."""
    if result.id == "status.served":
        cause, _, advice = hint.partition(": ")
        return cause, advice
    return hint.partition("; --dialect ")[0], ""


def remedy(result: ClauseResult, evidence: Evidence | None, report: Report) -> str:
    """Return what to do about a finding: the remedy for its kind, or the rule to follow and how to check the fix."""
    if result.status is Status.ERROR:
        return "This is a defect of the suite, not of the server. Please report it, with compliance.json."
    advice = cause_and_advice(result, evidence.hint)[1] if evidence is not None and evidence.hint else ""
    known = REMEDIES.get(evidence.kind) if evidence is not None else None
    if advice or known:
        return sentence(advice) if advice else known or ""
    return f"Follow the rule: {result.title}. {_how_to_check(result, report)}"


def _how_to_check(result: ClauseResult, report: Report) -> str:
    if report.run.recorded:
        return "To check the fix, record the queue again."
    if report.load is not None:
        return f"To check the fix, run comfy-conformance check with --clause {result.id}."
    return f"To check the fix, add --clause {result.id} to the command."


def next_steps(report: Report) -> list[str]:
    """Return what to do next, most useful first. The texts contain nothing from the server."""
    steps = _to_see_more(report) if report.verdict is Verdict.INCONCLUSIVE else []
    if register_problems(report):
        steps.append(f"{sentence(register_summary(report))[:-1]}, so the run exits with 1. {_to_update(report)}")
    if failed_on_should(report):
        steps.append("--fail-on-should was given: fix the warnings, or run without it to accept them.")
    if report.run.selected is not None:
        steps.append("This run checked only selected clauses. Run the whole suite for a complete verdict.")
    if is_embedded(report.run):
        steps.append("This run tested the suite's own reference endpoint. Name your server with --target.")
    return [*steps, *_left_behind(report), *_no_response(report)]


def _to_update(report: Report) -> str:
    """Return what to do about the problems of the register of known deviations."""
    kinds = {problem.problem for problem in (report.deviations.problems if report.deviations else ())}
    fix = "Fix the failures that no entry covers, or add entries for them." if "other-fingerprint" in kinds else ""
    return " ".join(filter(None, (fix, "Update the register." if kinds - {"other-fingerprint"} else "")))


def _left_behind(report: Report) -> list[str]:
    left = report.jobs is not None and report.jobs.left
    return ["Remove the jobs that this run could not remove: compliance.json names them (jobs.left)."] if left else []


def _no_response(report: Report) -> list[str]:
    lost = report.properties.no_answer if report.properties else None
    return (
        [f"A generated request gets an incomplete response ({times(lost)}): {' && '.join(lost.curl)}"] if lost else []
    )


def _to_see_more(report: Report) -> list[str]:
    """Return what the user can do so that the next run is not inconclusive."""
    answered = [exchange for exchange in report.exchanges if exchange.response]
    steps = []
    if any(
        exchange.error and exchange.error.startswith(NoResponse.NOT_RECORDED.value) for exchange in report.exchanges
    ):
        steps.append("The recording is incomplete: docs/recordings.md says how to record a whole response.")
    elif not answered and report.run.recorded:
        steps.append("The recording contains no complete response: record again, with headers and body.")
    elif not answered:
        pass  # the reason of the verdict says what to do
    elif (refused := _refused(answered)) is not None:
        steps.append(sentence(refused))
    elif any(subject(result.id) == "item" for result in core_not_exercised(report)):
        steps.append(_RECORD_JOBS if report.run.recorded else _QUEUE_JOBS)
    if report.counts.error:
        steps.append("The suite itself failed on some clauses. Please report this defect, with compliance.json.")
    return steps


def _refused(answered: Sequence[RecordedExchange]) -> str | None:
    """Return what to do if most responses refuse the request or say to retry later; None if not, or if one is a 200."""
    responses = [(exchange.response, exchange.request) for exchange in answered if exchange.response]
    ((status, _),) = Counter(response.status for response, _ in responses).most_common(1)
    if status not in UNAVAILABLE or any(response.status == OK for response, _ in responses):
        return None
    response, request = next(pair for pair in responses if pair[0].status == status)
    return advice(status, response.headers, {name.lower() for name, _ in request.headers})
