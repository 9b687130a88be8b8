"""The tuple, element by element and value by value."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.reading.body import Item
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand, Dialect, Level
from conformance.exchange.model import Exchange
from helpers.answers import Told, got, item, queue, read, said

JOB = "/queue_pending/0"
ID = "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"


def listing(*elements: Any) -> Exchange:
    return read(queue(list(elements)))


def at(index: int, text: str) -> Exchange:
    """Return a read of a job that has this JSON text for an element."""
    changes: dict[str, Any] = {f"e{index}": "here"}
    return read(queue(item(**changes)).replace(b'"here"', text.encode()))


@pytest.mark.parametrize(
    ("job", "text", "hint"),
    [
        ({"a": 1}, '{"a": 1}', "the job is an object with named members"),
        (ID, f'"{ID}"', "only the id of a job"),
        (None, "null", None),
        (1, "1", None),
        (True, "true", None),
    ],
)
def test_a_job_that_is_no_array_is_named(job: Any, text: str, hint: str | None) -> None:
    expected = [Told(JOB, "an array of five elements", text, "The job is not an array.", hint)]
    assert said("item.array", read(queue(job))) == expected
    assert said("item.five-elements", read(queue(job))) is None


def test_nan_in_the_place_of_a_job_has_a_clause_of_its_own() -> None:
    assert said("item.array", read(b'{"queue_running": [NaN]}')) is None


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 6, 7])
def test_a_job_of_another_length_is_named(size: int) -> None:
    found = said("item.five-elements", listing(*[*item(), 6, 7][:size])) or []
    (finding,) = found
    assert (finding.pointer, finding.expected, finding.got) == (JOB, "5 elements", f"{size} elements")
    assert (finding.hint is None) is (size < 4)


def test_elements_of_a_very_large_job_that_were_not_parsed_are_counted() -> None:
    job = Item(JOB, pending=True, elements=item(), demand=AS_THE_DOCUMENT_SAYS, more=3)
    assert [finding.got for finding in BY_ID["item.five-elements"].check(job)] == ["8 elements"]


def test_what_is_missing_and_what_is_too_many_is_told_apart() -> None:
    short, long = (said("item.five-elements", listing(*[*item(), 6][:size])) or [] for size in (4, 6))
    assert "2023" in (short[0].hint or "")
    assert "2023" not in (long[0].hint or "")
    assert said("item.five-elements", listing(*item())) == []


# --- the order of [3] and [4] -----------------------------------------------------------------------------------------


def swapped() -> list[Any]:
    job = item()
    return [*job[:3], job[4], job[3]]


def test_the_order_that_is_demanded_is_kept() -> None:
    assert said("item.element-order", listing(*item())) == []
    assert said("item.element-order", listing(*swapped()), demand=Demand.of(Dialect.OSS)) == []


def test_the_order_of_comfyui_is_named() -> None:
    (finding,) = said("item.element-order", listing(*swapped())) or []
    assert finding.pointer == f"{JOB}/3"
    assert finding.expected == "output_node_ids (array) at [3], metadata (object) at [4]"
    assert "12659" in (finding.hint or "")
    assert finding.got.startswith('{"create_time"')


def test_the_order_of_the_cloud_is_named_where_the_other_is_demanded() -> None:
    (finding,) = said("item.element-order", listing(*item()), demand=Demand.of(Dialect.OSS)) or []
    assert finding.pointer == f"{JOB}/3"
    assert finding.expected == "extra_data (object) at [3], outputs_to_execute (array) at [4]"
    assert finding.hint == "this is the order of Comfy Cloud; --dialect cloud expects it"
    assert finding.got == '["9"]'


@pytest.mark.parametrize("elements", [([], []), ({}, {}), ([], None), (None, {}), ("", 1)])
def test_where_types_show_no_order_none_is_judged(elements: tuple[Any, Any]) -> None:
    assert said("item.element-order", listing(*item()[:3], *elements)) is None


# --- [1] --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1", "null", "true", "[]", "{}"])
def test_an_id_that_is_no_string_is_named(text: str) -> None:
    expected = [Told(f"{JOB}/1", "a string (UUID)", text, "prompt_id is not a string.")]
    assert said("item.prompt-id.string", at(1, text)) == expected
    assert said("item.prompt-id.uuid", at(1, text)) is None


def test_nan_for_an_id_has_a_clause_of_its_own() -> None:
    assert said("item.prompt-id.string", at(1, "NaN")) is None
    assert said("item.prompt-id.string", at(1, '""')) == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("job-1", None),
        ("", None),
        (ID[:-1], None),
        (ID.replace("-", ""), "a UUID without its hyphens"),
        ("{" + ID + "}", "a UUID with other characters around it"),
        (f"urn:uuid:{ID}", "a UUID with other characters around it"),
        (f"{ID}\n", "a UUID with other characters around it"),
        (ID.replace("-", "") + "0", "a UUID with other characters around it"),
        (ID.replace("2", "٢"), None),
    ],
)
def test_an_id_that_is_no_uuid_is_told_with_its_cause(text: str, hint: str | None) -> None:
    found = said("item.prompt-id.uuid", listing(1, text)) or []
    assert [(finding.pointer, finding.hint) for finding in found] == [(f"{JOB}/1", hint)]
    assert said("item.prompt-id.lower-case", listing(1, text)) is None


@pytest.mark.parametrize(("text", "found"), [(ID, []), (ID.upper(), [f'"{ID.upper()}"'])])
def test_an_id_is_in_lower_case(text: str, found: list[str]) -> None:
    assert said("item.prompt-id.uuid", listing(1, text)) == []
    assert got(said("item.prompt-id.lower-case", listing(1, text))) == found


# --- [2] --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("null", None),
        ("[]", None),
        ("1", None),
        ('"x"', None),
        ('"[]"', None),
        ('"{}"', "the workflow as a string that contains JSON: encoded twice"),
        ('" \\n{}"', "the workflow as a string that contains JSON: encoded twice"),
    ],
)
def test_a_workflow_that_is_no_object_is_named(text: str, hint: str | None) -> None:
    (finding,) = said("item.workflow.object", at(2, text)) or []
    assert (finding.pointer, finding.expected, finding.hint) == (f"{JOB}/2", "an object", hint)
    assert said("item.workflow.not-empty", at(2, text)) is None


def test_nan_for_a_workflow_has_a_clause_of_its_own() -> None:
    assert said("item.workflow.object", at(2, "NaN")) is None
    assert said("item.workflow.object", listing(1, ID)) is None


def test_a_workflow_has_a_member() -> None:
    assert got(said("item.workflow.not-empty", at(2, "{}"))) == ["{}"]
    assert said("item.workflow.not-empty", at(2, '{"1": null}')) == []
    assert said("item.workflow.object", at(2, "{}")) == []


# --- [3] --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["null", '"9"', "9", "true"])
def test_output_node_ids_that_are_no_array_are_named(text: str) -> None:
    expected = [Told(f"{JOB}/3", "an array of strings", text, "output_node_ids is not an array.")]
    assert said("item.output-node-ids.array", at(3, text)) == expected
    for other in ("strings", "not-empty", "not-blank", "distinct"):
        assert said(f"item.output-node-ids.{other}", at(3, text)) is None


def test_of_a_job_that_is_swapped_or_short_neither_3_nor_4_is_judged() -> None:
    for clause in ("item.output-node-ids.array", "item.metadata.object"):
        assert said(clause, listing(*swapped())) is None
        assert said(clause, listing(*item()[:4])) is None
        assert said(clause, at(3, "NaN")) == []


@pytest.mark.parametrize(
    ("ids", "strings", "blank", "empty", "twice"),
    [
        ('["9"]', [], [], [], []),
        ("[]", None, None, [f"{JOB}/3"], []),
        ('["9", 9, null]', [f"{JOB}/3/1", f"{JOB}/3/2"], [], [], []),
        ('["", "9"]', [], [f"{JOB}/3/0"], [], []),
        ('["9", "8", "9", "9"]', [], [], [], [f"{JOB}/3/2", f"{JOB}/3/3"]),
        ("[9, 9]", [f"{JOB}/3/0", f"{JOB}/3/1"], None, [], []),
        ("[NaN]", None, None, [], []),
    ],
)
def test_output_node_ids_are_distinct_names(
    ids: str, strings: list[str] | None, blank: list[str] | None, empty: list[str], twice: list[str]
) -> None:
    def places(clause: str) -> list[str | None] | None:
        found = said(f"item.output-node-ids.{clause}", at(3, ids))
        return None if found is None else [finding.pointer for finding in found]

    assert (places("strings"), places("not-blank"), places("not-empty"), places("distinct")) == (
        strings,
        blank,
        empty,
        twice,
    )


# --- [4] --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["null", "[]", "1763913600000", '"{}"'])
def test_metadata_that_are_no_object_are_named(text: str) -> None:
    expected = [Told(f"{JOB}/4", "an object", text, "metadata is not an object.")]
    assert said("item.metadata.object", at(4, text)) == expected
    assert said("item.create-time.present", at(4, text)) is None


def test_nan_for_metadata_has_a_clause_of_its_own() -> None:
    assert said("item.metadata.object", at(4, "NaN")) == []


# --- what a run has to have seen --------------------------------------------------------------------------------------


def test_core_is_what_a_conformant_run_has_exercised() -> None:
    """The envelope, and the shape of the tuple: shall any of them be left out, a verdict says less."""
    assert [clause.id for clause in BY_ID.values() if clause.core] == [
        "status.served",
        "envelope.object",
        "envelope.queue-running.array",
        "envelope.queue-pending.array",
        "item.array",
        "item.five-elements",
        "item.element-order",
        "item.prompt-id.string",
        "item.prompt-id.uuid",
        "item.workflow.object",
        "item.output-node-ids.array",
        "item.metadata.object",
        "item.job-number.number",
        "item.job-number.integer",
        "item.job-number.plain",
        "item.job-number.one-based",
        "item.create-time.present",
        "item.create-time.number",
        "item.create-time.milliseconds",
    ]
    assert all(clause.level is Level.MUST for clause in BY_ID.values() if clause.core)
