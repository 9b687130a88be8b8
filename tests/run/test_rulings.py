"""Runs against servers that were once judged wrongly because of the key that was sent to them."""

from __future__ import annotations

import json

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.omissions import LEFT_OUT
from conformance.exchange.model import Credential
from conformance.judge.report import Status, encode
from conformance.probe.plan import BROWSER_ACCEPT
from conformance.reference.app import Reference
from conformance.reference.message import IncomingRequest, Reply, Twist
from conformance.reference.variants import VARIANTS, Variant
from helpers.simulated_runs import Clock, judged, ran

KEYED = [name for name, variant in VARIANTS.items() if variant.key is not None]


def asked(variant: Variant, key: str) -> tuple[Reference, Clock]:
    clock = Clock()
    return Reference(variant, None, path="/api/queue", clock=clock, key=key), clock


@pytest.mark.parametrize("name", KEYED)
def test_no_report_shows_a_key_or_a_wrong_key(name: str) -> None:
    key = VARIANTS[name].key
    assert key is not None
    run = ran(*asked(VARIANTS[name], key), None)
    sent = {value for ask in run.client.heard for header, value in ask if header.lower() == "x-api-key" and value}
    assert len(sent) == (3 if any(map(str.isalpha, key)) else 2)
    written = encode(judged(run)).decode()
    for shown in json.loads(written)["exchanges"]:
        values = {value for header, value in shown["request"]["headers"] if header.lower() == "x-api-key"}
        assert values <= {"[redacted-api-key]", ""}
    assert not [value for value in sent if len(value) >= 16 and len(set(value)) > 6 and value in written]


def test_wrong_keys_come_after_everything_that_needs_the_right_one() -> None:
    run = ran(*asked(VARIANTS["key-enforced"], "k3y-Canary-Qz81Vm40Lr77Wd"), None)
    credentials = [exchange.request.credential for exchange in run.client.ledger]
    wrong = [place for place, one in enumerate(credentials) if one in {Credential.WRONG, Credential.OTHER_CASE}]
    assert len(wrong) == 2
    keyless = {Credential.NONE, Credential.EMPTY, Credential.LOWER_CASE_NAME}
    assert min(wrong) > max(place for place, one in enumerate(credentials) if one in keyless)


def test_who_asks_as_a_browser_accepts_xml() -> None:
    assert "application/xml;q=0.9" in BROWSER_ACCEPT
    run = ran(*asked(VARIANTS["default"], "k3y-Canary-Qz81Vm40Lr77Wd"), None)
    assert BROWSER_ACCEPT in {exchange.request.header("accept") for exchange in run.client.ledger}


def test_what_is_not_asked_is_in_the_table_of_what_is_not_asked() -> None:
    fact, reason = LEFT_OUT["AUT-08"]
    assert "query" in fact
    assert "log" in reason
    run = ran(*asked(VARIANTS["key-enforced"], "k3y-Canary-Qz81Vm40Lr77Wd"), None)
    assert not [one for one in run.client.ledger if "api_key" in one.request.url]


@pytest.mark.parametrize("key", ["castle", "queue", "create_time", "1234"])
def test_a_server_that_repeats_a_key_where_the_request_put_it_is_told(key: str) -> None:
    def echo(reply: Reply, ask: IncomingRequest) -> Reply:
        headers = {"X-API-Key": ask.header("x-api-key")}
        return reply.json(200, {**json.loads(reply.body), "headers": headers}) if reply.status == 200 else reply

    report = judged(ran(*asked(Variant("echo", "", Twist(replies=echo), needs_key=True), key), None))
    assert report.clause("auth.key-not-echoed").status is Status.WARN
    assert [result.id for result in report.clauses if result.evidence] == ["auth.key-not-echoed"]


def test_an_empty_key_is_a_wrong_key() -> None:
    assert BY_ID["auth.empty-key"].level == "must"
