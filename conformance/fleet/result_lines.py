"""The lines of ``results.jsonl`` as frozen values.

The file has a header, a line for each target, and a footer. A file without a footer is from a run that did not finish.
Members may be added, but never changed or removed, as in ``compliance.json``.
"""

from __future__ import annotations

from typing import Final, Literal

from conformance.history.night_results import TargetOutcome, TargetResult
from conformance.judge.fingerprint import fingerprints
from conformance.judge.report import Report, Status, Value
from conformance.judge.timing import timing
from conformance.render.overview import result
from conformance.run.targets import Target
from conformance.spec.document import DOCUMENT_SHA256
from conformance.version import __version__

FINGERPRINTS: Final = 50
"""Maximum number of kinds of breaches in a line. The report of the target has all."""


class BreachKind(Value, frozen=True, kw_only=True):
    """One way to break a must clause: the clause, the place (see ``judge.fingerprint``), and the kind of finding."""

    clause: str
    place: str | None
    kind: str


class Stored(Value, frozen=True, kw_only=True):
    """Where ``reports.jsonl.gz`` contains a report: a gzip member of ``size`` bytes that begins at byte ``start``."""

    start: int
    size: int


class Header(Value, frozen=True, kw_only=True, tag_field="kind", tag="header"):
    """The first line. ``options`` are the options given for all targets.

    ``part`` says which part of the targets was checked.
    """

    schema_version: Literal[1] = 1
    suite_version: str = __version__
    document_sha256: str = DOCUMENT_SHA256
    source: str
    start: str
    options: dict[str, str | int | float | bool | None]
    part: str | None = None


class EndpointResult(TargetResult, frozen=True, kw_only=True, tag_field="kind", tag="endpoint"):
    """The line of one target.

    ``seconds`` is the duration of the check. ``p50`` and ``p95`` are the median and the 95th percentile of the response
    times, in seconds. ``received`` is the size of all bodies in bytes. ``worker`` names the process that checked the
    target.
    """

    seconds: float = 0.0
    requests: int = 0
    received: int = 0
    p50: float | None = None
    p95: float | None = None
    breaches: tuple[BreachKind, ...] = ()
    worker: str = ""
    stored: Stored | None = None


class Footer(Value, frozen=True, kw_only=True, tag_field="kind", tag="footer"):
    """The last line. ``counts`` has the number of targets by outcome, ``exit`` is the exit status of the whole run."""

    end: str
    endpoints: int
    outcome: TargetOutcome
    exit: int
    counts: dict[TargetOutcome, int]


ResultLine = Header | EndpointResult | Footer


def endpoint_result(name: str, report: Report, status: int, *, seconds: float) -> EndpointResult:
    """Return the line of a target, made from its report. ``status`` is the exit status that ``check`` would have."""
    plain = result(name, report, status)
    answers = [exchange.response for exchange in report.exchanges if exchange.response is not None]
    times = timing(report)
    known = {field: getattr(plain, field) for field in plain.__struct_fields__}
    return EndpointResult(
        **known | {"report": None},
        seconds=round(seconds, 3),
        requests=len(report.exchanges),
        received=sum(answer.size for answer in answers),
        p50=times and round(times.p50, 6),
        p95=times and round(times.p95, 6),
        breaches=_breaches(report),
    )


def failed_result(target: Target, reason: str, status: int = 3) -> EndpointResult:
    """Return the line of a target that could not be checked. ``reason`` says why; nothing is known about the server."""
    return EndpointResult(
        name=target.name, target=target.url, dialect=target.dialect, outcome="error", reason=reason, exit=status
    )


def _breaches(report: Report) -> tuple[BreachKind, ...]:
    found = {
        (one.id, each.place, each.kind)
        for one in report.clauses
        if one.status is Status.FAIL
        for each in fingerprints(one)
    }
    ordered = sorted(found, key=lambda each: (each[0], each[1] or "", each[2]))
    return tuple(BreachKind(clause=clause, place=place, kind=kind) for clause, place, kind in ordered[:FINGERPRINTS])
