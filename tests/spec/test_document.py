"""The shipped documents: unchanged, valid, quoted right; and the published one's defects, known by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from conformance.spec.document import (
    CORRECTED_PATH,
    DOCUMENT_PATH,
    DOCUMENT_SHA256,
    OVERLAY_PATH,
    PROBED_PATH,
    OpenApiDocument,
    document_bytes,
    errata,
    load_corrected,
    load_document,
    load_probed,
    load_probing,
    quote_stands_at,
    resolve,
)

ITEM = [
    1,
    "a6a1f0a4-4f5e-4b5e-9d1c-2f6a1d0c9b7e",
    {"9": {"class_type": "SaveImage", "inputs": {}}},
    ["9"],
    {"create_time": 1_764_000_000_000},
]
OPERATION = "/paths/~1api~1queue/get"
QUEUE_ITEM = "/components/schemas/QueueItem"


def accepts(document: OpenApiDocument, schema: str, value: object) -> bool:
    """Judge by Draft 4: an OpenAPI 3.0 schema is that draft, but for keywords that these schemas do not use."""
    from jsonschema import Draft4Validator

    return Draft4Validator({"$ref": f"#/components/schemas/{schema}", **document}).is_valid(value)


def mended(what: str, erratum: str | None = None) -> str:
    """Say what to do when a defect is gone."""
    action = f"the action {erratum!r} of errata.overlay.yaml (then `tox -e overlay`)" if erratum else "what leans on it"
    return f"The published document was mended: {what}. Delete this test and {action}."


# The bytes


def test_the_published_document_is_the_one_that_reports_name() -> None:
    assert hashlib.sha256(document_bytes()).hexdigest() == DOCUMENT_SHA256


def test_the_sha256_file_names_the_published_document() -> None:
    line = DOCUMENT_PATH.with_name(f"{DOCUMENT_PATH.name}.sha256").read_text("ascii")
    assert line == f"{DOCUMENT_SHA256}  {DOCUMENT_PATH.name}\n"


def test_the_provenance_names_the_published_document() -> None:
    assert DOCUMENT_SHA256 in DOCUMENT_PATH.with_name("PROVENANCE.md").read_text("utf-8")


@pytest.mark.parametrize("load", [load_document, load_corrected])
def test_both_documents_are_valid_openapi(load: Callable[[], OpenApiDocument]) -> None:
    from openapi_spec_validator import OpenAPIV30SpecValidator

    OpenAPIV30SpecValidator(load()).validate()


def test_a_caller_that_writes_into_a_loaded_document_changes_nobody_elses() -> None:
    load_document().clear()
    assert load_document()["openapi"] == "3.0.3"


# The known defects of the published document


def test_the_published_item_has_two_branches_that_nothing_tells_apart() -> None:
    branches = [
        {name: value for name, value in branch.items() if name != "description"}
        for branch in load_document()["components"]["schemas"]["QueueItem"]["items"]["oneOf"]
    ]
    assert branches.count({"type": "object"}) == 2, mended("no two branches of oneOf are equal", "queue-item.any-of")


def test_the_published_schema_rejects_a_conforming_item() -> None:
    assert not accepts(load_document(), "QueueItem", ITEM), mended("it accepts a real item", "queue-item.any-of")


def test_the_published_schema_rejects_a_queue_with_a_conforming_item() -> None:
    queue = {"queue_running": [ITEM], "queue_pending": []}
    assert not accepts(load_document(), "QueueInfo", queue), mended("it accepts a real queue", "queue-item.any-of")


@pytest.mark.parametrize("item", [[], [1, "an id", ["9"]], [["9"], "an id", 1]], ids=["empty", "three", "reversed"])
def test_the_published_schema_accepts_what_is_no_item(item: list[object]) -> None:
    assert accepts(load_document(), "QueueItem", item), mended("it demands five elements", "queue-item.five-elements")


def test_the_published_operation_is_secured_and_does_not_declare_401() -> None:
    assert resolve("/security") == [{"ApiKeyAuth": []}]
    responses = load_document()["paths"]["/api/queue"]["get"]["responses"]
    assert "401" not in responses, mended("401 is declared", "responses.unauthorized")


def test_the_published_description_of_500_is_that_of_400() -> None:
    assert resolve(f"{OPERATION}/responses/500/description") == resolve(f"{OPERATION}/responses/400/description"), (
        mended("500 has words of its own", "responses.server-error")
    )


def test_the_published_queue_requires_neither_list() -> None:
    queue_info = load_document()["components"]["schemas"]["QueueInfo"]
    assert "required" not in queue_info, mended("QueueInfo requires members; their absence may now be a `must`")
    assert accepts(load_document(), "QueueInfo", {})


# The errata, and the document corrected by them


@pytest.mark.parametrize("action", yaml.safe_load(OVERLAY_PATH.read_bytes())["actions"], ids=lambda it: str(it["x-id"]))
def test_each_action_finds_its_target_exactly_once(action: dict[str, Any]) -> None:
    from jsonpath_ng.ext.parser import parse as jsonpath

    found = jsonpath(action["target"]).find(load_document())
    assert len(found) == 1, f"{action['target']} is there {len(found)} times: oas-patch would say nothing of it"


def test_each_erratum_has_a_name_of_its_own_and_a_reason() -> None:
    assert len({erratum.id for erratum in errata()}) == len(errata()) > 0
    assert all(erratum.reason.endswith(".") for erratum in errata())


def test_the_corrected_document_is_what_the_overlay_makes_of_the_published_one() -> None:
    from oas_patch.overlay import apply_overlay

    made = apply_overlay(load_document(), yaml.safe_load(OVERLAY_PATH.read_bytes()))
    assert load_corrected() == made, f"{CORRECTED_PATH.name} is out of date: run `tox -e overlay`"


def test_the_probed_document_is_what_the_overlay_makes_of_the_corrected_one() -> None:
    from oas_patch.overlay import apply_overlay

    made = apply_overlay(load_corrected(), load_probing())
    assert load_probed() == made, f"{PROBED_PATH.name} is out of date: run `tox -e overlay`"


def test_each_probing_parameter_is_optional_has_a_family_and_keeps_its_schema() -> None:
    from openapi_spec_validator import OpenAPIV30SpecValidator

    document = load_probed()
    OpenAPIV30SpecValidator(document).validate()
    operation = document["paths"]["/api/queue"]["get"]
    assert {each["x-family"] for each in operation["parameters"]} == set(operation["x-families"])
    assert not [each["name"] for each in operation["parameters"] if each.get("required")]
    accept = next(each for each in operation["parameters"] if each["name"] == "Accept")
    assert {"application/xml", "text/xml"} <= set(accept["schema"]["enum"])
    values = [value for each in operation["parameters"] for value in each["schema"].get("enum", ())]
    assert all(isinstance(value, str) and value.isascii() and value.isprintable() for value in values)


def test_each_action_of_the_probing_overlay_has_a_reason() -> None:
    assert all(action["description"].endswith(".") for action in load_probing()["actions"])


def test_the_corrected_schema_accepts_a_conforming_item_and_queue() -> None:
    assert accepts(load_corrected(), "QueueItem", ITEM)
    assert accepts(load_corrected(), "QueueInfo", {"queue_running": [ITEM], "queue_pending": [ITEM, ITEM]})


@pytest.mark.parametrize("item", [[], ITEM[:4], [*ITEM, {}]], ids=["empty", "four", "six"])
def test_the_corrected_schema_demands_five_elements(item: list[object]) -> None:
    assert not accepts(load_corrected(), "QueueItem", item)


@pytest.mark.parametrize("element", [None, True, 1.5, [9]], ids=["null", "boolean", "fraction", "array of numbers"])
def test_the_corrected_schema_still_rejects_elements_of_no_branch(element: object) -> None:
    assert not accepts(load_corrected(), "QueueItem", [*ITEM[:4], element])


def test_the_corrected_schema_demands_no_more_than_five_elements_of_a_queue() -> None:
    assert accepts(load_corrected(), "QueueInfo", {})
    assert accepts(load_corrected(), "QueueInfo", {"queue_running": [], "more": 1})
    assert accepts(load_corrected(), "QueueItem", ITEM[::-1]), "order is for the clauses: 3.0.3 cannot say it"


# Pointers and quotes


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/openapi", "3.0.3"),
        ("/security/0/ApiKeyAuth", []),
        (f"{OPERATION}/operationId", "getQueueInfo"),
        ("/components/schemas/ErrorResponse/required/1", "message"),
    ],
)
def test_a_pointer_resolves_as_rfc_6901_says(pointer: str, value: object) -> None:
    assert resolve(pointer) == value


def test_the_empty_pointer_is_the_whole_document() -> None:
    assert resolve("") == load_document()


@pytest.mark.parametrize("pointer", ["/", "/nowhere", "/security/1", "/security/-", "/security/00", "/openapi/0"])
def test_a_pointer_to_nothing_is_a_lookup_error(pointer: str) -> None:
    with pytest.raises(LookupError, match="the document has no"):
        resolve(pointer)
    assert not quote_stands_at(pointer, "anything")


def test_a_text_that_is_no_pointer_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="starts with '/'"):
        resolve("#/openapi")


@pytest.mark.parametrize(
    ("pointer", "quote"),
    [
        (f"{QUEUE_ITEM}/description", "tuple format: [job_number, prompt_id, workflow_json,\n  output_node_ids,"),
        (f"{QUEUE_ITEM}/description", "- [1] prompt_id (string):\n   Job UUID"),
        (f"{QUEUE_ITEM}/items/oneOf/0/type", "integer"),
        ("/components/schemas/ErrorResponse/required", '["code", "message"]'),
        ("/security/0", '{"ApiKeyAuth": []}'),
    ],
)
def test_a_quote_stands_where_the_document_says_it(pointer: str, quote: str) -> None:
    assert quote_stands_at(pointer, quote)


@pytest.mark.parametrize(
    ("pointer", "quote"),
    [
        (f"{QUEUE_ITEM}/description", "[0] job_number (number)"),
        (f"{QUEUE_ITEM}/description", " "),
        (f"{QUEUE_ITEM}/type", "Array"),
        ("/components/schemas/ErrorResponse/required", '["code"'),
        ("/components/schemas/ErrorResponse/required", ""),
        ("/components/schemas/QueueInfo/description", "Job UUID"),
    ],
)
def test_a_quote_does_not_stand_where_the_document_says_otherwise(pointer: str, quote: str) -> None:
    assert not quote_stands_at(pointer, quote)
