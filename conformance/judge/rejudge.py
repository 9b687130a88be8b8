"""Check the responses in a report again, with the current clauses and without the network."""

from __future__ import annotations

import time

import msgspec
from msgspec import structs

from conformance.contract.terms import Dialect
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.judging import Judging
from conformance.judge.ledger import instant
from conformance.judge.report import MadeFrom, Report, decode
from conformance.judge.whole import NotWhole, exchanges_in


class _Told(msgspec.Struct):
    """The members by which a file is recognised as the ``compliance.json`` of a report."""

    schema_version: int
    verdict: str
    clauses: msgspec.Raw
    exchanges: msgspec.Raw


def is_report(data: bytes) -> bool:
    """Whether a file is the report of a run, possibly a damaged one, rather than the response of a server."""
    if b'"schema_version"' not in data:
        return False
    try:
        msgspec.json.decode(data, type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def read_source(data: bytes, name: str) -> tuple[Report, Transcript]:
    """Parse a report, and return it with the requests and responses of its run.

    Raises NotWhole if it lacks some bodies.
    """
    try:
        source = decode(data)
        Dialect(source.run.dialect)
    except ValueError as error:
        raise NotWhole(f"{name} is not a whole report of a run: {error}") from None
    try:
        exchanges = exchanges_in(source)
    except NotWhole as problem:
        raise NotWhole(f"{name} cannot be judged again: {problem}") from None
    transcript = Transcript(
        exchanges, source.run.target, 0.0, 0.0, source.run.stopped, unread=source.run.unread, recorded=True
    )
    return source, transcript


def judge_again(source: Report, transcript: Transcript, judging: Judging, *, name: str) -> Report:
    """Check the responses in a report again and return the new report.

    Target, times, seed and generated requests are those of the old report, and so are the options, except those in
    ``judging``.
    """
    report = report_on(transcript, judging)
    then = source.run
    made_from = MadeFrom(
        file=name,
        judged=instant(time.time()),
        suite_version=then.suite_version,
        document_sha256=then.document_sha256,
        dialect=then.dialect,
        edition=then.edition,
        verdict=source.verdict,
        verdict_reason=source.verdict_reason,
    )
    run = structs.replace(
        report.run,
        start=then.start,
        end=then.end,
        seed=then.seed,
        options=then.options | report.run.options,
        made_from=made_from,
    )
    smallest = {result.id: result.smallest for result in source.clauses}
    clauses = tuple(
        structs.replace(result, smallest=smallest.get(result.id)) if result.evidence else result
        for result in report.clauses
    )
    return structs.replace(report, run=run, clauses=clauses, properties=source.properties, jobs=source.jobs)
