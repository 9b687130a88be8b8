"""The stored form of a run: enough to compare the run later, but nothing that users wrote into workflows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from conformance.judge.coverage import ProfileCounts, coverage
from conformance.judge.exit import unreached, warnings_that_fail
from conformance.judge.fingerprint import fingerprints
from conformance.judge.report import Fingerprint, PastRun, Report, Status, Waiver
from conformance.judge.timing import timing


@dataclass(frozen=True)
class ClauseThen:
    """The result of one clause in a past run. ``failures`` says where and in which ways it failed, in a fixed order."""

    id: str
    title: str
    level: Literal["must", "should", "info"]
    core: bool
    status: Status
    failures: tuple[Fingerprint, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """One stored run: its data, its clauses by id in the order of the report, its waivers, and counts by profile."""

    run: PastRun
    clauses: Mapping[str, ClauseThen]
    waivers: tuple[Waiver, ...] = ()
    profiles: tuple[ProfileCounts, ...] = ()


def snapshot(report: Report, number: int = 0, name: str | None = None) -> Snapshot:
    """Return the stored form of a report. ``name`` is the name of the target, if the report has none."""
    run, took = report.run, timing(report)
    given = run.options.get("name")
    return Snapshot(
        PastRun(
            number=number,
            target=run.target,
            queue_path=str(run.options.get("queue_path") or ""),
            dialect=run.dialect,
            start=run.start,
            end=run.end,
            verdict=report.verdict,
            reason=report.verdict_reason,
            partial=run.partial,
            selected=run.selected,
            suite_version=run.suite_version,
            edition=run.edition,
            document_sha256=run.document_sha256,
            counts=report.counts,
            failed_on_should=warnings_that_fail(report) > 0,
            p50=None if took is None else took.p50,
            p95=None if took is None else took.p95,
            name=str(given) if given else name,
            read_as=run.read_as,
            unreached=unreached(report),
        ),
        {
            result.id: ClauseThen(
                result.id, result.title, result.level, result.core, result.status, in_order(fingerprints(result))
            )
            for result in report.clauses
        },
        waivers_of(report),
        coverage(report.clauses, run),
    )


def waivers_of(report: Report) -> tuple[Waiver, ...]:
    """Return the entries of the register of known deviations that apply to a run."""
    known = () if report.deviations is None else report.deviations.known
    return tuple(Waiver(clause=one.clause, expires=one.expires, owner=one.owner, reason=one.reason) for one in known)


def in_order(failures: Iterable[Fingerprint]) -> tuple[Fingerprint, ...]:
    """Return failures sorted for display: by place, and failures outside the body first."""
    return tuple(sorted(failures, key=lambda failure: (failure.place or "", failure.kind)))
