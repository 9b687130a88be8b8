"""What is not known of an exchange breaks no clause, and what is known still does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.exchange.model import Exchange, Extent, Response
from conformance.judge.judge import judge
from conformance.judge.report import Status
from conformance.text.cutoff import Text, complete_jobs, kind_of
from conformance.text.json_bytes import LARGE
from helpers.answers import HEADERS, broken, item, queue, read, reads, result

BAD = item(1, e1="job-1")
CUT = queue(item(1), item(2), item(3))[:-60]


def known(exchange: Exchange, **changes: Any) -> Exchange:
    """Return an exchange of whose response something else is known."""
    assert exchange.response is not None
    return replace(exchange, response=replace(exchange.response, **changes))


def exercised(*exchanges: Exchange) -> set[str]:
    kept = judge(exchanges).results
    return {found.id for found in kept if found.status not in {Status.NOT_EXERCISED, Status.NOT_APPLICABLE}}


def test_of_an_unknown_body_only_the_head_is_judged() -> None:
    lost = known(read(b"", headers=HEADERS[1:]), extent=Extent.UNKNOWN)
    assert broken(judge([lost])) == {"http.content-type"}
    words = {name.partition(".")[0] for name in exercised(lost)}
    assert words <= {"status", "http", "caching"}


def test_of_a_body_that_is_cut_off_whole_jobs_are_judged() -> None:
    cut = known(read(CUT), extent=Extent.CUT)
    assert broken(judge([cut])) == set()
    assert {name for name in exercised(cut) if name.startswith(("envelope.", "json."))} == {
        "json.control-characters",
        "json.distinct-names",
        "json.finite-numbers",
        "json.number-range",
        "json.paired-surrogates",
    }
    assert result(judge([cut]), "item.prompt-id.uuid").judged == 1
    wrong = known(read(queue(item(5), BAD, item(3))[:-60]), extent=Extent.CUT)
    judgement = judge([wrong])
    assert broken(judgement) == {"item.prompt-id.uuid", "queue.job-numbers.rising", "queue.pending.oldest-first"}
    (found,) = result(judgement, "item.prompt-id.uuid").evidence
    assert found.pointer == "/queue_pending/1/1"
    assert found.excerpt is not None
    assert found.excerpt.marked == '"job-1"'


def test_the_job_at_which_a_body_is_cut_off_breaks_nothing() -> None:
    body = queue(item(1), item(2))
    for end in range(len(body)):
        assert broken(judge([known(read(body[:end]), extent=Extent.CUT)])) == set()


def test_a_body_that_is_cut_off_is_not_compared_with_others() -> None:
    one, two, three = reads(queue(item(1), item(2)), queue(item(1)), queue(item(1), item(2)))
    assert broken(judge([one, two, three])) == {"reads.steady"}
    assert broken(judge([one, known(two, extent=Extent.CUT), three])) == set()


def test_of_reformatted_text_no_byte_is_judged() -> None:
    mark = read(b"\xef\xbb\xbf" + queue(item(1)))
    assert broken(judge([mark])) == {"json.no-bom"}
    assert broken(judge([known(mark, verbatim=False)])) == set()
    latin = read(queue(item(1)).replace(b"SaveImage", b"Save\xefImage"))
    assert broken(judge([latin])) == {"json.utf-8"}
    assert broken(judge([known(latin, verbatim=False)])) == set()


def test_a_range_is_not_measured_on_other_bytes_than_were_sent() -> None:
    asked = read(queue(item(1)), status=206, headers=(*HEADERS, ("Content-Range", "bytes 0-0/99")), head=True)
    ranged = replace(asked, request=replace(asked.request, headers=(("Range", "bytes=0-0"),)))
    served = read(queue(item(1)), number=2)
    assert "http.range" in broken(judge([ranged, served]))
    for changes in ({"verbatim": False}, {"extent": Extent.UNKNOWN}):
        assert "http.range" not in broken(judge([known(ranged, **changes), served]))


def test_of_headers_that_are_not_all_known_those_that_are_count() -> None:
    page = known(read(queue(item(1)), headers=(("Content-Type", "text/html; charset=latin-1"),)), head=False)
    assert broken(judge([page])) == {"http.content-type", "http.charset"}
    json = known(read(queue(item(1)), headers=HEADERS[:1]), head=False)
    assert broken(judge([json])) == set()
    bare = known(read(queue(item(1)), headers=()), head=False)
    assert not {name for name in exercised(bare) if name.startswith(("http.", "caching.", "cors."))}


@pytest.mark.parametrize("extent", [Extent.WHOLE, Extent.UNKNOWN])
def test_an_error_is_judged_as_far_as_it_is_known(extent: Extent) -> None:
    failed = known(read(b"[]", status=500, headers=HEADERS[:1], number=2), head=False, extent=extent)
    found = broken(judge([read(queue(item(1))), failed]))
    assert ("error.object" in found) is (extent is Extent.WHOLE)
    plain = known(read(b"[]", status=500, headers=(("Content-Type", "text/plain"),), number=2), extent=extent)
    assert "error.content-type" in broken(judge([read(queue(item(1))), plain]))
    refused = known(read(b"{}", status=401, headers=HEADERS[:1]), head=False, extent=extent)
    assert broken(judge([refused])) == ({"auth.error-response"} if extent is Extent.WHOLE else set())


@pytest.mark.parametrize("status", [206, 304, 400, 403, 406, 412, 416])
def test_request_headers_that_are_not_known_may_explain_a_status(status: int) -> None:
    told = read(b"", status=status)
    assert ("status.served" in broken(judge([told]))) is (status != 403)
    unknown = replace(told, request=replace(told.request, headers=(), head=False))
    assert not broken(judge([unknown])) & {"status.served", "status.steady"}
    assert "status.steady" not in broken(judge([read(queue(item(1)), number=2), unknown]))


@pytest.mark.parametrize("status", [301, 404, 500])
def test_they_do_not_explain_any_status(status: int) -> None:
    told = read(b"", status=status)
    unknown = replace(told, request=replace(told.request, headers=(), head=False))
    assert "status.served" in broken(judge([unknown]))
    assert "status.steady" in broken(judge([read(queue(item(1)), number=2), unknown]))


def test_nothing_known_exercises_nothing_of_a_body() -> None:
    nothing = Exchange("x", read(b"").request, Response(200, head=False, extent=Extent.UNKNOWN))
    assert exercised(nothing) == {"status.served"}
    assert len(CATALOGUE) > 100


KINDS = [
    (b'{"a": [1, "x"]} and more', Text.COMPLETE),
    (b"[NaN]", Text.COMPLETE),
    (b'["\n"]', Text.COMPLETE),
    (b"[" * 100_000 + b"]" * 100_000, Text.COMPLETE),
    (b"[" + b"9" * 10_000 + b"]", Text.COMPLETE),
    (b"", Text.ENDS_EARLY),
    (b" \n", Text.ENDS_EARLY),
    (b'{"a": [1, ', Text.ENDS_EARLY),
    (b'{"a', Text.ENDS_EARLY),
    (b'{"a"', Text.ENDS_EARLY),
    (b'{"a": tru', Text.ENDS_EARLY),
    (b'["\\u12', Text.ENDS_EARLY),
    (b"[-", Text.ENDS_EARLY),
    (b"[1,", Text.ENDS_EARLY),
    (b'["\\', Text.ENDS_EARLY),
    (b'{"a": 1,}', Text.BROKEN),
    (b"{a: 1}", Text.BROKEN),
    (b"<html>", Text.BROKEN),
    (b"[1 2]", Text.BROKEN),
    (b"{'a': 1}", Text.BROKEN),
    (b'["\\x"]', Text.BROKEN),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_a_text_is_told_from_its_start(text: bytes, kind: Text) -> None:
    assert kind_of(text) is kind
    assert kind_of(text.rjust(LARGE + len(text))) is kind


def test_a_text_with_a_missing_comma_after_a_large_value_does_not_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("cutoff.LARGE", "json_runs.RUN", "large_json.RUN"):
        monkeypatch.setattr(f"conformance.text.{module}", 16)
    assert kind_of(b"[[%b1] 2]" % (b"1," * 40)) is Text.BROKEN
    assert kind_of(b"[[%b1], 2]" % (b"1," * 40)) is Text.COMPLETE
    assert kind_of(b"[[%b1], 2" % (b"1," * 40)) is Text.ENDS_EARLY


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (b'{"queue_running": [[1], [2], [3', b'{"queue_running": [[1], [2]]}'),
        (b'{"queue_running": [[1, {"a": "]"}], ["', b'{"queue_running": [[1, {"a": "]"}]]}'),
        (b'{"queue_running": [], "queue_pending": [[1], ', b'{"queue_running": [], "queue_pending": [[1]]}'),
        (b'{"queue_running": [', b""),
        (b"", b""),
        (b"<html>", b""),
        (b'{"a": "[[]"', b""),
    ],
)
def test_the_whole_jobs_of_a_text_are_closed(text: bytes, whole: bytes) -> None:
    assert complete_jobs(text) == whole


def test_the_complete_jobs_of_a_cut_off_body_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bytes] = []

    def counting(content: bytes) -> bytes:
        calls.append(content)
        return complete_jobs(content)

    monkeypatch.setattr("conformance.judge.tally.complete_jobs", counting)
    body = queue(item(1)[:4], item(2)[:4], None)[:-10]
    exchange = replace(read(body), response=Response(200, content=body, extent=Extent.CUT))
    assert broken(judge([exchange])) >= {"item.five-elements", "http.content-type"}
    assert len(calls) == 1
