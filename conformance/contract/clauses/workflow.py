"""Clauses about the nodes and links of a workflow. They apply only to API graphs: objects with a node that has class_type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Finding, clause, doc, inferred
from conformance.contract.clauses.item import PROSE
from conformance.contract.reading.body import Item, Reading, constant_free, output_node_id_lists, workflows
from conformance.contract.reading.memory import Located
from conformance.contract.terms import FastPath, Level
from conformance.contract.values import is_graph, is_link
from conformance.text.pointer import escape
from conformance.text.safe import show

A_GRAPH: Final = "a job whose workflow is an API graph (an object with a node that has class_type)"


def _graphs(reading: Reading) -> Iterator[Located]:
    return (found for found in workflows(reading) if is_graph(found.value))


@clause(
    "workflow.class-types",
    Level.SHOULD,
    fast=FastPath.GRAPHS,
    title="Every node of a workflow has a class_type string",
    source=inferred(
        doc(PROSE, "Full ComfyUI workflow"),
        "The OpenAPI document calls the workflow full, but does not describe its nodes.",
    ),
    why="ComfyUI refuses to run a node without class_type, so this is not the workflow that was accepted.",
    keeps='{"9": {"class_type": "SaveImage", "inputs": {}}}',
    breaks='{"9": {"class_type": "SaveImage"}, "12": {}}',
    needs=A_GRAPH,
    of_body=_graphs,
)
def nodes_have_class_types(graph: Located) -> Iterator[Finding]:
    """Each node of an API graph is an object whose class_type is a string."""
    for name, node in graph.value.items():
        class_type = node.get("class_type") if isinstance(node, dict) else None
        if not isinstance(class_type, str) and constant_free(node):
            yield Finding(
                f"{graph.pointer}/{escape(name)}",
                "an object with class_type",
                show(node),
                "The node has no class_type string.",
            )


def _links(reading: Reading) -> Iterator[tuple[Located, str, str, str]]:
    """Yield each link: the graph, the names of its node and of its input, and the name of the node that it refers to."""
    for graph in _graphs(reading):
        for name, node in graph.value.items():
            inputs = node.get("inputs") if isinstance(node, dict) else None
            for input_name, value in inputs.items() if isinstance(inputs, dict) else ():
                if isinstance(value, list) and is_link(value):
                    yield graph, name, input_name, value[0]


@clause(
    "workflow.links",
    Level.SHOULD,
    fast=FastPath.LINKS,
    title="Links refer to nodes in the workflow",
    source=inferred(
        doc(PROSE, "Full ComfyUI workflow"),
        "The OpenAPI document calls the workflow full, but does not describe its links.",
    ),
    why="A link to a missing node means that the workflow is incomplete.",
    keeps='{"3": {…}, "9": {"inputs": {"images": ["3", 0]}, …}}',
    breaks='{"9": {"inputs": {"images": ["3", 0]}, …}}',
    needs="a link in an API graph",
    of_body=_links,
)
def links_name_nodes(link: tuple[Located, str, str, str]) -> Iterator[Finding]:
    """The first element of each link [node id, output slot] is the id of a node in the workflow."""
    graph, name, input_name, node = link
    if node not in graph.value:
        place = f"{graph.pointer}/{escape(name)}/inputs/{escape(input_name)}"
        yield Finding(
            place,
            "a link to a node of this workflow",
            show(node),
            "The link refers to a node that is not in the workflow.",
        )


def _outputs_of_graphs(reading: Reading) -> Iterator[tuple[Item, Located]]:
    lists = {ids.pointer: ids for ids in output_node_id_lists(reading)}
    for item in reading.items:
        listed = item.output_node_ids
        if listed is not None and is_graph(item.elements[2]):
            ids = lists.get(listed.pointer)
            if ids is not None and ids.value:
                yield item, ids


@clause(
    "workflow.output-nodes",
    Level.SHOULD,
    fast=FastPath.GRAPHS_WITH_OUTPUTS,
    title="Output node ids are ids of nodes in the workflow",
    source=inferred(
        doc(PROSE, "Node IDs to return results from"),
        "The OpenAPI document calls the values node ids, but does not say of which graph.",
    ),
    why="A client that waits for the results of a missing node waits forever.",
    keeps='workflow {"9": {…}}, output ids ["9"]',
    breaks='workflow {"9": {…}}, output ids ["12"]',
    needs="a job with output ids whose workflow is an API graph",
    of_body=_outputs_of_graphs,
)
def output_nodes_exist(subject: tuple[Item, Located]) -> Iterator[Finding]:
    """Each string in output_node_ids is the name of a node in workflow_json."""
    item, ids = subject
    for index, node_id in enumerate(ids.value):
        if isinstance(node_id, str) and node_id and node_id not in item.elements[2]:
            yield Finding(
                f"{ids.pointer}/{index}",
                "the id of a node of this workflow",
                show(node_id),
                "The output node id is not the id of a node in the workflow.",
            )
