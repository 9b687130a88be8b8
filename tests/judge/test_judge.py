"""From exchanges to statuses, evidence and a verdict, without any network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Finding, clause, doc
from conformance.contract.terms import NO_ERROR_RESPONSE, Demand, Dialect, Level
from conformance.exchange.model import Exchange, NoResponse, Problem, Request, Response
from conformance.judge import judge as judging
from conformance.judge.judge import Judgement, judge
from conformance.judge.report import Status, Verdict
from conformance.judge.tally import LISTED
from helpers.answers import HEADERS, NOW, broken, item, queue, read, reads, result

# --- evidence -------------------------------------------------------------------------------------


def test_thousands_of_findings_are_grouped_and_counted_exactly() -> None:
    swapped = [item(n, e3={"create_time": int(NOW * 1000) - 9000 + n}, e4=["9"]) for n in range(1, 5001)]
    found = result(judge(reads(queue(*swapped))), "item.element-order")
    assert [evidence.pointer for evidence in found.evidence] == [f"/queue_pending/{n}/3" for n in range(LISTED)]
    assert found.evidence[-1].more == 5000 - LISTED
    assert found.evidence[-1].last == "/queue_pending/4999/3"
    assert (found.judged, found.breached) == (1, 1)


def test_findings_of_different_kinds_are_listed_apart() -> None:
    times = [item(1, e4={"create_time": 1_763_913_590}), item(2, e4={"create_time": "yesterday"}), item(3, e4={})]
    judgement = judge(reads(queue(*times)))
    assert result(judgement, "item.create-time.milliseconds").evidence[0].hint == "seconds instead of milliseconds"
    assert result(judgement, "item.create-time.number").evidence[0].pointer == "/queue_pending/1/4/create_time"
    assert result(judgement, "item.create-time.present").evidence[0].pointer == "/queue_pending/2/4/create_time"


def test_the_same_finding_in_other_answers_is_named_and_not_listed_again() -> None:
    body = queue(item(1, e1="job-1"))
    found = result(judge(reads(body, body, queue(item(1)), body)), "item.prompt-id.uuid")
    assert [evidence.exchange for evidence in found.evidence] == ["x1"]
    assert found.evidence[0].seen_in == ("x2", "x4")
    assert (found.judged, found.breached) == (4, 3)


def test_evidence_marks_the_place_in_the_body() -> None:
    excerpt = result(judge(reads(queue(item(1, e1="job-1")))), "item.prompt-id.uuid").evidence[0].excerpt
    assert excerpt is not None
    assert excerpt.marked == '"job-1"'
    assert excerpt.before.endswith("[[1, ")


# --- one fault, one finding -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "clause_id", "hint"),
    [
        ({"e0": 0}, "item.job-number.one-based", "a zero-based position: ComfyUI counts from 0"),
        ({"e0": "1"}, "item.job-number.number", None),
        ({"e0": True}, "item.job-number.number", None),
        ({"e0": 1.5}, "item.job-number.integer", None),
        ({"e1": None}, "item.prompt-id.string", None),
        ({"e1": "0" * 32}, "item.prompt-id.uuid", "a UUID without its hyphens"),
        ({"e2": '{"9": {}}'}, "item.workflow.object", "the workflow as a string that contains JSON: encoded twice"),
        ({"e2": None}, "item.workflow.object", None),
        ({"e3": "9"}, "item.output-node-ids.array", None),
        ({"e3": [9]}, "item.output-node-ids.strings", None),
        ({"e4": None}, "item.metadata.object", None),
        ({"e4": {"create_time": 1.7e15}}, "item.create-time.milliseconds", "microseconds instead of milliseconds"),
    ],
)
def test_one_fault_of_an_item_gives_one_clause(changes: dict[str, Any], clause_id: str, hint: str | None) -> None:
    judgement = judge(reads(queue(item(1, **changes))))
    musts = {found.id for found in judgement.results if found.status is Status.FAIL}
    assert musts == {clause_id}
    assert result(judgement, clause_id).evidence[0].hint == hint


def test_a_sixth_element_is_one_finding_and_the_first_five_are_still_judged() -> None:
    judgement = judge(reads(queue([*item(1, e1="job-1"), {"auth": "…"}])))
    assert broken(judgement) == {"item.five-elements", "item.prompt-id.uuid"}


def test_three_point_zero_is_told_apart_from_three() -> None:
    body = queue(item(3)).replace(b"[[3,", b"[[3.0,")
    assert broken(judge(reads(body))) == {"item.job-number.plain"}


# --- dialects -------------------------------------------------------------------------------------


def oss_item(number: int) -> list[Any]:
    """Return a job in ComfyUI's own order."""
    job = item(number + 1)
    return [number, *job[1:3], job[4], job[3]]


def test_comfyui_keeps_its_own_dialect_and_breaks_the_cloud_in_two_named_ways() -> None:
    body = queue(oss_item(1), running=(oss_item(0),))
    assert broken(judge(reads(body), Dialect.OSS)) == set()
    assert broken(judge(reads(body), Dialect.CLOUD)) == {"item.element-order", "item.job-number.one-based"}


def places(judgement: Judgement, clause_id: str) -> list[tuple[str, str | None]]:
    return [(evidence.exchange, evidence.pointer) for evidence in result(judgement, clause_id).evidence]


@pytest.mark.parametrize(
    ("first", "read_as", "kind"), [(item(1), Dialect.CLOUD, "an array"), (oss_item(0), Dialect.OSS, "an object")]
)
def test_auto_reads_as_the_first_job_shows_and_says_which_one_that_was(
    first: list[Any], read_as: Dialect, kind: str
) -> None:
    judgement = judge(reads(queue(), queue(first)), Dialect.AUTO)
    assert judgement.demand.read_as is read_as
    assert judgement.demand.because == f"element 3 of the first job, /queue_pending/0 in x2, is {kind}"
    assert judgement.verdict is Verdict.CONFORMANT


def test_auto_takes_either_order() -> None:
    for jobs in ([item(1), item(2)], [oss_item(0), oss_item(1)]):
        judgement = judge(reads(queue(*jobs)), Dialect.AUTO)
        assert judgement.verdict is Verdict.CONFORMANT
        assert result(judgement, "item.element-order").status is Status.NOT_APPLICABLE
        assert result(judgement, "item.element-order").reason.startswith("the dialect auto allows either order")


def test_auto_names_each_job_in_another_order_than_the_first_one_of_all_answers() -> None:
    mixed = queue(item(1), oss_item(2), item(4))
    cloud_first = judge(reads(queue(item(1)), queue(item(1), oss_item(2)), mixed), Dialect.AUTO)
    assert broken(cloud_first) == {"queue.one-order"}
    assert places(cloud_first, "queue.one-order") == [("x2", "/queue_pending/1/3")]
    assert result(cloud_first, "queue.one-order").evidence[0].seen_in == ("x3",)
    oss_first = judge(reads(queue(running=(oss_item(0),)), queue(item(2), running=(oss_item(0),))), Dialect.AUTO)
    assert broken(oss_first) == {"queue.one-order"}
    assert places(oss_first, "queue.one-order") == [("x2", "/queue_pending/0/3")]
    running_first = judge(reads(queue(item(2), running=(oss_item(0),))), Dialect.AUTO)
    assert running_first.demand.read_as is Dialect.OSS
    assert places(running_first, "queue.one-order") == [("x1", "/queue_pending/0/3")]


@pytest.mark.parametrize("odd", [None, "9", 3, False])
@pytest.mark.parametrize("before", [item(1), oss_item(0)])
def test_auto_reports_an_element_3_that_is_neither_and_guesses_nothing(odd: object, before: list[Any]) -> None:
    unclear = [*item(2)[:3], odd, {"create_time": "yesterday"}]
    judgement = judge(reads(queue(before, unclear)), Dialect.AUTO)
    assert broken(judgement) == {"queue.one-order"}  # what stands at 3 and 4 is no more called names
    assert places(judgement, "queue.one-order") == [("x1", "/queue_pending/1/3")]
    assert result(judgement, "queue.one-order").evidence[0].message.endswith("does not show the order of this job.")


def test_auto_reads_element_4_by_element_3_whatever_it_is() -> None:
    assert broken(judge(reads(queue(item(1, e4=None))), Dialect.AUTO)) == {"item.metadata.object"}
    assert broken(judge(reads(queue([*oss_item(0)[:4], "9"])), Dialect.AUTO)) == {"item.output-node-ids.array"}
    two_objects = judge(reads(queue(item(1), [*oss_item(2)[:4], {}])), Dialect.AUTO)
    assert broken(two_objects) == {"queue.one-order", "item.output-node-ids.array"}


def test_auto_leaves_a_nan_at_element_3_and_a_job_without_one_to_their_own_clauses() -> None:
    nan = queue(item(1), item(2, e3="NaN")).replace(b'"NaN"', b"NaN")
    assert broken(judge(reads(nan), Dialect.AUTO)) == {"json.finite-numbers"}
    assert broken(judge(reads(queue(item(1), item(2)[:3])), Dialect.AUTO)) == {"item.five-elements"}


def test_auto_accuses_nobody_of_what_only_one_dialect_demands_where_no_job_told_which() -> None:
    error = read(b"500 Internal Server Error", status=500, headers=(("Content-Type", "text/plain"), *HEADERS[1:]))
    exchanges = [*reads(queue()), error]
    judgement = judge(exchanges, Dialect.AUTO)
    assert judgement.demand == Demand(Dialect.AUTO, Dialect.AUTO, "no job has shown an order")
    assert judgement.verdict is Verdict.INCONCLUSIVE
    found = result(judgement, "error.content-type")
    assert (found.status, found.reason) == (
        Status.NOT_EXERCISED,
        f"needs a job that shows the dialect: {NO_ERROR_RESPONSE.says}",
    )
    assert "error.content-type" in broken(judge(exchanges, Dialect.CLOUD))
    assert "error.content-type" in broken(judge([*reads(queue(item(1))), error], Dialect.AUTO))
    assert "error.content-type" not in broken(judge([*reads(queue(oss_item(0))), error], Dialect.AUTO))


def test_what_earlier_answers_told_holds_for_later_ones() -> None:
    told = judge(reads(queue(oss_item(0))), Dialect.AUTO).demand
    assert broken(judge(reads(queue(item(1))), Dialect.AUTO, detected=told)) == {"queue.one-order"}
    assert broken(judge(reads(queue(oss_item(0))), Dialect.AUTO, detected=told)) == set()


def test_what_comfyui_does_not_know_is_not_applicable_there() -> None:
    judgement = judge(reads(queue(oss_item(0))), Dialect.OSS)
    left = {found.id for found in judgement.results if found.status is Status.NOT_APPLICABLE}
    assert {"auth.key-required", "error.code", "item.job-number.one-based", "caching.shared"} <= left
    assert {found.id: found.reason for found in judgement.results if found.id in left} == {
        clause.id: clause.not_asked(Demand.of(Dialect.OSS)) for clause in CATALOGUE if clause.id in left
    }


# --- the verdict ----------------------------------------------------------------------------------


def test_a_conforming_queue_is_conformant() -> None:
    assert judge(reads(queue(item(1), item(2)))).verdict is Verdict.CONFORMANT


def test_an_idle_queue_certifies_no_tuple() -> None:
    judgement = judge(reads(queue(), queue()))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "the queue was always empty" in judgement.reason


def test_a_must_outranks_all_that_is_not_known() -> None:
    assert judge(reads(b'{"queue_running": null}')).verdict is Verdict.NON_CONFORMANT


def test_nothing_is_inconclusive() -> None:
    assert judge([]).verdict is Verdict.INCONCLUSIVE


def test_one_answer_that_did_not_come_whole_keeps_a_run_from_being_conformant() -> None:
    cut = Exchange(
        "x9",
        Request("GET", "http://t/api/queue"),
        problem=Problem(NoResponse.BROKEN, "cut off"),
        started=NOW,
        elapsed=1,
    )
    judgement = judge([*reads(queue(item(1))), cut])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "1 of 2 GETs of the queue got no complete response (cut off)" in judgement.reason


def test_an_attempt_that_was_made_again_is_not_held_against_anybody() -> None:
    lost = Exchange(
        "x9", Request("GET", "http://t/api/queue"), problem=Problem(NoResponse.BROKEN, "gone"), superseded=True
    )
    assert judge([lost, *reads(queue(item(1)))]).verdict is Verdict.CONFORMANT


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "the server needs a key"),
        (429, "too many requests"),
        (503, "not available"),
        *((status, "a gateway gets no response") for status in (502, 504, *range(520, 528), 530)),
    ],
)
def test_a_closed_door_says_nothing_of_the_contract(status: int, words: str) -> None:
    judgement = judge([read(b"", status=status, number=n) for n in (1, 2, 3)])
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert words in judgement.reason
    assert broken(judgement) <= {"auth.challenge", "auth.error-response"}


@pytest.mark.parametrize("status", [204, 301, 404, 418, 500, 501, 519, 528, 529, 531])
def test_a_queue_that_is_never_served_is_non_conformant(status: int) -> None:
    judgement = judge([read(b"", status=status, number=n) for n in (1, 2)])
    assert judgement.verdict is Verdict.NON_CONFORMANT
    assert "status.served" in broken(judgement)


def test_a_should_is_a_warning() -> None:
    judgement = judge(reads(queue(item(1, e3=["9", "9"]))))
    assert judgement.verdict is Verdict.CONFORMANT
    assert result(judgement, "item.output-node-ids.distinct").status is Status.WARN
    assert "1 should clause broken" in judgement.reason


MISTAKES: dict[str, dict[str, Any]] = {
    "check": {"over": lambda _: [1]},
    "over": {"over": lambda _: [1 // 0]},
    "of_body": {"of_body": lambda _: [1 // 0]},
    "across": {"across": lambda _: [1 // 0]},
}
"""Clauses with a mistake, by what is wrong in them. The check of each fails, too."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_the_suite_is_an_error_and_no_verdict(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    about: dict[str, Any] = {"title": "t", "source": doc("/type", "q"), "why": "w", "keeps": "k", "breaks": "b"}

    @clause("item.mistaken", Level.MUST, **about, **MISTAKES[mistake])
    def mistaken(_: int) -> Iterator[Finding]:
        yield Finding(None, "", str(1 // 0), "")

    monkeypatch.setattr(judging, "CATALOGUE", (*CATALOGUE, mistaken))
    judgement = judge(reads(queue(item(1))))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert result(judgement, "item.mistaken").status is Status.ERROR
    assert "item.mistaken" in judgement.reason


def test_a_selection_is_judged_alone() -> None:
    judgement = judge(reads(queue(item(1, e1="job-1"))), only={"item.array"})
    assert [found.id for found in judgement.results] == ["item.array"]
    assert judgement.verdict is Verdict.CONFORMANT


def test_counts_add_up() -> None:
    counts = judge(reads(queue(item(1, e1="job-1", e3=["9", "9"])))).counts
    parts = counts.passed + counts.fail + counts.warn + counts.not_exercised + counts.not_applicable + counts.error
    assert parts == counts.total == len(CATALOGUE)
    assert counts.exercised == counts.passed + counts.fail + counts.warn
    assert (counts.fail, counts.warn) == (1, 1)


# --- what is not known stays unknown --------------------------------------------------------------


def test_of_a_bare_body_no_header_is_judged() -> None:
    asked = Request("GET", "file:///api/queue")
    bare = Exchange("queue.json", asked, Response(200, content=queue(item(1)), head=False))
    judgement = judge([bare])
    assert judgement.verdict is Verdict.CONFORMANT
    for found in judgement.results:
        if found.id.startswith(("http.", "caching.", "method.", "cors.")):
            assert found.status is Status.NOT_EXERCISED, found.id


def test_answers_without_a_clock_are_not_compared_in_time() -> None:
    asked = Request("GET", "http://t/api/queue")
    bodies = (queue(item(1), item(2)), queue(item(2), item(1)))
    unrelated = [Exchange(f"{n}.http", asked, Response(200, HEADERS, body)) for n, body in enumerate(bodies)]
    for clause_id in ("reads.order", "reads.steady", "reads.job-data", "reads.safe"):
        assert result(judge(unrelated), clause_id).status is Status.NOT_EXERCISED


def test_a_change_between_reads_is_shown_where_it_stands_in_either_order() -> None:
    def listed(ids: list[str], dialect: Dialect) -> bytes:
        job = item(1, e3=ids)
        return queue(job if dialect is Dialect.CLOUD else [*job[:3], job[4], job[3]])

    for dialect, place in ((Dialect.CLOUD, "/queue_pending/0/3"), (Dialect.OSS, "/queue_pending/0/4")):
        judgement = judge(reads(listed(["9"], dialect), listed(["12"], dialect)), dialect)
        assert [found.pointer for found in result(judgement, "reads.job-data").evidence] == [place]
