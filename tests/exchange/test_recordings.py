"""Real answers of ComfyUI are judged rightly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import DIFFERENCES, ELEMENT_ORDER, NO_AUTHENTICATION, Dialect, Difference
from conformance.exchange.recordings import read_file
from conformance.judge.judge import Judgement, judge
from conformance.judge.report import Status

RECORDINGS = Path(__file__).parents[1] / "recordings"


CACHE = {"warn caching.shared"}
SWAPPED = {"fail item.element-order", *CACHE}
FROM_ZERO = {"fail item.job-number.one-based"}
AS_FLOAT = {"fail item.job-number.plain"}
OWN_IDS = {"fail item.prompt-id.uuid"}
FALLING = {"warn queue.job-numbers.rising"}
NOT_OLDEST_FIRST = {"fail queue.pending.oldest-first"}
HEAP = {"warn queue.pending.oldest-first", *FALLING}
NAN = {"fail json.finite-numbers"}
HALVES = {"warn json.paired-surrogates"}
SAME_ID = {"warn queue.prompt-ids.distinct"}
SAME_NUMBER = {"warn queue.job-numbers.distinct"}
CORS = {"warn cors.credentials"}
VARY = {"warn http.vary"}

Broken = set[str]
EXPECTED: dict[str, tuple[Broken, Broken]] = {
    "q_empty": (CACHE, set()),
    "q_running1_pending0": (SWAPPED | FROM_ZERO, set()),
    "q_running1_pending5": (SWAPPED | FROM_ZERO, set()),
    "q_after_int_other": (SWAPPED | OWN_IDS, OWN_IDS),
    "q_default_20_before": (SWAPPED | OWN_IDS, OWN_IDS),
    "q_default_20_after_7_dispatched": (SWAPPED | OWN_IDS | NOT_OLDEST_FIRST | FALLING, OWN_IDS | HEAP),
    "q_15_shuffled": (SWAPPED | OWN_IDS | AS_FLOAT | NOT_OLDEST_FIRST | FALLING, OWN_IDS | HEAP),
    "q_front_2": (SWAPPED | FROM_ZERO | NOT_OLDEST_FIRST | FALLING, HEAP),
    "q_numbers": (
        SWAPPED
        | FROM_ZERO
        | AS_FLOAT
        | NOT_OLDEST_FIRST
        | FALLING
        | {"fail item.job-number.integer", "warn item.job-number.safe"},
        HEAP | {"warn item.job-number.safe"},
    ),
    "q_ties": (
        SWAPPED | OWN_IDS | AS_FLOAT | NOT_OLDEST_FIRST | SAME_NUMBER,
        OWN_IDS | {"warn queue.pending.oldest-first"},
    ),
    "q_number_nan": (SWAPPED | NAN, NAN),
    "q_number_inf": (SWAPPED | NAN, NAN),
    "q_json_edge": (SWAPPED | NAN, NAN),
    "q_lone_surrogate": (SWAPPED | OWN_IDS | HALVES, OWN_IDS | HALVES),
    "q_prompt_ids": (SWAPPED | OWN_IDS | SAME_ID, OWN_IDS | SAME_ID),
    "q_prompt_echo": (SWAPPED, set()),
    "q_same_id_same_number": (SWAPPED | OWN_IDS | AS_FLOAT | SAME_ID | SAME_NUMBER, OWN_IDS | SAME_ID),
    "q_extra_data": (SWAPPED, set()),
    "auth_apikey": (SWAPPED | OWN_IDS, OWN_IDS),
    "m_HEAD": (set(), set()),
    "m_OPTIONS": ({"warn method.options-allow"}, {"warn method.options-allow"}),
    "m_PUT": (set(), set()),
    "h_origin_bad_host": ({"fail error.content-type"}, set()),
    "h_origin_mismatch": ({"warn auth.error-response"}, set()),
    "h_origin_badport": ({"fail error.content-type", "warn error.bad-header"}, {"warn error.bad-header"}),
    "x_flags_gzip": (SWAPPED | FROM_ZERO | OWN_IDS | VARY | CORS, OWN_IDS | VARY | CORS),
    "x_flags_gzip_q0": (
        SWAPPED | FROM_ZERO | OWN_IDS | VARY | CORS | {"warn http.coding-asked"},
        OWN_IDS | VARY | CORS | {"warn http.coding-asked"},
    ),
    "x_flags_head_gzip": (CORS, CORS),
    "x_flags_empty_gzip": (CACHE | VARY | CORS, VARY | CORS),
    "x_flags_cors_origin": (SWAPPED | FROM_ZERO | OWN_IDS | CORS, OWN_IDS | CORS),
    "p_slash": (set(), set()),
    "pq_delete_pending": ({"fail lifecycle.delete.answer"}, set()),
    "pq_invalid_json": ({"warn lifecycle.delete.malformed"}, {"warn lifecycle.delete.malformed"}),
}
"""What each recording breaks, under ``cloud`` and under ``oss``."""


def judged(name: str, dialect: Dialect) -> Judgement:
    return judge(read_file(RECORDINGS / f"{name}.http"), dialect)


def broken_by(judgement: Judgement) -> Broken:
    return {
        f"{result.status} {result.id}"
        for result in judgement.results
        if result.status in {Status.FAIL, Status.WARN, Status.ERROR}
    }


def test_every_recording_is_in_the_table_and_in_the_index() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.http")} == set(EXPECTED)
    assert {path.stem for path in RECORDINGS.glob("*.req")} == set(EXPECTED)
    index = (RECORDINGS / "INDEX.md").read_text()
    assert [name for name in EXPECTED if name not in index] == []


@pytest.mark.parametrize("dialect", [Dialect.CLOUD, Dialect.OSS])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_answer_breaks_what_it_breaks_and_nothing_else(name: str, dialect: Dialect) -> None:
    assert broken_by(judged(name, dialect)) == EXPECTED[name][dialect is Dialect.OSS]


@pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name][0] >= SWAPPED])
def test_swapped_elements_are_one_finding_for_each_item_named_as_comfyuis(name: str) -> None:
    exchange = read_file(RECORDINGS / f"{name}.http")[0]
    assert exchange.response is not None
    items = sum(len(found) for found in json.loads(exchange.response.content).values())
    result = next(result for result in judged(name, Dialect.CLOUD).results if result.id == "item.element-order")
    assert sum(1 + evidence.more for evidence in result.evidence) == items
    for evidence in result.evidence:
        assert evidence.pointer is not None
        assert evidence.pointer.endswith("/3")
        assert "12659" in str(evidence.hint)


@pytest.mark.parametrize("name", EXPECTED)
def test_auto_comes_to_the_same_as_oss_and_accuses_nothing_that_it_cannot_know(name: str) -> None:
    auto, oss = judged(name, Dialect.AUTO), judged(name, Dialect.OSS)
    idle = {"q_empty", "x_flags_head_gzip", "x_flags_empty_gzip"}
    shows_a_job = name.startswith(("q_", "auth_", "x_flags_")) and name not in idle
    assert auto.demand.read_as is (Dialect.OSS if shows_a_job else Dialect.AUTO)
    assert broken_by(auto) == broken_by(oss)
    statuses = {result.id: result.status for result in oss.results}
    other = {result.id for result in auto.results if result.status is not statuses[result.id]}
    which_order = {"item.element-order", "queue.one-order"}
    excused = {clause.id for clause in CATALOGUE if clause.oss}
    assert other <= (which_order if shows_a_job else which_order | excused)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_what_comfyui_does_by_design_is_recorded_and_not_held_against_it(difference: Difference) -> None:
    """Each recording breaks, under the document's reading, a clause that the difference excuses from."""
    excused = {clause.id for clause in CATALOGUE if clause.oss is difference} or {"item.element-order"}
    assert difference.shown_by
    for name in difference.shown_by:
        (exchange,) = read_file(RECORDINGS / f"{name}.http")
        under_cloud, under_oss = (judged(name, dialect) for dialect in (Dialect.CLOUD, Dialect.OSS))
        if difference is NO_AUTHENTICATION:  # of a recording nobody knows whether its key is the right one
            assert exchange.response is not None
            assert exchange.response.status == 200
        else:
            assert {line.split()[1] for line in broken_by(under_cloud)} & excused, name
        expected = Status.WARN if difference.softens else Status.NOT_APPLICABLE
        expected = Status.PASS if difference is ELEMENT_ORDER else expected
        said = {result.status for result in under_oss.results if result.id in excused}
        assert said - {Status.NOT_EXERCISED} == {expected}, "one answer exercises no clause on the life of jobs"


def test_findings_of_known_deviations_name_their_likely_cause() -> None:
    hints = {
        (result.id, evidence.hint)
        for name in ("q_front_2", "q_numbers", "q_running1_pending0", "q_number_nan")
        for result in judged(name, Dialect.CLOUD).results
        for evidence in result.evidence
    }
    for clause, word in [
        ("item.job-number.one-based", "counts from 0"),
        ("item.job-number.one-based", "front: true"),
        ("item.job-number.plain", "float"),
        ("queue.job-numbers.rising", "heap"),
        ("json.finite-numbers", "allow_nan"),
    ]:
        assert any(clause == told and word in str(hint) for told, hint in hints), clause


def test_a_nan_is_pointed_at_where_it_stands() -> None:
    results = judged("q_json_edge", Dialect.OSS).results
    evidence = next(result for result in results if result.id == "json.finite-numbers").evidence
    assert [found.pointer for found in evidence] == ["/queue_pending/1/2/1/inputs/nan"]
