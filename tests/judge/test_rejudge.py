"""A run that kept whole bodies is judged again, without any network, and comes to the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from conformance.exchange.model import Credential, Exchange, NoResponse, Operation, Problem, Request, Response, Wire
from conformance.exchange.redactor import NOTHING, Redactor
from conformance.exchange.secrets import Secret
from conformance.exchange.transcript import Transcript
from conformance.judge import whole
from conformance.judge.build import build, report_on
from conformance.judge.judge import judge
from conformance.judge.judging import Judging
from conformance.judge.ledger import bodies
from conformance.judge.rejudge import is_report, judge_again, read_source
from conformance.judge.report import Report, SmallestRequest, Status, Verdict, decode, encode
from conformance.judge.whole import NotWhole, exchanges_in
from conformance.reference.server import KEY, serve
from conformance.render.html import render_html
from conformance.render.markdown import render_markdown
from conformance.run.settings import Settings
from helpers.answers import NOW, item, queue, read, reads
from helpers.cli_runner import call, is_refused
from helpers.commands import report, suite

pytestmark = pytest.mark.usefixtures("folder")
LAST = Path("reports/latest/compliance.json")


@pytest.fixture
def short_ids(folder: Path) -> Iterator[str]:
    """Leave the report of a run with whole bodies, whose server is gone, and return its target."""
    with serve(fault="id-as-short-code") as endpoint:
        assert call("check", endpoint.url, "--full-bodies", "-q").exit_code == 1
    assert (folder / LAST).is_file()
    yield endpoint.url  # noqa: PT022 - the server is to be gone


# --- what is kept ---------------------------------------------------------------------------------

latin_1 = st.text(st.characters(max_codepoint=255), max_size=20)
headers = st.lists(st.tuples(latin_1, latin_1), max_size=4).map(tuple)
counts = st.integers(0, 2**40)
answers = st.builds(
    Response,
    status=st.integers(100, 599),
    headers=headers,
    content=st.binary(max_size=40) | st.just(b"x" * 2000),
    coding_error=st.none() | latin_1,
    head=st.booleans(),
    http_version=latin_1,
    wire=st.none()
    | st.builds(
        Wire,
        lengths=st.lists(latin_1, max_size=3).map(tuple),
        folded=counts,
        surplus=st.none() | counts,
        interim=counts,
    ),
)
requests = st.builds(
    Request,
    method=latin_1,
    url=latin_1,
    headers=headers,
    purpose=latin_1,
    credential=st.sampled_from(Credential),
    to_queue=st.booleans(),
    operation=st.none() | st.sampled_from(Operation),
    body=st.binary(max_size=50),
)
problems = st.builds(Problem, fault=st.sampled_from(NoResponse), detail=st.text(max_size=400), begun=st.booleans())
seconds = st.none() | st.floats(0, 4e9)
exchanges_of = st.lists(
    st.builds(
        Exchange,
        id=latin_1,
        request=requests,
        response=st.none() | answers,
        problem=st.none() | problems,
        started=seconds,
        elapsed=seconds,
        attempt=st.integers(1, 9),
        superseded=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda exchange: exchange.id,
)


def reported(exchanges: list[Exchange], **more: Any) -> Report:
    return report_on(
        Transcript(tuple(exchanges), "http://t", NOW, NOW + 1, None), Settings(full_bodies=True, **more).judging
    )


@given(exchanges_of)
def test_what_a_report_keeps_is_what_there_was(exchanges: list[Exchange]) -> None:
    judgement = judge([])
    made = build(judgement, Transcript(tuple(exchanges), "t", 0, 0, None), Judging(full_bodies=True))
    assert list(exchanges_in(decode(encode(made)))) == exchanges


def test_a_lost_response_is_kept_whether_or_not_a_key_was_sent() -> None:
    lost = replace(read(b""), response=None, problem=Problem(NoResponse.TIMEOUT, "no complete response"))
    with_key = replace(lost, redactor=Redactor(Secret("sesame-4711")))
    assert list(exchanges_in(decode(encode(reported([with_key]))))) == [lost]


def test_nothing_of_it_is_kept_where_it_was_not_asked_for() -> None:
    made = report_on(Transcript(tuple(reads(queue(item(1)))), "t", NOW, NOW, None), Settings().judging)
    assert made.bodies is None
    assert [exchange.kept for exchange in made.exchanges] == [None]


def test_equal_bodies_are_kept_once() -> None:
    made = reported([read(queue(item(n % 2)), number=n) for n in range(1, 9)])
    assert made.bodies is not None
    assert len(made.bodies) == 2
    assert {exchange.response.sha256 for exchange in made.exchanges if exchange.response} == set(made.bodies)


def test_bodies_beyond_the_bound_are_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = b"[" + b" " * 1000 + b"]", b"{}"
    assert list(bodies([("large", large, NOTHING), ("small", small, NOTHING)], limit=1000)) == ["small"]
    monkeypatch.setattr(whole, "WHOLE_BODIES", 1000)
    monkeypatch.setattr(bodies, "__defaults__", (1000,))
    with pytest.raises(
        NotWhole, match=r"^2 of its responses are incomplete: a report keeps up to 1,000 bytes of bodies$"
    ):
        exchanges_in(reported(reads(large, small, large)))


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b'{"a": "\xc3\xa9"}', "\U0001f642\u2028".encode(), b"\x00", b""])
def test_a_body_is_kept_byte_for_byte_whatever_it_is(body: bytes) -> None:
    (again,) = exchanges_in(decode(encode(reported(reads(body)))))
    assert again.response is not None
    assert again.response.content == body


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["echoes-the-key", "echoes-the-key-in-a-header", "lists-the-key"])
def test_the_key_stands_in_no_report_also_with_whole_bodies(folder: Path, fault: str) -> None:
    with serve(fault=fault) as endpoint:
        first = call("check", endpoint.url, "--full-bodies", COMFY_API_KEY=KEY)
        assert endpoint.reference.reads > 28
    again = call("judge", LAST, "--report-dir", "again", "--full-bodies")
    written = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
    assert KEY not in first.output + again.output + written
    assert first.stdout.splitlines()[1:3] == again.stdout.splitlines()[1:3]


@pytest.mark.parametrize("key", ["comfyui-0123", "\u00e9\u00e9", "abc", 'a\\"b', "[REDACTED]", "***", ""])
def test_keys_of_users_are_blotted_out_and_what_is_said_of_them_stays(key: str) -> None:
    moment = {"create_time": int(NOW * 1000) - 9000}
    inside = {"extra": {"nested": json.dumps({"auth_token_comfy_org": key})}}
    made = reported(reads(queue(item(1, e4={**moment, "api_key_comfy_org": key, **inside}))))
    harmless = key in {"", "[REDACTED]", "***"}
    assert made.bodies is not None
    shown = [
        *(body.content for body in made.bodies.values()),
        *(each.response.excerpt for each in made.exchanges if each.response),
    ]
    assert any(json.dumps(key)[1:-1] in text for text in shown) is harmless
    (again,) = exchanges_in(decode(encode(made)))
    assert again.response is not None
    assert made.exchanges[0].response is not None
    assert len(again.response.content) == made.exchanges[0].response.size
    assert judge([again]).results == made.clauses
    assert (made.clause("privacy.credentials").status is Status.WARN) is not harmless


# --- judging again --------------------------------------------------------------------------------


def test_a_report_is_judged_again_and_says_what_it_was_made_from(folder: Path, short_ids: str) -> None:
    before = report(folder)
    done = call("judge", LAST, "--report-dir", "again")
    assert done.exit_code == 1
    after = json.loads((folder / "again/compliance.json").read_text())
    assert after["clauses"] == before["clauses"]
    assert (after["verdict"], after["verdict_reason"], after["counts"]) == (
        before["verdict"],
        before["verdict_reason"],
        before["counts"],
    )
    assert [each | {"kept": None} for each in before["exchanges"]] == after["exchanges"]
    for name in ("target", "start", "end", "dialect", "read_as", "seed", "partial"):
        assert after["run"][name] == before["run"][name]
    made_from = after["run"]["made_from"]
    assert made_from.pop("judged") > after["run"]["end"]
    assert made_from == {
        "file": str(LAST),
        "suite_version": before["run"]["suite_version"],
        "edition": 1,
        "document_sha256": before["run"]["document_sha256"],
        "dialect": "cloud",
        "verdict": "non-conformant",
        "verdict_reason": before["verdict_reason"],
    }
    assert after["bodies"] is None
    assert before["run"]["made_from"] is None
    assert before["run"]["target"] == short_ids
    assert "[whole bodies are kept in compliance.json]" in call("judge", LAST, "-q", "--full-bodies").stdout
    said = f"udged again on 20\\S+ from {LAST}: before, with suite .*, dialect cloud, it was non-conformant"
    junit = (folder / "again/junit.xml").read_text()
    for text in (
        junit,
        done.stdout,
        (folder / "again/summary.md").read_text().replace("\\", ""),
        (folder / "again/index.html").read_text(),
    ):
        assert re.search(said, text), text[:3000]
    assert "[judged again, without new requests]" in done.stdout


def test_a_report_that_was_made_from_another_can_be_judged_again_as_well(folder: Path, short_ids: str) -> None:
    assert call("judge", LAST, "--report-dir", "again", "--full-bodies", "-q").exit_code == 1
    assert call("judge", "again/compliance.json", "--report-dir", "third", "-q").exit_code == 1
    third = json.loads((folder / "third/compliance.json").read_text())
    assert third["clauses"] == report(folder)["clauses"]
    assert third["run"]["target"] == short_ids


def test_it_is_judged_by_what_is_asked_for_now_and_read_by_the_dialect_of_its_run() -> None:
    with serve(variant="oss") as endpoint:
        assert call("check", endpoint.url, "--full-bodies", "--dialect", "oss", "-q").exit_code == 0
    assert call("judge", LAST, "-q").exit_code == 0
    cloud = call("judge", LAST, "-q", "--dialect", "cloud")
    assert cloud.exit_code == 1
    assert "item.element-order" in cloud.stdout


@pytest.mark.usefixtures("short_ids")
def test_a_register_is_applied_to_what_is_judged_again(folder: Path) -> None:
    call("deviations", "init", "reports/latest", "-o", "known.toml")
    text = (folder / "known.toml").read_text()
    (folder / "known.toml").write_text(re.sub(r'"TODO: [^"]*"', '"told"', text))
    done = call("judge", LAST, "--deviations", "known.toml")
    assert done.exit_code == 0
    assert "WAIVED item.prompt-id.uuid" in done.stdout


@pytest.mark.usefixtures("short_ids")
def test_a_report_is_read_from_standard_input_too(folder: Path) -> None:
    done = call("judge", "-", "-q", stdin=(folder / LAST).read_bytes())
    assert done.exit_code == 1
    assert done.stdout.startswith("Non-conformant: 1 must clause broken: item.prompt-id.uuid")


def test_recordings_can_be_kept_whole_as_well(folder: Path) -> None:
    (folder / "queue.json").write_bytes(queue(item(1, e1="job-1")))
    first = call("judge", "queue.json", "--full-bodies", "--report-dir", "reports/latest")
    again = call("judge", LAST)
    assert (first.exit_code, again.exit_code) == (1, 1)
    assert first.stdout.splitlines()[1:4] == again.stdout.splitlines()[1:4]


def test_a_run_that_was_stopped_stays_one() -> None:
    stopped = report_on(
        Transcript(tuple(reads(queue(item(1), item(2)))), "http://t", NOW, NOW + 1, "no time left"),
        Settings(full_bodies=True).judging,
    )
    assert (stopped.run.stopped, stopped.run.partial, stopped.verdict) == ("no time left", True, Verdict.INCONCLUSIVE)
    source, transcript = read_source(encode(stopped), "x")
    again = judge_again(source, transcript, Settings().judging, name="x")
    assert (again.verdict, again.verdict_reason, again.run.partial) == (stopped.verdict, stopped.verdict_reason, True)


def test_what_a_search_found_stays_beside_what_is_still_broken() -> None:
    made = reported(reads(queue(item(1, e1="job-1"))))
    small = SmallestRequest(exchanges=("x1",), curl=("curl x",), asked=1, broken=1, plain_asked=1, plain_broken=0)
    source = structs.replace(made, clauses=tuple(structs.replace(each, smallest=small) for each in made.clauses))
    read_again, transcript = read_source(encode(source), "x")
    again = judge_again(read_again, transcript, Settings().judging, name="x")
    assert again.clause("item.prompt-id.uuid").smallest == small
    assert [each.id for each in again.clauses if each.smallest and not each.evidence] == []


def test_another_document_is_told() -> None:
    made = reported(reads(queue(item(1))))
    source = structs.replace(made, run=structs.replace(made.run, document_sha256="0" * 64, suite_version="0.0.1"))
    read_again, transcript = read_source(encode(source), "<old>.json")
    again = judge_again(read_again, transcript, Settings().judging, name="<old>.json")
    assert "from &lt;old&gt;.json: before, with suite 0.0.1, another document, dialect cloud" in render_html(again)
    assert "another document" in render_markdown(again)


# --- what is refused ------------------------------------------------------------------------------


def test_a_report_without_whole_bodies_is_refused_in_one_line() -> None:
    with serve() as endpoint:
        call("check", endpoint.url, "-q")
    told = f"{LAST} cannot be judged again: the report was written without --full-bodies: check the server again"
    is_refused(call("judge", LAST), told)


@pytest.mark.usefixtures("short_ids")
def test_a_report_is_judged_alone() -> None:
    is_refused(call("judge", LAST, LAST), "the report of a run is judged again separately")
    is_refused(call("judge", LAST, "--method", "HEAD"), "--method applies to a raw response")


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield reports with one thing amiss."""
    value = json.loads(data)
    lost = json.loads(data)
    lost["bodies"].popitem()
    yield "responses are incomplete", json.dumps(lost).encode()
    for changes, told in [
        ({"kept": None}, "is incomplete"),
        ({"kept": {"started": 1, "to_queue": True, "answer": None, "problem": None}}, "is incomplete"),
        ({"id": 7}, "is not a whole report of a run: Expected `str`, got `int`"),
        ({"request": value["exchanges"][0]["request"] | {"credential": "x"}}, "are damaged ('x' is not a"),
    ]:
        changed = json.loads(data)
        changed["exchanges"][0] |= changes
        yield told, json.dumps(changed).encode()
    binary = json.loads(data)
    name = next(iter(binary["bodies"]))
    binary["bodies"][name] = {"encoding": "base64", "content": "?"}
    yield "are damaged (", json.dumps(binary).encode()
    yield "is not a whole report of a run", json.dumps(value | {"schema_version": 2}).encode()
    yield "'x' is not a valid Dialect", json.dumps(value | {"run": value["run"] | {"dialect": "x"}}).encode()


@pytest.mark.usefixtures("short_ids")
def test_a_damaged_report_is_one_line_and_never_judged_as_a_queue(folder: Path) -> None:
    for told, data in damaged((folder / LAST).read_bytes()):
        (folder / "damaged.json").write_bytes(data)
        is_refused(call("judge", "damaged.json"), told)


LIKE_A_REPORT = b'{"queue_running": [], "queue_pending": [], "schema_version": 1, "verdict": "x", "clauses": []}'


@pytest.mark.parametrize("data", [LIKE_A_REPORT, b'"schema_version"', b'{"schema_version"', b'\xff"schema_version"'])
def test_an_answer_is_taken_for_no_report(data: bytes) -> None:
    assert not is_report(data)


@pytest.mark.parametrize("arguments", [["check", "--target", "embedded"], ["judge", "queue.json"]])
def test_whole_bodies_and_hidden_workflows_contradict_each_other(folder: Path, arguments: list[str]) -> None:
    (folder / "queue.json").write_bytes(queue())
    told = "--full-bodies and --redact-workflows contradict each other"
    is_refused(call(*arguments, "--full-bodies", "--redact-workflows"), told)


def test_pytest_keeps_whole_bodies_and_refuses_the_contradiction(folder: Path) -> None:
    with serve(fault="id-as-short-code") as endpoint:
        done = suite(folder, "--target", endpoint.url, "--full-bodies", "-k", "item-array or uuid")
        refused = suite(folder, "--target", endpoint.url, "--full-bodies", "--redact-workflows")
    assert done.returncode == 1
    assert "compliance.json contains whole bodies" in done.stdout
    assert report(folder)["run"]["partial"] is True
    again = call("judge", LAST, "--report-dir", "again")
    assert again.exit_code == 1
    whole_again = json.loads((folder / "again/compliance.json").read_text())
    assert whole_again["run"]["partial"] is False  # all was asked: what was selected were clauses
    assert len(whole_again["clauses"]) > len(report(folder)["clauses"])
    assert refused.returncode == 4
    assert "contradict each other" in refused.stderr


@pytest.mark.usefixtures("short_ids")
def test_nothing_is_sent_where_a_report_is_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("a request")

    monkeypatch.setattr("conformance.run.one_run", asked)
    monkeypatch.setattr("socket.socket.connect", asked)
    assert call("judge", LAST, "-q").exit_code == 1
