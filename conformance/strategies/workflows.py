"""Strategies for workflows and for matching output node ids."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from conformance.strategies.values import NAMES, SCALARS, TEXTS, VALUES, objects

_CLASSES: Final = st.sampled_from(("KSampler", "SaveImage", "VAEDecode", "日本ノード", "Node|with (odd) name")) | TEXTS
_NODE_IDS: Final = st.integers(1, 99).map(str) | st.from_regex(r"[0-9]{1,2}:[0-9]{1,2}", fullmatch=True) | NAMES
"""Draws node ids: a number as text, two numbers joined by a colon (a node in a subgraph), or any text."""


def _may_be_link(value: object) -> bool:
    """Whether ComfyUI could read the value of an input as a link ``[node, slot]``."""
    return isinstance(value, list) and [*map(type, value)] in ([str, int], [str, float], [str, bool])


_INPUTS: Final = VALUES.filter(lambda value: not _may_be_link(value))
_WRAPPED: Final = st.fixed_dictionaries({"__value__": st.lists(SCALARS, max_size=3)})
"""Draws ``{"__value__": […]}``, in which ComfyUI wraps an array that is not a link."""
_META: Final = st.fixed_dictionaries({}, optional={"title": TEXTS, "odd": SCALARS})


@st.composite
def _graphs(draw: DrawFn) -> dict[str, Any]:
    names = draw(st.lists(_NODE_IDS, min_size=1, max_size=4, unique=True).filter(any))
    links = st.tuples(st.sampled_from(names), st.integers(0, 9)).map(list)
    inputs = st.dictionaries(NAMES, links | _WRAPPED | _INPUTS, max_size=4)
    nodes = st.fixed_dictionaries(
        {"class_type": _CLASSES}, optional={"inputs": inputs, "_meta": _META, "is_changed": VALUES}
    )
    return {name: draw(nodes) for name in names}


def _wide(size: int, class_type: str) -> dict[str, Any]:
    """Return an API graph of ``size`` nodes, each with a link to the previous one."""
    row: dict[str, Any] = {"0": {"class_type": class_type}}
    for number in range(1, size):
        row[str(number)] = {"class_type": class_type, "inputs": {"before": [str(number - 1), 0]}}
    return row


_WIDE: Final = st.builds(_wide, st.integers(2, 60), _CLASSES)
_EDITOR_NODES: Final = st.fixed_dictionaries(
    {"id": st.integers(1, 99), "type": TEXTS, "pos": st.lists(st.integers(-999, 999), min_size=2, max_size=2)},
    optional={"widgets_values": st.lists(SCALARS, max_size=3), "properties": objects()},
)
EDITOR: Final = st.fixed_dictionaries(
    {"nodes": st.lists(_EDITOR_NODES, max_size=3), "links": st.builds(list[Any]), "version": st.just(0.4)},
    optional={"last_node_id": st.integers(0, 99), "groups": st.builds(list[Any]), "extra": objects(VALUES)},
)
"""A strategy for workflows in the format that ComfyUI's editor saves. The API accepts another format."""


def _is_graph(workflow: dict[str, Any]) -> bool:
    return any(isinstance(node, dict) and "class_type" in node for node in workflow.values())


def workflows() -> SearchStrategy[dict[str, Any]]:
    """Return a strategy for non-empty workflows: API graphs with valid links, and others, as editors save them."""
    inside = st.fixed_dictionaries({"prompt": _graphs(), "extra_data": objects()})
    other = objects(VALUES, min_size=1).filter(lambda workflow: not _is_graph(workflow))
    return st.one_of(_graphs(), _graphs(), _WIDE, EDITOR, inside, other)


def output_node_ids(workflow: dict[str, Any]) -> SearchStrategy[list[str]]:
    """Return a strategy for lists of 1 to 4 distinct output node ids of a workflow.

    They are ids of its nodes if it is an API graph, and any text for another workflow.
    """
    ids = st.sampled_from([name for name in workflow if name]) if _is_graph(workflow) else _NODE_IDS.filter(bool)
    return st.lists(ids, min_size=1, max_size=4, unique=True)
