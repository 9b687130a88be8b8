"""The fast path: check that values are not nested too deeply, and that workflows conform.

Counting members shows that no object repeats a name. Of several members with the same name, the decoder keeps only the
last. So if the decoded value has as many members as the text, no name is repeated. The members of the value are counted
here, and those of the text by ``members_at_most``. It may count too many; then the slow path checks the text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from conformance.contract.reading.fast_split import REFUSED, write
from conformance.contract.values import is_graph, is_link
from conformance.text.json_bytes import depth_of, may_hold_huge, members_of

LEVELS: Final = 100
"""The fast path does not verify elements with more levels of nesting than this. Every parser can read far more levels.
"""

_ANYTHING: Final = msgspec.json.Decoder[Any]()


def sound(text: Raw) -> tuple[Any, int] | None:
    """Return the value of a JSON text, and the number of members of all objects in it.

    None if the text may contain a number beyond the range of a double, or is nested deeper than ``LEVELS``.
    """
    raw = bytes(text)
    try:
        value = UNSET if may_hold_huge(raw) else _ANYTHING.decode(raw)
    except REFUSED:
        return None
    return None if value is UNSET or depth_of(value, LEVELS) > LEVELS else (value, members_of(value))


_Input = None | bool | int | float | str | tuple[str, int]


class Node(Struct, gc=False, forbid_unknown_fields=True):
    """A node of a workflow as the frontend writes it: its inputs are plain values or links to other nodes."""

    class_type: str
    inputs: dict[str, _Input]
    meta: dict[str, str] | UnsetType = field(name="_meta", default=UNSET)


Nodes = dict[str, Node]
_NODES: Final = msgspec.json.Decoder(Nodes)
_TEXTS: Final = msgspec.json.Decoder(dict[str, Raw])
_A_NODE: Final = {"class_type": ""}
_OF_A_NODE: Final = 3
"""The number of members that every node adds to a workflow: itself, ``class_type`` and ``inputs``."""


class InspectedWorkflow(Struct, gc=False):
    """What the fast path found out about a workflow.

    ``graph`` says that it is an API graph, ``linked`` that it has links. ``nodes`` has the members of the workflow.
    ``members`` counts the members of all objects in it. ``faulty`` has the names of nodes that violate a clause.
    """

    nodes: Mapping[str, object]
    members: int
    graph: bool
    linked: bool
    faulty: Collection[str] = ()

    def reduced(self, text: Raw) -> bytes:
        """Return a short JSON text for which every clause has the same result as for the workflow.

        It keeps the faulty nodes.
        """
        if not self.graph:
            return write({"": 0} if self.nodes else {})
        texts: dict[str, Raw] = _TEXTS.decode(text) if self.faulty else {}
        return write({name: texts[name] if name in self.faulty else _A_NODE for name in self.nodes})


def workflow(text: Raw) -> InspectedWorkflow | None:
    """Inspect the text of a workflow.

    None if it is not an object, is nested too deeply, or may have too large a number.
    """
    raw = bytes(text)
    try:
        return None if may_hold_huge(raw) else of_nodes(_NODES.decode(raw))
    except REFUSED:
        return _unusual(text)


def of_nodes(nodes: Nodes) -> InspectedWorkflow:
    """Inspect an API graph whose nodes are as the frontend writes them."""
    members, links = _OF_A_NODE * len(nodes), []
    for node in nodes.values():
        members += len(node.inputs)
        for value in node.inputs.values():
            if type(value) is tuple:
                links.append(value[0])  # noqa: PERF401 - measured: a comprehension for each node takes a third longer
        if node.meta is not UNSET:
            members += 1 + len(node.meta)
    missing = set(links).difference(nodes)
    faulty = _linking_to(missing, {name: node.inputs for name, node in nodes.items()}) if missing else ()
    return InspectedWorkflow(nodes, members, bool(nodes), bool(links), faulty)


def _linking_to(missing: set[str], inputs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the names of the nodes with a link to a node that is missing."""
    return [name for name, given in inputs.items() if not missing.isdisjoint(_targets(given))]


def _targets(inputs: Mapping[str, Any]) -> list[str]:
    """Return the names of the nodes that the inputs of a node link to."""
    return [value[0] for value in inputs.values() if isinstance(value, tuple) or is_link(value)]


def _unusual(text: Raw) -> InspectedWorkflow | None:
    """Inspect a workflow that is not an API graph, or whose nodes have unusual members."""
    found = sound(text)
    if found is None or not isinstance(found[0], dict):
        return None
    nodes, members = found
    if not is_graph(nodes):
        return InspectedWorkflow(nodes, members, graph=False, linked=False)
    objects = {name: node for name, node in nodes.items() if isinstance(node, dict)}
    inputs = {name: node["inputs"] for name, node in objects.items() if isinstance(node.get("inputs"), dict)}
    links = {target for given in inputs.values() for target in _targets(given)}
    faulty = {name for name in nodes if not isinstance(objects.get(name, {}).get("class_type"), str)}
    faulty.update(_linking_to(links.difference(nodes), inputs))
    return InspectedWorkflow(nodes, members, graph=True, linked=bool(links), faulty=faulty)
