"""A published document is compared with the vendored one, and the changes are reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from jsonpath_ng.ext.parser import parse as jsonpath

from conformance.drift.differences import ABSENT, Drift, ErratumState, compare
from conformance.render import drift as told
from conformance.spec.document import (
    OpenApiDocument,
    errata,
    load_corrected,
    load_document,
    resolve,
)
from helpers.published_documents import ITEM

GET = "/paths/~1api~1queue/get"


def drifted(change: Callable[[OpenApiDocument], object]) -> Drift:
    """Compare a document that was changed in one thing."""
    document = load_document()
    change(document)
    return compare(document, url="http://t/", content=b"")


def reworded(document: OpenApiDocument, before: str, after: str) -> None:
    """Change the words of QueueItem's description."""
    schema = document["components"]["schemas"]["QueueItem"]
    assert before in schema["description"]
    schema["description"] = schema["description"].replace(before, after)


# Comparing


def test_prose_that_is_wrapped_anew_is_no_drift() -> None:
    assert not drifted(lambda document: reworded(document, "workflow_json, output", "workflow_json,\n   output")).found


def test_another_operation_or_schema_is_no_drift() -> None:
    def change(document: OpenApiDocument) -> None:
        document["paths"]["/api/queue"]["put"] = {}
        document["components"]["schemas"]["Job"] = {}
        document["info"]["version"] = "2.0.0"

    assert not drifted(change).found


@pytest.mark.parametrize(
    ("change", "kind", "pointer", "was", "now"),
    [
        (lambda d: d["paths"]["/api/queue"]["get"].update(deprecated=True), "added", f"{GET}/deprecated", ABSENT, True),
        (
            lambda d: d["paths"]["/api/queue"]["get"]["responses"].pop("400"),
            "removed",
            f"{GET}/responses/400",
            resolve(f"{GET}/responses/400"),
            ABSENT,
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].update(type="object"),
            "changed",
            f"{ITEM}/type",
            "array",
            "object",
        ),
        (
            lambda d: d["components"]["schemas"]["ErrorResponse"]["required"].append("details"),
            "added",
            "/components/schemas/ErrorResponse/required/2",
            ABSENT,
            "details",
        ),
        (
            lambda d: d["components"]["schemas"].pop("QueueInfo"),
            "removed",
            "/components/schemas/QueueInfo",
            resolve("/components/schemas/QueueInfo"),
            ABSENT,
        ),
        (
            lambda d: d["components"]["schemas"]["QueueInfo"]["properties"].update({"a/b~c": True}),
            "added",
            "/components/schemas/QueueInfo/properties/a~1b~0c",
            ABSENT,
            True,
        ),
        (lambda d: d["paths"].pop("/api/queue"), "removed", GET, resolve(GET), ABSENT),
    ],
    ids=["member", "response", "type", "element", "schema", "escaped", "operation"],
)
def test_a_change_is_told_with_its_place_and_both_sides(
    change: Callable[[OpenApiDocument], object], kind: str, pointer: str, was: Any, now: Any
) -> None:
    (found,) = drifted(change).changes
    assert (found.kind, found.pointer, found.was, found.now) == (kind, pointer, was, now)


def test_clauses_that_quote_what_is_gone_are_named_once_for_each_sentence() -> None:
    drift = drifted(lambda document: reworded(document, "Job UUID", "Job ID"))
    assert [(lost.quote, lost.clauses) for lost in drift.lost] == [
        ("[1] prompt_id (string): Job UUID", ("item.prompt-id.uuid", "lifecycle.prompt-id-twice")),
        ("Job UUID", ("queue.prompt-ids.distinct", "reads.prompt-ids")),
    ]


def test_a_quote_about_writing_is_looked_for_where_the_document_speaks_of_it() -> None:
    def writing(says: str) -> Callable[[OpenApiDocument], object]:
        return lambda document: document["paths"].update({"/api/interrupt": {"post": {"description": says}}})

    def lost(says: str) -> set[str]:
        return {clause for found in drifted(writing(says)).lost for clause in found.clauses}

    kept = (
        "This will interrupt any job that is currently in 'in_progress' status. This endpoint only affects running jobs"
    )
    assert lost(kept) == {"lifecycle.interrupt.idle"}, "whose sentence stands among the responses"
    assert "lifecycle.interrupt.spares" in lost("This endpoint affects pending jobs as well.")
    assert drifted(lambda _: None).lost == ()


def test_a_quote_that_is_gone_outside_the_operation_is_drift_too() -> None:
    drift = drifted(lambda document: document.update(security=[]))
    assert drift.changes == ()
    assert drift.found
    assert "auth.key-required" in drift.lost[0].clauses


def states(drift: Drift) -> dict[str, str]:
    """Return the states of the errata that do not stand as they did."""
    return {erratum.id: state.value for erratum, state in drift.errata if state is not ErratumState.STANDS}


def test_a_document_that_follows_the_errata_mends_them_all() -> None:
    drift = compare(load_corrected(), url="", content=b"")
    assert drift.found
    assert set(states(drift).values()) == {"mended"}
    assert len(states(drift)) == len(errata())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda d: d["paths"]["/api/queue"]["get"]["responses"]["500"].update(description="Internal server error"),
            {"responses.server-error": "mended"},
        ),
        (
            lambda d: d["paths"]["/api/queue"]["get"]["responses"]["500"].update(description="Oops"),
            {"responses.server-error": "reworded"},
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].update(minItems=5, maxItems=5),
            {"queue-item.five-elements": "mended"},
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].update(minItems=5),
            {"queue-item.five-elements": "reworded"},
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].pop("items"),
            {"queue-item.any-of": "reworded", "queue-item.no-one-of": "mended"},
        ),
        (lambda d: d["paths"]["/api/queue"]["get"].update(summary="The queue"), {}),
    ],
    ids=["mended", "reworded", "both members", "one member", "place gone", "elsewhere"],
)
def test_an_erratum_is_mended_reworded_or_stands(
    change: Callable[[OpenApiDocument], object], expected: dict[str, str]
) -> None:
    assert states(drifted(change)) == expected


@pytest.mark.parametrize("erratum", errata(), ids=lambda erratum: str(erratum.id))
def test_the_place_of_an_erratum_is_where_a_jsonpath_finds_it(erratum: Any) -> None:
    (found,) = jsonpath(erratum.target).find(load_document())
    assert resolve(erratum.pointer) == found.value


# Telling


HOSTILE = "Job \x1b[31m\u202e::error::owned @everyone <img src=x> | `x`"


def test_what_was_published_acts_nowhere() -> None:
    drift = drifted(lambda document: reworded(document, "Job UUID", HOSTILE))
    text = "\n".join(each.text for each in told.as_lines(drift))
    markdown = told.as_markdown(drift)
    for shown in (text, markdown):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "::error::" not in shown
        assert "\\u001b[31m" in shown
    assert "owned @everyone <img src=x> \\| `x`" in markdown.replace("``", "")


def test_two_long_texts_are_shown_from_where_they_part() -> None:
    drift = drifted(lambda document: reworded(document, "<milliseconds>", "<seconds>"))
    was, now = (each.text for each in told.as_lines(drift) if each.text.lstrip().startswith(("was", "now")))
    assert was == '    was "…adata (object): Contains {create_time: <milliseconds>}"'
    assert now == '    now "…adata (object): Contains {create_time: <seconds>}"'


def test_the_outcome_counts_changes_clauses_and_errata() -> None:
    drift = drifted(lambda document: document["paths"]["/api/queue"]["get"]["responses"].pop("500"))
    assert told.verdict(drift) == "Drift: 1 change, 1 clause quotes removed text, 1 of 5 errata reworded"


def test_hundreds_of_changes_are_cut_but_for_programs() -> None:
    drift = drifted(
        lambda d: d["components"]["schemas"]["QueueInfo"]["properties"].update({f"x{n}": n for n in range(300)})
    )
    assert sum(each.text.startswith("added") for each in told.as_lines(drift)) == 50
    assert "… 250 more" in told.as_markdown(drift)
    assert len(told.as_dict(drift)["changes"]) == 300
