"""Shorten a workflow with very many nodes, reading it in parts. Every clause has the same result for the short text."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from conformance.contract.reading.fast_split import REFUSED
from conformance.contract.values import is_link
from conformance.text.json_runs import RUN, end_of_member, runs

NODES: Final = 500_000
"""Maximum number of nodes of one workflow whose names are compared with links and output node ids."""
FAULTY: Final = 1000
"""Maximum number of nodes that break a clause and are kept in the short text."""
SMALL: Final = 1 << 12
"""A node that breaks a clause is kept whole if it has at most this many bytes."""
LONG: Final = 1000
"""Strings with more bytes than this are replaced in a value that is too large. Most of them are images."""
QUOTES: Final = 1 << 17
"""A value with more quotation marks than this is too large because of many strings, not because of long ones."""
_NODES: Final = msgspec.json.Decoder(dict[str, Any])
_SOUND: Final[dict[str, Any]] = {"class_type": ""}


class _TooLarge(Exception):
    """A node is too large to be parsed."""


@dataclass
class _Graph:
    """The facts about a workflow. ``names`` are hashes of the names of its nodes, and ``targets`` those of links."""

    names: set[int] = field(default_factory=set)
    targets: set[int] = field(default_factory=set)
    first: str | None = None
    graph: bool = False
    link: tuple[str, str, list[Any]] | None = None
    """The first link: the name of the node that has it, the name of the input, and its value."""
    untyped: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, node: Any) -> None:
        self.first = name if self.first is None else self.first
        self.names.add(hash(name))
        typed = isinstance(node, dict) and "class_type" in node
        self.graph = self.graph or typed
        if not typed or not isinstance(node["class_type"], str):
            self.untyped[name] = node if len(msgspec.json.encode(node)) <= SMALL else {"\u2026": "\u2026"}
        for put, value in _links(node):
            self.targets.add(hash(value[0]))
            if self.link is None:
                self.link = name, put, value

    @property
    def more(self) -> bool:
        """Whether the workflow has more nodes, links or faulty nodes than are kept."""
        return len(self.untyped) > FAULTY or len(self.names) > NODES or len(self.targets) > NODES


def dense_workflow(content: bytes, at: int, outputs: Collection[str]) -> tuple[bytes, bool]:
    """Return a shorter JSON text in place of the workflow at ``at``, and whether all clauses judge both texts alike.

    ``outputs`` are the output node ids of the job.
    """
    found = _Graph()
    try:
        for name, node in _nodes(content, at):
            found.add(name, node)
            if found.more:
                return b'{"":0}', False
        if not found.graph:
            return msgspec.json.encode({"": 0} if found.names else {}), True
        kept = {name: _SOUND for name in outputs if hash(name) in found.names}
        kept |= {} if found.first is None else {found.first: _SOUND}
        kept |= found.untyped
        if found.link is not None:
            name, put, value = found.link
            kept[name] = _with_links(kept.get(name, _SOUND), [(put, value)])
            kept.setdefault(value[0], _SOUND)
        nowhere = found.targets - found.names
        kept = {name: node for name, node in kept.items() if hash(name) in found.names}
        faults = 0
        for name, node in _nodes(content, at) if nowhere else ():
            links = [(put, value) for put, value in _links(node) if hash(value[0]) in nowhere]
            faults += len(links)
            if faults > FAULTY:
                return b'{"":0}', False
            if links:
                kept[name] = _with_links(kept.get(name, _SOUND), links)
    except (*REFUSED, _TooLarge):  # not strict JSON, which other clauses report, or a node that is too large
        return b'{"":0}', False
    return msgspec.json.encode(kept), True


def _with_links(node: Any, links: list[tuple[str, list[Any]]]) -> Any:
    if not isinstance(node, dict):
        return node
    inputs = node.get("inputs")
    return {**node, "inputs": {**(inputs if isinstance(inputs, dict) else {}), **dict(links)}}


def _links(node: Any) -> Iterator[tuple[str, list[Any]]]:
    inputs = node.get("inputs") if isinstance(node, dict) else None
    for put, value in inputs.items() if isinstance(inputs, dict) else ():
        if is_link(value):
            yield put, value


def _nodes(content: bytes, at: int) -> Iterator[tuple[str, Any]]:
    """Yield the names and nodes of the workflow at an offset."""
    children = runs(content, at)
    for run in children:
        text: bytes | None = content[run.start : run.end]
        if run.giant:
            stop = end_of_member(content, run.start)
            children.send(stop)
            text = without_long_strings(content, run.start, stop)
        if text is None:
            raise _TooLarge
        yield from _NODES.decode(b"{%b}" % text).items()


def without_long_strings(content: bytes, at: int, end: int) -> bytes | None:
    """Return a piece of a body without its long strings. None if it still has more bytes than ``RUN``."""
    if content.count(b'"', at, end) > QUOTES:
        return None
    parts = content[at:end].replace(b"\\\\", b"__").replace(b'\\"', b"__").split(b'"')
    parts[1::2] = [part if len(part) <= LONG else b"(long)" for part in parts[1::2]]
    text = b'"'.join(parts)
    return text if len(text) <= RUN else None
