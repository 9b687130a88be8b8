"""Inside a workflow that is an API graph, and from the output ids into it."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.terms import Demand, Dialect
from conformance.contract.values import is_graph, is_link
from conformance.exchange.model import Exchange
from helpers.answers import Told, item, queue, read, said

PLACE = "/queue_pending/0"
NODE = {"class_type": "X", "inputs": {}}


def listing(graph: Any, ids: Any = ("9",)) -> Exchange:
    return read(queue(item(e2=graph, e3=list(ids) if isinstance(ids, tuple) else ids)))


@pytest.mark.parametrize(
    ("value", "graph"),
    [
        ({"9": NODE}, True),
        ({"x": 1, "9": NODE}, True),
        ({"9": {"class_type": None}}, True),
        ({}, False),
        ({"9": {"inputs": {}}}, False),
        ({"class_type": "X"}, False),
        ({"9": ["class_type"]}, False),
        ([NODE], False),
        ("class_type", False),
        (None, False),
    ],
)
def test_a_graph_is_an_object_with_a_node(value: Any, *, graph: bool) -> None:
    assert is_graph(value) is graph
    if isinstance(value, dict):
        assert (said("workflow.class-types", listing(value)) is not None) is graph


@pytest.mark.parametrize(
    ("value", "link"),
    [
        (["3", 0], True),
        (["3", -1], True),
        (["3", 1.0], False),
        (["3", True], False),
        (["3"], False),
        (["3", 0, 0], False),
        ([3, 0], False),
        (["3", "0"], False),
        ([], False),
        ("30", False),
        (None, False),
        ({"0": "3", "1": 0}, False),
        (["3", None], False),
    ],
)
def test_a_link_is_a_name_and_a_slot(value: Any, *, link: bool) -> None:
    assert is_link(value) is link


@pytest.mark.parametrize("node", [None, 1, [], {}, {"class_type": None}, {"class_type": 1}, {"inputs": {}}])
def test_a_node_without_a_class_type_is_named(node: Any) -> None:
    found = said("workflow.class-types", listing({"9": NODE, "a/b": node, "12": NODE}))
    assert [(finding.pointer, finding.expected) for finding in found or ()] == [
        (f"{PLACE}/2/a~1b", "an object with class_type")
    ]


def test_a_node_with_a_class_type_is_fine() -> None:
    assert said("workflow.class-types", listing({"9": NODE, "1": {"class_type": ""}})) == []


def test_nan_in_the_place_of_a_node_has_a_clause_of_its_own() -> None:
    assert said("workflow.class-types", listing({"9": NODE, "1": float("nan")})) == []


def linked(**inputs: Any) -> Exchange:
    return listing({"9": {"class_type": "X", "inputs": inputs}})


def test_a_link_to_a_node_that_is_there_is_fine() -> None:
    assert said("workflow.links", linked(a=["9", 0])) == []


def test_a_link_to_a_node_that_is_not_there_is_named() -> None:
    found = said("workflow.links", linked(**{"a": ["9", 0], "b~": ["3", 1], "c": ["4", 0], "d": ["", 0]}))
    message = "The link refers to a node that is not in the workflow."
    assert found == [
        Told(f"{PLACE}/2/9/inputs/{name}", "a link to a node of this workflow", text, message)
        for name, text in (("b~0", '"3"'), ("c", '"4"'), ("d", '""'))
    ]


@pytest.mark.parametrize("inputs", [{}, {"a": 1}, {"a": ["3", "0"]}, {"a": {"b": ["3", 0]}}])
def test_what_is_no_link_names_nothing(inputs: dict[str, Any]) -> None:
    assert said("workflow.links", linked(**inputs)) is None


@pytest.mark.parametrize("node", [None, [], {"class_type": "X"}, {"inputs": []}, {"inputs": None}])
def test_a_node_without_inputs_has_no_links(node: Any) -> None:
    assert said("workflow.links", listing({"9": NODE, "1": node})) is None


def test_output_ids_name_nodes() -> None:
    assert said("workflow.output-nodes", listing({"9": NODE, "1": 3}, ("9", "1"))) == []
    found = said("workflow.output-nodes", listing({"9": NODE}, ("9", "12", 7, "", "13")))
    message = "The output node id is not the id of a node in the workflow."
    assert found == [
        Told(f"{PLACE}/3/{index}", "the id of a node of this workflow", text, message)
        for index, text in ((1, '"12"'), (4, '"13"'))
    ]


@pytest.mark.parametrize(("graph", "ids"), [({}, ("9",)), ({"9": {}}, ("9",)), ({"9": NODE}, ()), ({"9": NODE}, None)])
def test_without_a_graph_or_ids_nothing_is_named(graph: Any, ids: Any) -> None:
    assert said("workflow.output-nodes", listing(graph, ids)) is None


def test_a_short_job_names_nothing_and_a_long_one_does() -> None:
    job = item(e2={"1": NODE})
    assert said("workflow.output-nodes", read(queue(job[:4]))) is None
    assert len(said("workflow.output-nodes", read(queue([*job, 6]))) or ()) == 1


def test_in_comfyui_s_order_the_ids_stand_at_4() -> None:
    job = item(e2={"1": NODE})
    other = read(queue([*job[:3], job[4], job[3]]), number=1)
    for dialect in (Dialect.CLOUD, Dialect.OSS):
        found = said("workflow.output-nodes", other, demand=Demand.of(dialect))
        assert [finding.pointer for finding in found or ()] == [f"{PLACE}/4/0"]


def test_each_job_names_nodes_of_its_own_workflow() -> None:
    other = read(queue(item(1, e2={"1": NODE}, e3=["1"]), item(2, e2={"2": NODE}, e3=["1"])))
    found = said("workflow.output-nodes", other)
    assert [finding.pointer for finding in found or ()] == ["/queue_pending/1/3/0"]
