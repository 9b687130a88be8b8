"""What is judged live is judged the same from a recording, for every variant and every fault.

A HAR file holds what was asked and what was answered. It does not say whether a key was the right one, and
holds no body that could not be decoded: what differs for that is listed here, and nothing else differs.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import harfile
import pytest

from conformance.contract.terms import Dialect
from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Response
from conformance.exchange.recordings import read
from conformance.exchange.secrets import Secret
from conformance.judge.build import build
from conformance.judge.judge import Judgement, judge
from conformance.judge.report import ClauseResult, Status, decode, encode
from conformance.judge.whole import exchanges_in
from conformance.probe.limits import Bounds
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.server import serve
from conformance.reference.variants import VARIANTS, Variant
from conformance.run.ask import ask
from conformance.run.settings import Settings

AT_ONCE = 8
BOUNDS = Bounds(exchange_timeout=2.0, max_body=8 << 20)
PATIENT = Bounds(exchange_timeout=0.3)
STALLING = ("never-answers", "drips")

UNTOLD_KEYS = {
    **dict.fromkeys(
        ("auth.key-required", "auth.wrong-key", "auth.empty-key", "auth.head", "auth.header-name"),
        Status.NOT_EXERCISED,  # a recording shows that a key was let in or refused, not that one had to be
    ),
    "status.steady": Status.WARN,  # the right key under another name is refused: it is taken for a read like others
}
"""Clauses of which a recording says something else where a key is enforced, and what."""

UNDECODED = ("gzip-only-in-name", "gzip-cut-short", "gzip-with-wrong-checksum")
"""Faults whose bodies no HAR file holds, since it holds bodies after their coding was undone."""


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
                response=_answered(exchange.response),
                timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
            )
    return file.getvalue().encode()


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


def asked(variant: Variant, fault: Fault | None = None) -> tuple[Sequence[Exchange], Settings]:
    """Ask the reference endpoint."""
    with serve(variant=variant.name, fault=fault.name if fault else None) as endpoint:
        settings = Settings(
            target=endpoint.url,
            key=Secret(endpoint.key) if endpoint.key else None,
            dialect=Dialect(fault.dialect if fault else variant.dialect),
            bounds=PATIENT if fault is not None and fault.name in STALLING else BOUNDS,
        )
        return ask(settings).exchanges, settings


def recordable(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Leave out what no browser records: attempts that were made again, and looks at the bytes around an answer."""
    return [exchange for exchange in exchanges if exchange.request.to_queue and not exchange.superseded]


def kept(exchanges: Sequence[Exchange], judgement: Judgement) -> Sequence[Exchange]:
    """Return the exchanges that a report with whole bodies holds, written and read."""
    report = build(judgement, exchanges, target="t", dialect="cloud", options={}, start=0, end=0, full_bodies=True)
    return exchanges_in(decode(encode(report)))


def there_and_back(variant: Variant, fault: Fault | None = None) -> Round:
    everything, settings = asked(variant, fault)
    whole = judge(everything, settings.dialect)
    again = judge(kept(everything, whole), settings.dialect)
    exchanges = recordable(everything)
    recorded = read(har(exchanges), name="run.har")
    live, offline = (judge(each, settings.dialect) for each in (exchanges, recorded))
    if settings.key is None:
        return Round(live, offline, whole, again)
    told = [
        replace(new, request=replace(new.request, credential=old.request.credential))
        for old, new in zip(exchanges, recorded, strict=True)
    ]
    return Round(live, offline, whole, again, judge(told, settings.dialect))


@pytest.fixture(scope="module")
def rounds() -> dict[str, Round]:
    faults = {name: fault for name, fault in FAULTS.items() if not fault.needs_jobs}  # a run that reads has none
    with ThreadPoolExecutor(AT_ONCE) as pool:
        broken = pool.map(lambda fault: there_and_back(VARIANTS[fault.variant], fault), faults.values())
        kept = pool.map(there_and_back, VARIANTS.values())
        return {**dict(zip(faults, broken, strict=True)), **dict(zip(VARIANTS, kept, strict=True))}


def told_of(result: ClauseResult) -> object:
    """What is said of a clause, but for names of exchanges and for the purposes that stand in messages."""
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


def test_without_a_key_a_recording_is_judged_as_the_run_was(rounds: dict[str, Round]) -> None:
    plain = {name: found for name, found in rounds.items() if not found.told and name not in UNDECODED}
    assert len(plain) > len(rounds) * 0.9
    assert {name: found for name, each in plain.items() if (found := differences(each.live, each.offline))} == {}
    assert [name for name, each in plain.items() if each.live.verdict is not each.offline.verdict] == []


def test_a_report_with_whole_bodies_is_judged_again_as_its_run_was(rounds: dict[str, Round]) -> None:
    assert [name for name, each in rounds.items() if each.whole.results != each.again.results] == []
    assert [name for name, each in rounds.items() if each.whole != each.again] == []


def test_with_a_key_a_recording_differs_in_what_it_cannot_tell_of_keys(rounds: dict[str, Round]) -> None:
    keyed = {name: each for name, each in rounds.items() if each.told}
    for name, each in keyed.items():
        statuses = {result.id: result.status for result in each.offline.results}
        changed = {clause for clause, (old, new) in differences(each.live, each.offline).items() if old is not new}
        assert changed <= set(UNTOLD_KEYS), name
        assert {clause: statuses[clause] for clause in changed} == {c: UNTOLD_KEYS[c] for c in changed}, name
    assert {*differences(rounds["key-enforced"].live, rounds["key-enforced"].offline)} >= {"auth.header-name"}


def test_keys_alone_make_that_difference(rounds: dict[str, Round]) -> None:
    for name, each in rounds.items():
        if each.told:
            told = differences(each.live, each.told)
            assert {clause for clause, (old, new) in told.items() if old is not new} == set(), name
            assert set(told) <= {"auth.key-not-echoed"}, name  # the wrong key, too, was taken out by the reader


@pytest.mark.parametrize("name", UNDECODED)
def test_a_body_that_no_recording_holds_is_no_breach(rounds: dict[str, Round], name: str) -> None:
    live, offline = rounds[name].live, rounds[name].offline
    changed = {clause: new for clause, (old, new) in differences(live, offline).items() if old is not new}
    assert set(changed) <= {"http.coding-decodes", "http.coding-asked"}
    assert set(changed.values()) == {Status.NOT_EXERCISED}
    assert "http.coding-decodes" in changed
    assert (live.verdict, offline.verdict) == ("non-conformant", "inconclusive")


def test_a_recording_that_loses_something_is_judged_otherwise() -> None:
    everything, settings = asked(VARIANTS["default"])
    exchanges = recordable(everything)
    whole = judge(exchanges, settings.dialect)
    untimed = [replace(exchange, elapsed=3600.0) for exchange in exchanges]
    bare = [
        replace(exchange, response=exchange.response and replace(exchange.response, headers=()))
        for exchange in exchanges
    ]
    assert differences(whole, judge(read(har(exchanges), name="run.har"), settings.dialect)) == {}
    for lost, clause in ((untimed, "reads.steady"), (bare, "http.content-type")):
        recorded = judge(read(har(lost), name="run.har"), settings.dialect)
        assert clause in differences(whole, recorded)


def test_a_whole_run_holds_every_kind_of_credential() -> None:
    exchanges, _ = asked(VARIANTS["key-enforced"])
    assert {exchange.request.credential for exchange in exchanges} == set(Credential)
