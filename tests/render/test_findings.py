"""The cards of findings: what is in one card, in which order, and what to do about it."""

from __future__ import annotations

from msgspec import structs

from conformance.contract.clauses.item import elements_in_order
from conformance.judge.report import ClauseResult, Evidence, Report, SmallestRequest, Status, Verdict
from conformance.judge.verdict import GRAVEST
from conformance.render.advice import REMEDIES
from conformance.render.findings import COMFYUI, OF_COMFYUI, Card, cards
from helpers import report_samples as sample


def evidence(kind: str = "", hint: str | None = None, **changed: object) -> Evidence:
    """Return one breach in the first response of the sample."""
    found = Evidence(exchange="x1", pointer="/queue_running/0/3", expected="a", got="b", message="c")
    return structs.replace(found, kind=kind, hint=hint, **changed)


def broken(clause_id: str, *found: Evidence, status: Status = Status.FAIL) -> ClauseResult:
    """Return the result of a clause that is broken."""
    return structs.replace(sample.clause("item.element-order", status, *found), id=clause_id)


def cards_of(*results: ClauseResult) -> list[Card]:
    """Return the cards of a run with these results."""
    return cards(sample.report(Verdict.NON_CONFORMANT, "broken", results))


def test_findings_of_one_cause_are_one_card_that_counts_them() -> None:
    (card,) = cards_of(broken("item.array", evidence("k", "h", more=4), evidence("k", "h", pointer="/x", more=0)))
    assert card.places == "6 places in response x1"
    assert [one.pointer for one in card.others] == ["/x"]


def test_findings_of_two_causes_are_two_cards() -> None:
    found = cards_of(broken("item.array", evidence("k", "h"), evidence("l", "h"), evidence("k", "other")))
    assert [(card.evidence and card.evidence.kind, card.places) for card in found] == [("k", ""), ("l", ""), ("k", "")]


def test_places_in_several_responses_and_findings_outside_a_body_are_counted_as_such() -> None:
    (card,) = cards_of(broken("item.array", evidence("k", "h"), evidence("k", "h", exchange="x2")))
    assert card.places == "2 places"
    (card,) = cards_of(broken("http.vary", evidence("k", "h", pointer=None), evidence("k", "h", pointer=None)))
    assert card.places == "2 findings in response x1"


def test_what_a_server_sends_changes_no_card() -> None:
    one, other = evidence(got="1", message="1"), evidence(got="2", message="2")
    assert len(cards_of(broken("item.array", one, other))) == 1


def test_failed_comes_before_error_before_warning() -> None:
    found = cards_of(
        broken("http.date", evidence(), status=Status.WARN),
        sample.clause("workflow.links", Status.ERROR),
        broken("item.array", evidence()),
        sample.clause("json.well-formed"),
    )
    assert [card.result.status for card in found] == [Status.FAIL, Status.ERROR, Status.WARN]


def test_the_end_of_the_server_comes_first() -> None:
    found = cards_of(broken("item.array", evidence()), broken(GRAVEST, evidence()))
    assert found[0].result.id == GRAVEST


def comfyui() -> Report:
    """Return a run against a server that sends ComfyUI's own order and counts from 0."""
    results = (
        broken("item.element-order", evidence(COMFYUI, "swapped, as ComfyUI sends them; --dialect oss demands that")),
        broken("item.job-number.one-based", evidence("zero", "a zero-based position")),
        broken("item.array", evidence()),
    )
    return sample.report(Verdict.NON_CONFORMANT, "broken", results)


def test_what_comfyui_itself_does_is_one_card() -> None:
    first, other = cards(comfyui())
    assert [card.result.id for card in first.also] == ["item.job-number.one-based"]
    assert other.result.id == "item.array"
    assert first.cause == "Swapped, as ComfyUI sends them."
    assert "Use --dialect oss if" in first.remedy


def test_without_comfyuis_order_a_position_from_0_is_a_card_of_its_own() -> None:
    (card,) = cards_of(broken("item.job-number.one-based", evidence("zero", "a zero-based position")))
    assert card.also == ()
    assert "--dialect oss" in card.remedy


def test_only_kinds_that_clauses_tell_apart_have_a_remedy_or_are_comfyuis() -> None:
    from conformance.contract.catalogue import BY_ID, CATALOGUE

    kinds = {kind for clause in CATALOGUE for kind in clause.kinds}
    assert set(REMEDIES) <= kinds
    assert COMFYUI in elements_in_order.kinds
    assert all(kind in BY_ID[clause].kinds for clause, kind in OF_COMFYUI)


def test_an_unknown_cause_says_how_to_check_the_fix() -> None:
    (card,) = cards_of(broken("item.array", evidence()))
    rule = sample.clause("item.element-order").title
    assert card.remedy == f"Follow the rule: {rule}. To check the fix, add --clause item.array to the command."


def test_a_recording_is_not_checked_again_with_an_option_that_judge_does_not_have() -> None:
    report = sample.report(Verdict.NON_CONFORMANT, "broken", [broken("item.array", evidence())])
    recorded = structs.replace(report, run=structs.replace(report.run, recorded=True))
    assert cards(recorded)[0].remedy.endswith("To check the fix, record the queue again.")


def test_a_hint_that_says_the_queue_is_elsewhere_is_split_into_cause_and_advice() -> None:
    hint = "the queue has another path: look it up, and give it with --queue-path"
    (card,) = cards_of(broken("status.served", evidence("not-found", hint, pointer=None)))
    assert card.cause == "The queue has another path."
    assert card.remedy == "Look it up, and give it with --queue-path."


def test_the_command_is_of_the_response_or_of_the_smallest_request() -> None:
    (card,) = cards_of(broken("item.array", evidence()))
    assert card.curl[0].startswith("curl -sS -i")
    smallest = SmallestRequest(
        exchanges=("x2",), curl=("curl smallest",), asked=5, broken=5, plain_asked=5, plain_broken=0
    )
    (card,) = cards_of(structs.replace(broken("item.array", evidence()), smallest=smallest))
    assert card.curl == ("curl smallest",)
    (card,) = cards_of(broken("item.array", evidence(exchange="x-99")))
    assert card.curl == ()


def test_without_evidence_the_broken_rule_is_the_message() -> None:
    (card,) = cards_of(broken("item.array"))
    message = f"Broken: must: {card.result.title}"
    assert (card.message, card.where, card.cause) == (message, "unknown place", "")
