"""The hand-written clauses against the corrected schema, by a validator that knows nothing of them: place by place.

Where the two disagree, it is for one of the reasons that are written here, and for each of them they do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Dialect, Level
from conformance.exchange.model import Exchange
from conformance.reference.message import encode
from conformance.spec.document import load_corrected
from conformance.strategies import errors
from conformance.text.strict_json import NESTING_READ, parse
from helpers import (
    mutations_of_messages,  # noqa: F401 - registers
    mutations_of_queues,  # noqa: F401 - registers
    mutations_of_text,  # noqa: F401 - registers
)
from helpers.answers import read, said
from helpers.mutations import MUTATIONS, Mutation, draw_queue, error_response, fill_pool, put, token

if TYPE_CHECKING:
    from openapi_schema_validator import OAS30Validator

A_SHARE: Final = max(5, settings().max_examples // 10)
"""Examples for each mutation."""
UNREADABLE: Final = "no JSON value"
"""Stands for the place where a reader of JSON finds nothing to validate."""

SAYS_MORE: Final = {
    "the text of JSON, of which Python's reader takes more": {"json.finite-numbers", "json.utf-8", "json.no-bom"},
    "the position in the tuple": {
        "item.job-number.number",
        "item.prompt-id.string",
        "item.workflow.object",
        "item.output-node-ids.array",
        "item.metadata.object",
        "item.element-order",
    },
    "the form of an id": {"item.prompt-id.uuid"},
    "the first number": {"item.job-number.one-based"},
    "what metadata hold": {"item.create-time.present", "item.create-time.number", "item.create-time.milliseconds"},
    "the order of the list": {"queue.pending.oldest-first"},
    "what a success looks like": {"envelope.not-an-error"},
    "what an error must not hold": {"error.no-queue"},
}
"""Rules that OpenAPI 3.0 cannot express, or that are only in the prose of the document, with their clauses."""


@cache
def _validator(schema: str) -> OAS30Validator:
    from openapi_schema_validator import OAS30Validator

    return OAS30Validator({"$ref": f"#/components/schemas/{schema}", "components": load_corrected()["components"]})


_MUSTS: Final = [
    clause for clause in CATALOGUE if clause.over is not None and clause.level_in(AS_THE_DOCUMENT_SAYS) is Level.MUST
]


@dataclass(frozen=True)
class Difference:
    """A place that one side alone finds wrong, the clause that does (None: the schema), and why, if that is known."""

    place: str
    clause: str | None
    reason: str | None


@pytest.fixture(scope="module", autouse=True)
def _pool() -> None:
    fill_pool(settings().max_examples)


def by_schema(exchange: Exchange, schema: str) -> set[str]:
    """Return the places that the schema finds wrong; a member that is missing where it should stand."""
    assert exchange.response is not None
    try:
        value = json.loads(exchange.response.content)
    except (ValueError, RecursionError):
        return {UNREADABLE}
    return {place for error in _validator(schema).iter_errors(value) for place in _places(error)}


def _places(error: Any) -> Iterator[str]:
    place = "".join(f"/{token(str(part))}" for part in error.absolute_path)
    if error.validator == "required":
        yield from (f"{place}/{name}" for name in error.validator_value if name not in error.instance)
    else:
        yield place


def by_clauses(exchange: Exchange) -> set[tuple[str, str]]:
    """Return place and clause of what the clauses find wrong in a body, down to the elements of a job."""
    found = ((clause.id, finding.pointer) for clause in _MUSTS for finding in said(clause.id, exchange) or ())
    return {("/".join(pointer.split("/")[:4]), name) for name, pointer in found if pointer is not None}


def differences(exchange: Exchange, schema: str) -> set[Difference]:
    """Return where the two disagree."""
    theirs, ours = by_schema(exchange, schema), by_clauses(exchange)
    if theirs == {UNREADABLE} and any(name.startswith("json.") for _, name in ours):
        return set()  # they agree that it is no JSON
    places = {place for place, _ in ours}
    more = {Difference(place, name, _more(name)) for place, name in ours if place not in theirs}
    return more | {Difference(place, None, _less(place, exchange, ours)) for place in theirs - places}


def _more(clause: str) -> str | None:
    return next((reason for reason, clauses in SAYS_MORE.items() if clause in clauses), None)


TOO_DEEP: Final = "nested too deep to be read: nothing is said of the rest"
NO_PLACE: Final = "a job of another length: that is said of the whole, not of elements that have no place of their own"


def _less(place: str, exchange: Exchange, ours: set[tuple[str, str]]) -> str | None:
    assert exchange.response is not None
    if parse(exchange.response.content).depth > NESTING_READ:
        return TOO_DEEP
    job, _, index = place.rpartition("/")
    return NO_PLACE if (job, "item.five-elements") in ours and int(index) > 2 else None


# --- data -------------------------------------------------------------------------------------------------------------

_VALUES: Final = st.recursive(
    st.sampled_from([None, True, 0, 1, 3, -1, 1.0, 1.5, 2**64, float("nan"), "", "x", "9", 1_763_913_500_000]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["create_time", "9", ""]), inner),
    max_leaves=8,
)


@st.composite
def anything(draw: st.DrawFn) -> Exchange:
    """Draw a queue with any values in one to three places, at any depth."""
    info: Any = {"": draw_queue(draw)}
    for _ in range(draw(st.integers(1, 3))):
        inside, key = draw(st.sampled_from(list(_slots(info))))
        inside[key] = draw(_VALUES)
    return read(encode(info[""]))


def _slots(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield the places that the schema speaks of: the body, the lists, jobs, elements, and what stands in [3], [4]."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in list(members):
        yield value, key
        if depth < 5:
            yield from _slots(member, depth + 1)


@st.composite
def any_error(draw: st.DrawFn) -> Exchange:
    """Draw an error with any values for its members, or for the whole."""
    body: Any = {"": draw(errors())}
    for _ in range(draw(st.integers(0, 3))):
        inside = body[""] if isinstance(body[""], dict) and draw(st.booleans()) else body
        inside[draw(st.sampled_from(["code", "message"])) if inside is not body else ""] = draw(_VALUES)
    return error_response(draw(st.sampled_from([400, 500])), body[""])


@st.composite
def wrong_and_deep(draw: st.DrawFn) -> Exchange:
    """Draw a queue with a list that is none, and somewhere a value that is nested deeper than we read."""
    info = draw_queue(draw) | {draw(st.sampled_from(["queue_running", "queue_pending"])): None}
    depth = draw(st.integers(NESTING_READ + 1, NESTING_READ + 50))
    put(draw, info, "[" * depth + "]" * depth)
    return read(encode(info))


def of_queues(mutation: Mutation) -> bool:
    """Whether a mutation is one of a queue's body."""
    subject = mutation.clause.partition(".")[0]
    return subject in {"envelope", "item", "queue", "workflow", "json", "privacy"} and mutation.dialect is Dialect.CLOUD


def of_errors(mutation: Mutation) -> bool:
    """Whether a mutation is one of an ErrorResponse."""
    return mutation.clause in {"error.object", "error.code", "error.message", "error.not-empty"}


QUEUES: Final = [mutation for mutation in MUTATIONS.values() if of_queues(mutation)]
ERRORS: Final = [mutation for mutation in MUTATIONS.values() if of_errors(mutation)]


# --- the tests --------------------------------------------------------------------------------------------------------


@given(exchange=st.composite(draw_queue)().map(encode).map(read))
def test_neither_finds_anything_in_conforming_queues(exchange: Exchange) -> None:
    assert by_schema(exchange, "QueueInfo") == set()
    assert by_clauses(exchange) == set()


@pytest.mark.parametrize("mutation", QUEUES, ids=lambda mutation: mutation.name)
@given(data=st.data())
@settings(max_examples=A_SHARE)
def test_they_agree_on_mutated_queues_but_for_known_reasons(mutation: Mutation, data: st.DataObject) -> None:
    exchange = data.draw(mutation.strategy()).exchanges[-1]
    assert all(difference.reason for difference in differences(exchange, "QueueInfo"))


@pytest.mark.parametrize("mutation", ERRORS, ids=lambda mutation: mutation.name)
@given(data=st.data())
@settings(max_examples=A_SHARE)
def test_they_agree_on_mutated_errors_but_for_known_reasons(mutation: Mutation, data: st.DataObject) -> None:
    exchange = data.draw(mutation.strategy()).exchanges[-1]
    assert all(difference.reason for difference in differences(exchange, "ErrorResponse"))


@given(exchange=anything())
def test_they_agree_on_any_values_in_a_queue_but_for_known_reasons(exchange: Exchange) -> None:
    assert all(difference.reason for difference in differences(exchange, "QueueInfo"))


@given(exchange=any_error())
def test_they_agree_on_any_values_in_an_error_but_for_known_reasons(exchange: Exchange) -> None:
    assert all(difference.reason for difference in differences(exchange, "ErrorResponse"))


def one(strategy: st.SearchStrategy[Exchange], schema: str, clause: str | None) -> Difference:
    """Find an exchange on which the two disagree because of a clause, or of what the schema alone finds."""

    def differ(exchange: Exchange) -> bool:
        return any(difference.clause == clause for difference in differences(exchange, schema))

    exchange = find(strategy, differ, settings=settings(max_examples=500, derandomize=True, phases=[Phase.generate]))
    return next(difference for difference in differences(exchange, schema) if difference.clause == clause)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize(
    ("clause", "reason"), [(clause, reason) for reason, clauses in SAYS_MORE.items() for clause in sorted(clauses)]
)
def test_each_clause_that_says_more_than_the_schema_is_seen_to_do_so(clause: str, reason: str) -> None:
    aimed = [mutation.strategy() for mutation in MUTATIONS.values() if mutation.clause == clause]
    schema = "ErrorResponse" if clause.startswith("error.") else "QueueInfo"
    assert one(st.one_of(aimed).map(lambda mutated: mutated.exchanges[-1]), schema, clause).reason == reason


def test_what_the_schema_alone_finds_stands_in_jobs_of_another_length() -> None:
    aimed = MUTATIONS["item.five-elements: elements too many at the end"].strategy()
    assert one(aimed.map(lambda mutated: mutated.exchanges[-1]), "QueueInfo", None).reason == NO_PLACE


def test_what_the_schema_alone_finds_stands_in_bodies_that_are_nested_too_deep() -> None:
    assert one(wrong_and_deep(), "QueueInfo", None).reason == TOO_DEEP


def test_a_difference_without_a_reason_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SAYS_MORE, "the form of an id")
    aimed = MUTATIONS["item.prompt-id.uuid: something around it"].strategy()
    found = one(aimed.map(lambda mutated: mutated.exchanges[-1]), "QueueInfo", "item.prompt-id.uuid")
    assert found.reason is None
