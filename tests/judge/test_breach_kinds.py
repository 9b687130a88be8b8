"""Kinds of breaches: words that registers of known deviations hold, each shown by an answer that has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.terms import Dialect
from conformance.exchange.model import Credential, Exchange
from conformance.judge.fingerprint import fingerprints
from conformance.judge.judge import judge
from conformance.judge.report import FINGERPRINTS
from conformance.judge.tally import KINDS
from helpers.answers import HEADERS, NOW, item, queue, read, reads, result
from helpers.conversations import A, Talk

MS = int(NOW * 1000)
ONE = queue(item(1))


def job(**changes: Any) -> list[Exchange]:
    """Return a read of one pending job."""
    return reads(queue(item(1, **changes)))


def timed(*moments: Any) -> list[Exchange]:
    """Return a read of pending jobs of these times."""
    return reads(queue(*(item(n, e4={"create_time": moment}) for n, moment in enumerate(moments, 1))))


def numbered(*numbers: int) -> list[Exchange]:
    """Return a read of pending jobs with these positions."""
    return reads(queue(*(item(n + 1, e0=number) for n, number in enumerate(numbers))))


def headed(name: str, value: str | None, content: bytes = ONE) -> list[Exchange]:
    """Return a read whose answer has one header otherwise, and no Cache-Control."""
    kept = tuple(field for field in HEADERS if field[0] not in {name, "Cache-Control"})
    return [read(content, headers=kept if value is None else (*kept, (name, value)))]


def refused(credential: Credential, method: str = "GET") -> list[Exchange]:
    """Return a read, and a request with another credential that is let in."""
    other = read(ONE, number=2, credential=credential)
    return [*reads(ONE), replace(other, request=replace(other.request, method=method))]


def error(**body: Any) -> list[Exchange]:
    """Return a read that is answered 500."""
    return [read(json.dumps(body).encode(), status=500)]


def ranged(content_range: str | None) -> list[Exchange]:
    """Return a read, and one of its first byte that is answered 206."""
    fields = (*HEADERS, *((("Content-Range", content_range),) if content_range else ()))
    part = read(b"{}", number=2, status=206, headers=fields)
    return [*reads(ONE), replace(part, request=replace(part.request, headers=(("Range", "bytes=0-0"),)))]


def head(status: int = 200, **fields: str) -> list[Exchange]:
    """Return two reads, and a HEAD between them."""
    told = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in fields.items()}}
    asked = read(b"", number=2, status=status, headers=tuple(told.items()))
    asked = replace(asked, request=replace(asked.request, method="HEAD"))
    return [read(ONE, number=1), asked, read(ONE, number=3)]


def garbled() -> list[Exchange]:
    """Return a read with a garbled Origin, answered as ComfyUI does."""
    found = read(b"500", status=500, headers=(("Content-Type", "text/plain"),))
    return [replace(found, request=replace(found.request, headers=(("Origin", "http://x:99999"),)))]


SHOWN: dict[tuple[str, str], Sequence[Exchange]] = {
    ("envelope.object", "bare-list"): reads(b"[]"),
    ("envelope.object", "encoded-twice"): reads(b'"{}"'),
    ("envelope.queue-running.array", "empty"): reads(b'{"queue_running": null}'),
    ("envelope.queue-pending.array", "empty"): reads(b'{"queue_pending": {}}'),
    ("status.served", "not-found"): [read(b"", status=404)],
    ("status.served", "not-allowed"): [read(b"", status=405)],
    ("status.served", "redirect"): [read(b"", status=302)],
    ("status.served", "login"): [read(b"", status=302, headers=(("Location", "/login"),))],
    ("status.served", "tls-port"): [read(b"The plain HTTP request was sent to HTTPS port", status=400)],
    ("status.served", "other-version"): [read(b"", status=505)],
    ("item.array", "object"): reads(queue({"id": 1})),
    ("item.array", "bare-id"): reads(queue("job-0001")),
    ("item.five-elements", "more"): reads(queue([*item(1), {}])),
    ("item.five-elements", "four"): reads(queue(item(1)[:4])),
    ("item.element-order", "comfyui-order"): job(e3={"create_time": MS}, e4=["9"]),
    ("item.element-order", "cloud-order"): job(),
    ("item.prompt-id.uuid", "no-hyphens"): job(e1="0" * 32),
    ("item.prompt-id.uuid", "surrounded"): job(e1=f"urn:uuid:{item(1)[1]}"),
    ("item.workflow.object", "encoded-twice"): job(e2="{}"),
    ("item.job-number.plain", "float"): reads(ONE.replace(b"[[1,", b"[[1.0,")),
    ("item.job-number.one-based", "zero"): job(e0=0),
    ("item.job-number.one-based", "negative"): job(e0=-1),
    ("item.create-time.present", "old-comfyui"): job(e4={"client_id": "a"}),
    ("item.create-time.number", "number-as-text"): timed(str(MS)),
    ("item.create-time.number", "date-as-text"): timed("2025-11-23"),
    ("item.create-time.milliseconds", "seconds"): timed(MS // 1000),
    ("item.create-time.milliseconds", "microseconds"): timed(MS * 1000),
    ("item.create-time.milliseconds", "nanoseconds"): timed(MS * 1_000_000),
    ("item.create-time.past", "local-time"): timed(MS + 3_600_000),
    ("queue.prompt-ids.distinct", "running-and-pending"): reads(queue(item(1), running=(item(1),))),
    ("queue.pending.oldest-first", "newest-first"): timed(MS - 1, MS - 2, MS - 3),
    ("queue.pending.oldest-first", "heap"): timed(MS - 9, MS - 7, MS - 8),
    ("queue.job-numbers.rising", "newest-first"): numbered(3, 2, 1),
    ("queue.job-numbers.rising", "heap"): numbered(1, 3, 2),
    ("lifecycle.listed", "cache"): Talk().submit(A).look().wait(3).look().jobs(**{A: "pending"}).exchanges,
    ("json.well-formed", "web-page"): reads(b"<!doctype html>"),
    ("json.well-formed", "python-repr"): reads(b"{'queue_running': []}"),
    ("json.finite-numbers", "python-json"): job(e4={"create_time": float("nan")}),
    ("http.content-type", "web-page"): headed("Content-Type", "text/html"),
    ("http.date", "absent"): headed("Date", None),
    ("http.date", "malformed"): headed("Date", "today"),
    ("http.date", "off"): headed("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("http.range", "no-content-range"): ranged(None),
    ("http.range", "other-part"): ranged("bytes 1-2/9"),
    ("http.range", "other-length"): ranged("bytes 0-0/9"),
    ("method.head", "status"): head(405),
    ("method.head", "content-type"): head(Content_Type="text/plain"),
    ("method.head", "content-length"): head(Content_Length="1"),
    ("auth.key-required", "let-in"): refused(Credential.NONE),
    ("auth.wrong-key", "let-in"): refused(Credential.WRONG),
    ("auth.empty-key", "let-in"): refused(Credential.EMPTY),
    ("auth.key-case", "let-in"): refused(Credential.OTHER_CASE),
    ("auth.head", "let-in"): [*head(), *refused(Credential.NONE, "HEAD")],
    ("error.code", "comfyui-form"): error(error={}),
    ("error.code", "fastapi-form"): error(detail="x"),
    ("error.code", "absent"): error(message="x"),
    ("error.message", "comfyui-form"): error(error={}),
    ("error.message", "fastapi-form"): error(detail="x"),
    ("error.message", "absent"): error(code="x"),
    ("error.bad-header", "comfyui-origin"): garbled(),
    ("caching.lifetime", "expires"): headed("Expires", "Sun, 23 Nov 2025 17:00:00 GMT"),
    ("privacy.credentials", "old-comfyui"): job(e4={"create_time": MS, "api_key_comfy_org": "comfyui-x"}),
    ("privacy.credentials", "by-name"): job(e4={"create_time": MS, "openaiApiKey": "abcd-1234"}),
    ("privacy.credentials", "by-value"): job(e4={"create_time": MS, "note": "Bearer abcdef0123456789"}),
}
"""By clause and kind, exchanges that show it."""


def test_every_kind_has_an_answer_that_shows_it() -> None:
    kinds = {(clause.id, kind) for clause in CATALOGUE for kind in clause.kinds}
    assert set(SHOWN) == kinds, f"add to SHOWN in {Path(__file__).name} an exchange for {sorted(kinds - set(SHOWN))}"


@pytest.mark.parametrize(("clause_id", "kind"), SHOWN, ids=str)
def test_a_kind_is_told_where_it_is_shown(clause_id: str, kind: str) -> None:
    dialect = Dialect.OSS if kind == "cloud-order" else Dialect.CLOUD
    found = result(judge(SHOWN[clause_id, kind], dialect), clause_id)
    assert {mark.kind for mark in found.fingerprints} == {kind}


def test_no_answer_has_a_kind_that_its_clause_does_not_name() -> None:
    results = [found for shown in SHOWN.values() for found in judge(shown).results]
    assert [found.id for found in results if {m.kind for m in found.fingerprints} - {"", *BY_ID[found.id].kinds}] == []


# --- all of them ----------------------------------------------------------------------------------


def test_all_fingerprints_are_kept_also_of_findings_that_are_not_listed() -> None:
    numbers = {f"name-{n:02}": float("inf") for n in range(KINDS + 20)}
    found = result(judge(job(e4={"create_time": MS, **numbers})), "json.finite-numbers")
    assert len(found.evidence) == KINDS
    assert {mark.place for mark in fingerprints(found)} == {f"/queue_pending/*/4/{name}" for name in numbers}


def test_a_server_of_many_names_does_not_make_a_report_grow_without_bound() -> None:
    numbers = {f"name-{n}": float("inf") for n in range(FINGERPRINTS * 2)}
    assert len(result(judge(job(e4=numbers)), "json.finite-numbers").fingerprints) == FINGERPRINTS
