"""How the findings of one clause are counted, and which of them are listed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.clause import Cause, Clause, Finding
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.exchange.model import Exchange, Extent, Request, Response
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import REDACTED, Secret
from conformance.judge.outcome import Counted
from conformance.judge.report import FINGERPRINTS, Fingerprint
from conformance.judge.tally import KINDS, LISTED, ClauseTally, as_evidence, readable
from helpers.answers import item, queue

KEY = "comfyui-0123456789abcdef"
BODY = queue(*(item(number) for number in range(1, 9)))


def _yield_all(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    yield from findings


CLAUSE: Clause = dataclasses.replace(BY_ID["item.array"], check=_yield_all)


def answer(name: str = "x1", body: bytes = BODY, *, key: str | None = None) -> Answer:
    redactor = Redactor(None if key is None else Secret(key))
    response = Response(200, (), body)
    return Answer(
        Exchange(name, Request("GET", "http://t/api/queue"), response, redactor=redactor), response, Reading(body)
    )


def finding(pointer: str | None = "/queue_pending/0/1", expected: str = "e", kind: str | None = None) -> Finding:
    return Finding(pointer, expected, "got", "message", None if kind is None else Cause(kind))


def counted(*notes: tuple[Answer, tuple[Finding, ...]], tally: ClauseTally | None = None) -> Counted:
    tally = tally or ClauseTally()
    for each, findings in notes:
        tally.note(each, CLAUSE, findings)
    return tally.counted()


# --- counting ---------------------------------------------------------------------------------------------------------


def test_a_response_is_checked_with_and_without_findings() -> None:
    found = counted((answer("x1"), ()), (answer("x2"), (finding(), finding())), (answer("x2"), ()), (answer("x3"), ()))
    assert (found.judged, found.breached, found.error) == (3, 1, None)
    assert counted() == Counted(0, 0, (), (), None)


def test_the_first_findings_of_a_kind_are_listed_and_the_rest_counted() -> None:
    findings = tuple(finding(f"/queue_pending/{index}/1") for index in range(7))
    listed = counted((answer(), findings)).evidence
    assert LISTED == len(listed) == 2
    assert [each.pointer for each in listed] == ["/queue_pending/0/1", "/queue_pending/1/1"]
    assert [(each.more, each.last) for each in listed] == [(0, None), (5, "/queue_pending/6/1")]


def test_a_kind_is_a_place_without_its_indices_with_what_is_expected_and_a_cause() -> None:
    several = (
        finding("/queue_pending/0/1"),
        finding("/queue_pending/1/1"),  # as the first
        finding("/queue_pending/0/2"),  # another index, but as the first
        finding("/queue_running/0/1"),
        finding("/queue_pending/0/1", expected="other"),
        finding("/queue_pending/0/1", kind="k"),
        finding("/queue_pending/x1/1"),
        finding(None),
        finding(""),
    )
    listed = counted((answer(), several)).evidence
    assert [(each.pointer, each.expected, each.kind, each.more) for each in listed] == [
        ("/queue_pending/0/1", "e", "", 0),
        ("/queue_pending/1/1", "e", "", 1),
        ("/queue_running/0/1", "e", "", 0),
        ("/queue_pending/0/1", "other", "", 0),
        ("/queue_pending/0/1", "e", "k", 0),
        ("/queue_pending/x1/1", "e", "", 0),
        (None, "e", "", 0),
        ("", "e", "", 0),
    ]


def test_the_kinds_are_limited_and_the_fingerprints_have_a_limit_of_their_own() -> None:
    several = tuple(finding(f"/name{number}") for number in range(FINGERPRINTS + 5))
    found = counted((answer(), (*several, finding("/name0"))))
    assert [each.pointer for each in found.evidence[:KINDS]] == [f"/name{number}" for number in [0, 0, *range(1, 19)]]
    assert len(found.evidence) == KINDS + 1  # the first kind has two
    assert found.fingerprints == tuple(Fingerprint(place=f"/name{number}", kind="") for number in range(FINGERPRINTS))


def test_a_fingerprint_has_the_cause() -> None:
    found = counted((answer(), (finding("/a/3", kind="k"), finding(None))))
    assert found.fingerprints == (Fingerprint(place="/a/*", kind="k"), Fingerprint(place=None, kind=""))


def test_a_finding_about_identical_jobs_counts_as_often_as_there_are_jobs() -> None:
    class Repeated(Reading):
        def weight(self, pointer: str | None) -> int:
            return 1 if pointer is None else int(pointer.split("/")[2])

    tally = ClauseTally()
    findings = tuple(finding(f"/queue_pending/{times}/1") for times in (2, 3, 4))
    tally.note(answer(), CLAUSE, findings, Repeated(b""))
    assert [(each.more, each.last) for each in tally.counted().evidence] == [
        (0, None),
        (1 + 2 + 4, "/queue_pending/4/1"),
    ]


def test_the_place_of_the_last_finding_may_be_outside_the_body() -> None:
    findings = (finding(None), finding(None), finding(None))
    assert [(each.more, each.last) for each in counted((answer(), findings)).evidence] == [(0, None), (1, None)]


# --- the same finding in other responses ------------------------------------------------------------------------------


def test_other_responses_with_a_finding_are_named_once_up_to_a_limit() -> None:
    names = [f"x{number}" for number in reversed(range(10, 40))]
    found = counted(*((answer(name), (finding(), finding())) for name in names))
    assert [each.seen_in for each in found.evidence] == [(), tuple(names[1:21])]
    assert (found.judged, found.breached, found.evidence[1].more) == (len(names), len(names), 0)


def test_a_response_with_the_same_body_as_another_one_has_the_same_findings() -> None:
    tally = ClauseTally()
    counted((answer("x1"), (finding("/a"),)), (answer("x2"), (finding("/a"), finding("/b"))), tally=tally)
    counted((answer("x3"), ()), tally=tally)
    tally.note_again(answer("x4"), "x2")
    tally.note_again(answer("x5"), "x1")
    tally.note_again(answer("x6"), "x3")
    tally.note_again(answer("x7"), "never seen")
    found = tally.counted()
    assert (found.judged, found.breached) == (6, 4)
    assert [(each.pointer, each.seen_in) for each in found.evidence] == [("/a", ("x2", "x4", "x5")), ("/b", ("x4",))]


def test_a_response_that_was_checked_in_part_counts_only_if_it_breaks_the_clause() -> None:
    tally = ClauseTally()
    counted((answer("x1"), ()), (answer("x2"), (finding(),)), tally=tally)
    for name in ("x1", "x2", "never seen"):
        tally.forget_unless_broken(name)
    assert (tally.judged, tally.breached) == ({"x2"}, {"x2"})


def test_an_exception_of_a_clause_is_kept_as_an_error() -> None:
    tally = ClauseTally()
    tally.attempt(lambda: None)
    assert tally.counted().error is None
    tally.attempt([].pop)
    assert tally.counted().error == "IndexError: pop from empty list"


# --- what the evidence shows ------------------------------------------------------------------------------------------


def test_evidence_has_the_texts_of_the_finding_and_an_excerpt() -> None:
    found = as_evidence(
        answer().exchange, "item.array", Finding("/queue_pending/0/1", "e", "g", "m", Cause("k", "hint"))
    )
    assert (found.exchange, found.pointer, found.expected, found.got) == ("x1", "/queue_pending/0/1", "e", "g")
    assert (found.message, found.hint, found.kind, found.more, found.last) == ("m", "hint", "k", 0, None)
    assert found.excerpt is not None
    assert found.excerpt.marked == f'"{item(1)[1]}"'


def test_evidence_outside_the_body_has_no_excerpt() -> None:
    assert as_evidence(answer().exchange, "item.array", finding(None)).excerpt is None
    unanswered = Exchange("x1", Request("GET", "http://t/api/queue"))
    found = as_evidence(unanswered, "item.array", finding("/a"), hide=True)
    assert (found.exchange, found.excerpt, found.got) == ("x1", None, "got")


def test_an_excerpt_is_from_the_text_that_the_reading_gives() -> None:
    class Elsewhere(Reading):
        def text_at(self, pointer: str) -> tuple[bytes, str] | None:
            return None if pointer == "/gone" else (b'{"a": [5, 6]}', "/a/1")

    reading = Elsewhere(b"")
    found = as_evidence(answer().exchange, "item.array", finding("/somewhere"), reading=reading)
    assert found.excerpt is not None
    assert (found.excerpt.before, found.excerpt.marked) == ('{"a": [5, ', "6")
    assert as_evidence(answer().exchange, "item.array", finding("/gone"), reading=reading).excerpt is None
    assert as_evidence(answer().exchange, "item.array", finding(None), reading=reading).excerpt is None


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("/" + "a" * 999, "/" + "a" * 999),
        ("/" + "a" * 1000, "/" + "a" * 999 + "…"),
        ("/\ud800\udfffb", "/\\ud800\\udfffb"),
        ("/\ud7ff\ue000", "/\ud7ff\ue000"),
        ("", ""),
    ],
)
def test_a_pointer_is_cut_and_has_no_lone_surrogates(pointer: str, shown: str) -> None:
    assert as_evidence(answer().exchange, "item.array", finding(pointer)).pointer == shown


def test_the_body_that_a_recorder_cut_off_ends_after_its_last_complete_job() -> None:
    cut = b'{"queue_running": [], "queue_pending": [[1, 2], [3'
    assert readable(Response(200, (), cut, extent=Extent.CUT)) == b'{"queue_running": [], "queue_pending": [[1, 2]]}'
    for extent in Extent:
        if extent is not Extent.CUT:
            assert readable(Response(200, (), cut, extent=extent)) == cut


# --- workflows and keys that are hidden -------------------------------------------------------------------------------

PROMPT = '{"3": {"class_type": "KSampler", "inputs": {"text": "secret words"}}}'
SHOWN = Finding("/queue_pending/0/2/3/inputs", "e", '{"text": "secret words"}', 'not "secret words"')
CONTENT = f'{{"queue_running": [], "queue_pending": [[1, "id", {PROMPT}]]}}'.encode()


def hidden(
    clause: str, pointer: str, *, hide: bool, status: int = 200, body: bytes = CONTENT
) -> tuple[bool, bool, bool]:
    """Return whether the evidence hides the words in ``got``, in the message and in the excerpt."""
    response = Response(status, (), body)
    exchange = Exchange("x1", Request("GET", "http://t/api/queue"), response)
    found = as_evidence(exchange, clause, SHOWN._replace(pointer=pointer), hide=hide)
    assert found.excerpt is not None
    excerpt = found.excerpt.before + found.excerpt.marked + found.excerpt.after
    return tuple("secret words" not in text for text in (found.got, found.message, excerpt))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("clause", "pointer", "hide", "masked"),
    [
        ("item.array", "/queue_pending/0/2/3/inputs", True, (True, True, True)),
        ("item.array", "/queue_pending/0/2/3/inputs", False, (False, False, False)),
        ("item.array", "/queue_pending/0/1", True, (False, False, True)),
    ],
)
def test_the_contents_of_workflows_are_hidden_if_asked(
    clause: str, pointer: str, masked: tuple[bool, bool, bool], *, hide: bool
) -> None:
    assert hidden(clause, pointer, hide=hide) == masked


def test_an_error_that_cannot_hold_a_workflow_is_not_masked() -> None:
    plain = b'{"message": "secret words"}'
    assert hidden("item.array", "/queue_pending/0/2/3/inputs", hide=True, status=500, body=plain) == (False,) * 3
    assert hidden("item.array", "/queue_pending/0/2/3/inputs", hide=True, status=200, body=plain) == (True,) * 3
    assert hidden("item.array", "/queue_pending/0/2/3/inputs", hide=True, status=500, body=CONTENT) == (True,) * 3


@pytest.mark.parametrize(("clause", "shown"), [("workflow.class-type", True), ("item.array", False)])
def test_class_types_stay_visible_for_clauses_about_nodes(clause: str, *, shown: bool) -> None:
    response = Response(200, (), CONTENT)
    exchange = Exchange("x1", Request("GET", "http://t/api/queue"), response)
    node = Finding("/queue_pending/0/2/3", "e", '{"class_type": "KSampler"}', '{"class_type": "KSampler"} is odd')
    found = as_evidence(exchange, clause, node, hide=True)
    assert found.excerpt is not None
    assert ["KSampler" in text for text in (found.got, found.message, found.excerpt.marked)] == [shown] * 3


def test_a_tally_hides_workflows_if_asked() -> None:
    assert "secret words" in counted((answer(body=CONTENT), (SHOWN,))).evidence[0].got
    assert "secret words" in as_evidence(answer(body=CONTENT).exchange, "item.array", SHOWN).got
    for hide in (False, True):
        found = counted((answer(body=CONTENT), (SHOWN,)), tally=ClauseTally(hide=hide)).evidence
        assert ("secret words" not in found[0].got) is hide


def test_keys_are_redacted_in_pointers_and_fingerprints() -> None:
    findings = tuple(finding(f"/{KEY}/{number}") for number in range(4))
    found = counted((answer(key=KEY), findings))
    assert KEY not in str(found)
    assert found.evidence[1].last == f"/{REDACTED}/3"
    assert [each.place for each in found.fingerprints] == [f"/{REDACTED}/*"]
