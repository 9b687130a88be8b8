"""What is judged live is judged the same from a recording, for every variant and every fault.

A HAR file holds what was asked and what was answered. It does not say whether a key was the right one, and
holds no body that could not be decoded: what differs for that is listed here, and nothing else differs.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import harfile
import pytest

from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Response
from conformance.exchange.recordings import read
from conformance.exchange.transcript import Transcript
from conformance.judge.build import build
from conformance.judge.judge import Judgement, judge
from conformance.judge.judging import Judging
from conformance.judge.report import ClauseResult, Status, decode, encode
from conformance.judge.whole import exchanges_in
from conformance.properties.required import with_declared
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.variants import OPEN, VARIANTS
from helpers.profiles import one_in, quick_if
from helpers.reference_runs import TABULATED, Asked, first_of_its_clause, served

UNTOLD_KEYS = {
    **dict.fromkeys(
        (
            "auth.key-required",
            "auth.wrong-key",
            "auth.key-case",
            "auth.empty-key",
            "auth.head",
            "auth.header-name",
        ),
        Status.NOT_EXERCISED,  # a recording shows that a key was let in or refused, not that one had to be
    ),
    "auth.status": Status.NOT_EXERCISED,
    "method.head": Status.WARN,  # a HEAD without the key is taken for one with it
    "status.steady": Status.WARN,  # the right key under another name is refused: it is taken for a read like others
}
"""Clauses of which a recording says something else where a key is enforced, and what."""

UNDECODED = (
    "gzip-only-in-name",
    "gzip-cut-short",
    "gzip-with-wrong-checksum",
    "brotli-only-in-name",
    "gzip-called-brotli",
)
"""Faults whose bodies no HAR file holds, since it holds bodies after their coding was undone."""


def _subject(fault: Fault) -> str:
    return fault.clause.partition(".")[0]


def in_quick(name: str) -> bool:
    """Whether a fault is in ``UNDECODED``, the first of its subject, or the first of its clause and needs a key."""
    fault = FAULTS[name]
    first = next(other for other in FAULTS.values() if _subject(other) == _subject(fault) and not other.needs_jobs)
    return first is fault or (fault.needs_key and first_of_its_clause(fault)) or name in UNDECODED


SERVED = [name for name, variant in VARIANTS.items() if variant.door == OPEN and name not in TABULATED]
"""Variants that show only on a connection."""
NAMES = [
    *quick_if((name for name, fault in FAULTS.items() if not fault.needs_jobs), in_quick),
    *one_in(10, SERVED),
]
"""In the quick run one fault of each subject and every tenth variant; in the deep one all that need no jobs."""


# --- writing a recording ----------------------------------------------------------------------------------------------


def har(exchanges: Sequence[Exchange]) -> bytes:
    """Write exchanges as a browser does: bodies without their codings, as text where they are UTF-8."""
    file = io.StringIO()
    with harfile.HarFile(file) as log:
        for exchange in exchanges:
            assert exchange.started is not None
            assert exchange.elapsed is not None
            asked, milliseconds = exchange.request, exchange.elapsed * 1000
            log.add_entry(
                startedDateTime=datetime.fromtimestamp(exchange.started, UTC),
                time=milliseconds,
                request=harfile.Request(asked.method, asked.url, "HTTP/1.1", headers=_records(asked.headers)),
                response=_answered(_shown(exchange)),
                timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
            )
    return file.getvalue().encode()


def _shown(exchange: Exchange) -> Response | None:
    """Return a response with the mark for the key wherever it repeats the key: the request has that mark too."""
    response, redactor = exchange.response, exchange.redactor
    if response is None or not response.echoes:
        return response
    return replace(response, headers=redactor.headers(response.headers), content=redactor.content(response.content))


def _answered(answer: Response | None) -> harfile.Response:
    if answer is None:
        return harfile.Response(0, "", "")
    content = harfile.Content(-1, mimeType=answer.media_type or "")
    if answer.coding_error is None:
        content.size = len(answer.content)
        try:
            content.text = answer.content.decode()
        except UnicodeDecodeError:
            content.text, content.encoding = b64encode(answer.content).decode(), "base64"
    return harfile.Response(answer.status, "", answer.http_version, headers=_records(answer.headers), content=content)


def _records(headers: Headers) -> list[harfile.Record]:
    return [harfile.Record(name, value) for name, value in headers]


# --- living, and reading it again -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Round:
    """The judgement of a run and that of its recording; with a key, also ``told`` of which requests it was right.

    ``whole`` is the judgement of all that the run asked, and ``again`` of what a report with whole bodies holds of it.
    """

    live: Judgement
    offline: Judgement
    whole: Judgement
    again: Judgement
    told: Judgement | None = None


def recordable(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Leave out what no browser records: attempts that were made again, and looks at the bytes around an answer."""
    return [exchange for exchange in exchanges if exchange.request.to_queue and not exchange.superseded]


def kept(exchanges: Sequence[Exchange], judgement: Judgement) -> Sequence[Exchange]:
    """Return the exchanges that a report with whole bodies holds, written and read."""
    report = build(judgement, Transcript(tuple(exchanges), "t", 0, 0, None), Judging(full_bodies=True))
    return exchanges_in(decode(encode(report)))


def there_and_back(run: Asked) -> Round:
    """Judge a run, its recording and its report with whole bodies."""
    dialect = run.settings.dialect
    whole = judge(run.exchanges, dialect)
    again = judge(kept(run.exchanges, whole), dialect)
    exchanges = recordable(run.exchanges)
    recorded = read(har(exchanges), name="run.har")
    if run.settings.document is not None:
        recorded = with_declared(recorded, run.settings.document)
    live, offline = (judge(each, dialect) for each in (exchanges, recorded))
    if run.settings.key is None:
        return Round(live, offline, whole, again)
    told = [
        replace(new, request=replace(new.request, credential=old.request.credential))
        for old, new in zip(exchanges, recorded, strict=True)
    ]
    return Round(live, offline, whole, again, judge(told, dialect))


def told_of(result: ClauseResult) -> object:
    """Return the result of a clause, except ids of exchanges and the purposes in messages."""
    evidence = [(found.pointer, found.expected, found.got, found.more) for found in result.evidence]
    return result.status, result.judged, result.breached, evidence


def differences(before: Judgement, after: Judgement) -> dict[str, tuple[Status, Status]]:
    """Name the clauses of which something else is said, with the status in each."""
    return {
        old.id: (old.status, new.status)
        for old, new in zip(before.results, after.results, strict=True)
        if told_of(old) != told_of(new)
    }


# --- what holds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_and_a_report_with_whole_bodies_are_judged_as_their_run_was(name: str) -> None:
    found = there_and_back(served(name))
    assert found.whole.results == found.again.results
    assert found.whole == found.again
    if name in UNDECODED:
        holds_no_breach(found)
    elif found.told:
        differs_in_what_it_cannot_tell_of_keys(found, found.told)
    else:
        assert differences(found.live, found.offline) == {}
        assert found.live.verdict is found.offline.verdict


def holds_no_breach(found: Round) -> None:
    """Check that a body which no recording holds breaks nothing there."""
    changed = {clause: new for clause, (old, new) in differences(found.live, found.offline).items() if old is not new}
    assert set(changed) <= {"http.coding-decodes", "http.coding-asked"}
    assert set(changed.values()) == {Status.NOT_EXERCISED}
    assert "http.coding-decodes" in changed
    assert (found.live.verdict, found.offline.verdict) == ("non-conformant", "inconclusive")


def differs_in_what_it_cannot_tell_of_keys(found: Round, told: Judgement) -> None:
    """Check that a recording differs only in whether a key was right: ``told`` that, it does not."""
    changed = {clause: new for clause, (old, new) in differences(found.live, found.offline).items() if old is not new}
    assert changed == {clause: UNTOLD_KEYS[clause] for clause in changed if clause in UNTOLD_KEYS}
    left = differences(found.live, told)
    assert {clause for clause, (old, new) in left.items() if old is not new} == set()
    assert set(left) <= {"auth.key-not-echoed"}  # the reader took the wrong key out, too


def test_a_recording_cannot_tell_under_which_name_a_key_was_right() -> None:
    found = there_and_back(served("key-enforced"))
    assert "auth.header-name" in differences(found.live, found.offline)


def test_a_recording_that_loses_something_is_judged_otherwise() -> None:
    run = served("default")
    exchanges, dialect = recordable(run.exchanges), run.settings.dialect
    whole = judge(exchanges, dialect)
    untimed = [replace(exchange, elapsed=3600.0) for exchange in exchanges]
    bare = [
        replace(exchange, response=exchange.response and replace(exchange.response, headers=()))
        for exchange in exchanges
    ]
    assert differences(whole, judge(read(har(exchanges), name="run.har"), dialect)) == {}
    for lost, clause in ((untimed, "reads.steady"), (bare, "http.content-type")):
        recorded = judge(read(har(lost), name="run.har"), dialect)
        assert clause in differences(whole, recorded)


def test_a_whole_run_holds_every_kind_of_credential() -> None:
    exchanges = served("key-enforced").exchanges
    assert {exchange.request.credential for exchange in exchanges} == set(Credential)
