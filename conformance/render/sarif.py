"""Render a report as SARIF 2.1.0, a format for static analysis. Each clause is a rule, each finding a result.

Programs that read SARIF often treat every result as an alert, even if its ``kind`` is ``pass``, and a rule without
results as passed. So passed clauses have no result, and clauses that were not checked are notifications.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from conformance.judge.fingerprint import fingerprint
from conformance.judge.report import ClauseResult, Evidence, Report, Status, Verdict
from conformance.render.qualifiers import failed_on_should, is_embedded, register_problems
from conformance.render.words import STATUS, more_like_this, rfc_url, rule, sentence, source_text
from conformance.text.safe import visible

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL: Final = {"must": "error", "should": "warning", "info": "note"}
_FOUND: Final = (Status.FAIL, Status.WARN, Status.WAIVED)
_BASE: Final = "ENDPOINT"
"""The base of relative URIs, which consist of host and path. GitHub refuses a file that contains any http URI."""
_NOTED: Final = {Status.ERROR: "error", Status.NOT_EXERCISED: "warning", Status.NOT_APPLICABLE: "note"}


def render_sarif(report: Report) -> bytes:
    """Return ``results.sarif``. Waived breaches are suppressed; a stale or expired register is a notification."""
    run, clauses = report.run, report.clauses
    told = (f"{report.verdict.value}: {report.verdict_reason}", failed_on_should(report))
    urls = {exchange.id: exchange.request.url for exchange in report.exchanges}
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "comfy-queue-conformance",
                        "semanticVersion": visible(run.suite_version),
                        "rules": [_rule(result) for result in clauses],
                    }
                },
                "automationDetails": {"id": f"comfy-queue-conformance/{_uri(run.target)}/{_uri(run.dialect)}/"},
                "invocations": [
                    {
                        # without a verdict, no finding does not mean no problem
                        "executionSuccessful": report.verdict is not Verdict.INCONCLUSIVE,
                        "exitCodeDescription": visible("; ".join(filter(None, told))),
                        "startTimeUtc": visible(run.start),
                        "endTimeUtc": visible(run.end),
                        "toolExecutionNotifications": [
                            _notification(result, index)
                            for index, result in enumerate(clauses)
                            if result.status in _NOTED
                        ],
                        "toolConfigurationNotifications": [
                            {
                                "descriptor": {"id": "known-deviation"},
                                "level": "error",
                                "message": {"text": visible(f"{clause}: {what}")},
                            }
                            for clause, what in register_problems(report)
                        ],
                    }
                ],
                "originalUriBaseIds": {
                    _BASE: {"description": {"text": "The server: the first segment of a URI is its host and port."}}
                },
                "results": [
                    _result(result, index, evidence, _place(report, urls.get(evidence.exchange if evidence else "")))
                    for index, result in enumerate(clauses)
                    if result.status in _FOUND
                    for evidence in result.evidence or (None,)
                ],
                "properties": {
                    "verdict": report.verdict.value,
                    "verdict_reason": visible(report.verdict_reason),
                    "target": visible(run.target),
                    "dialect": visible(run.dialect),
                    "document_sha256": visible(run.document_sha256),
                    "partial": run.partial,
                    "counts": report.counts,
                },
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _rule(result: ClauseResult) -> dict[str, Any]:
    quoted = f"“{result.source.quote}”, {source_text(result.source)}" if result.source.quote else ""
    quoted += f". Inferred: {result.source.inferred}" if quoted and result.source.inferred else ""
    url = rfc_url(result.source.rfc)
    return {
        "id": visible(result.id),
        "shortDescription": {"text": visible(result.title)},
        "fullDescription": {"text": visible(quoted or f"{result.title} ({source_text(result.source)})", keep="\n")},
        "help": {"text": visible(result.why or result.title)},
        **({} if url is None else {"helpUri": url}),
        "defaultConfiguration": {"level": _LEVEL[result.level]},
        "properties": {
            "tags": [result.level, *(["core"] if result.core else [])],
            "status": result.status.value,
            "judged": result.judged,
            "breached": result.breached,
        },
    }


def _result(result: ClauseResult, index: int, evidence: Evidence | None, place: str) -> dict[str, Any]:
    artifact = {"uri": place, "uriBaseId": _BASE}
    region = {
        "startLine": 1,
        "startColumn": 1,
        "endLine": 1,
        "endColumn": 1,
    }  # GitHub requires a region; the pointer has the place
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    found: dict[str, Any] = {
        "ruleId": visible(result.id),
        "ruleIndex": index,
        "kind": "fail",
        "level": _LEVEL[result.level],
        "message": {"text": _message(result, evidence)},
        "locations": [location],
        "partialFingerprints": {"clausePlaceKind/v1": _digest(result, evidence)},
    }
    if evidence is not None:
        found["occurrenceCount"] = 1 + evidence.more
        if evidence.pointer is not None:
            pointer = visible(evidence.pointer) or "/"
            location["logicalLocations"] = [{"fullyQualifiedName": pointer, "kind": "jsonPointer"}]
    if result.status is Status.WAIVED:
        why = visible(result.waiver or "waived")
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return found


def _message(result: ClauseResult, evidence: Evidence | None) -> str:
    if evidence is None:
        return visible(f"{result.reason} ({rule(result.level, result.title)})")
    told = [sentence(evidence.message), f"Expected {sentence(evidence.expected)}", f"Got {sentence(evidence.got)}"]
    told += [sentence(text) for text in (evidence.hint, more_like_this(evidence)) if text]
    return visible(" ".join(told))


def _digest(result: ClauseResult, evidence: Evidence | None) -> str:
    """Return a digest of clause, place and kind, so that the same failure is recognised in another run."""
    mark = None if evidence is None else fingerprint(evidence)
    return hashlib.sha256(msgspec.json.encode((result.id, mark))).hexdigest()


def _notification(result: ClauseResult, index: int) -> dict[str, Any]:
    level = "note" if result.status is Status.NOT_EXERCISED and not result.core else _NOTED[result.status]
    return {
        "descriptor": {"id": result.status.value},
        "associatedRule": {"id": visible(result.id), "index": index},
        "level": level,
        "message": {"text": visible(f"{STATUS[result.status]}: {rule(result.level, result.title)} ({result.reason})")},
    }


def _place(report: Report, url: str | None) -> str:
    """Return the location for SARIF: host and path of a URL, as a relative URI that is the same in every run."""
    run = report.run
    try:
        parts = urlsplit(url or run.target)
    except ValueError:
        parts = urlsplit("")
    host = "embedded" if is_embedded(run) else parts.netloc.rpartition("@")[2]
    path = parts.path if parts.scheme in {"http", "https", "file"} else "api/queue"
    return (
        "/".join(quote(visible(piece), safe="") for piece in f"{host}/{path}".split("/") if piece.strip("."))
        or "api/queue"
    )


def _uri(text: str) -> str:
    return quote(visible(text), safe=":/?#[]@!$&'()*+,;=%~") or "api/queue"
