"""The mutants: changes of one operator, number, word or loop in the source of a module, as Cosmic Ray makes them.

Cosmic Ray does not change ``in`` and the conditions of comprehensions. Most selectors of clauses consist of those, so
operators of our own change them.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.plugins import get_operator, operator_names
from parso.python.tree import Name


@dataclass(frozen=True)
class Change:
    """One change of a module.

    ``where`` is the function or class that contains it, "" at the top level. ``line`` and ``becomes`` are the changed
    lines before and after, each joined into one line. ``nth`` counts changes that are equal in all of these, from 1.
    """

    module: str
    path: Path
    where: str
    line: str
    becomes: str
    nth: int
    source: str

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What was changed, independent of the rest of the module."""
        return self.module, self.where, self.line, self.becomes, self.nth


class NegateCondition:
    """Negates the condition of a comprehension."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the condition's place."""
        if node.type == "comp_if":
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        """Return the node with ``not (…)``."""
        node.children[1] = get_ast(f" not ({node.children[1].get_code()})")
        return node


class ReplaceInWithNotIn:
    """Turns ``in`` into ``not in``, except in loops."""

    before: tuple[str, ...] = ("in",)
    after = " not in"

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the places of the words."""
        if node.type == "comparison":
            yield from ((node.children[place].start_pos, node.children[place].end_pos) for place in self._places(node))

    def mutate(self, node: Any, index: int) -> Any:
        """Return the node with the other words."""
        node.children[self._places(node)[index]] = get_ast(self.after)
        return node

    def _places(self, node: Any) -> list[int]:
        words = (tuple(child.get_code(include_prefix=False).split()) for child in node.children)
        return [place for place, found in enumerate(words) if found == self.before]


class ReplaceNotInWithIn(ReplaceInWithNotIn):
    """Turns ``not in`` into ``in``."""

    before = ("not", "in")
    after = " in"


class ReplaceException:
    """Replaces one of the exceptions that a handler catches by one that is never raised.

    Cosmic Ray's operator fails for ``*NAMES`` and makes no sense of ``module.Name``.
    """

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Yield the places of the exceptions."""
        if node.type == "except_clause":
            yield from ((caught.start_pos, caught.end_pos) for _, _, caught in self._caught(node))

    def mutate(self, node: Any, index: int) -> Any:
        """Return the node with another exception."""
        siblings, place, caught = self._caught(node)[index]
        siblings[place] = Name("CosmicRayTestingException", caught.start_pos, prefix=caught.get_first_leaf().prefix)
        return node

    def _caught(self, node: Any) -> list[tuple[list[Any], int, Any]]:
        """Return each exception, with the list of nodes that it is in and its index there."""
        caught = node.children[1]
        if caught.type != "atom":
            return [(node.children, 1, caught)]
        inside = caught.children[1]
        if inside.type != "testlist_comp":
            return [(caught.children, 1, inside)]
        return [(inside.children, place, inside.children[place]) for place in range(0, len(inside.children), 2)]


_IDENTITY: Final = ("Is", "IsNot")
_VALUE: Final = ("Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
LEFT_OUT: Final = (
    "ExceptionReplacer",  # ReplaceException is better
    "VariableReplacer",
    "VariableInserter",  # these two insert random variables
    # The interpreter decides whether equal values are one object, and identity has no order.
    *(f"_{word}_{other}" for word in _IDENTITY for other in _VALUE),
    *(f"_{word}_{other}" for word in _VALUE for other in _IDENTITY),
)
"""Endings of the names of operators whose mutants show nothing about the tests."""

_OWN: Final = (NegateCondition, ReplaceInWithNotIn, ReplaceNotInWithIn, ReplaceException)
_CORE: Final = {name.rpartition("/")[2]: get_operator(name) for name in operator_names()}

OPERATORS: Final[dict[str, Any]] = {
    **{name: operator for name, operator in _CORE.items() if not name.endswith(LEFT_OUT)},
    **{operator.__name__: operator for operator in _OWN},
}


def changes(module: str, path: Path, lines: Collection[str] | None = None) -> Iterator[Change]:
    """Yield all changes of a module. With ``lines``, yield those of these lines, and maybe a few others."""
    source = path.read_text(encoding="utf-8")
    before = source.splitlines()
    root = get_ast(source)
    nodes = [node for node in ast_nodes(root) if not says_nothing(node)]
    found = nodes if lines is None else [node for node in nodes if _begins(node, before, lines)]
    made: set[str] = {source}
    alike: Counter[tuple[str, str, str]] = Counter()
    for operator in (each() for each in OPERATORS.values()):
        for node in found:
            for index, _ in enumerate(operator.mutation_positions(node)):
                where = _where(node)
                mutated = _mutated(root, operator, node, index)
                if mutated in made or not _is_python(mutated):
                    continue
                made.add(mutated)
                line, becomes = _differing(before, mutated.splitlines())
                alike[where, line, becomes] += 1
                yield Change(module, path, where, line, becomes, alike[where, line, becomes], mutated)


def _begins(node: Any, before: list[str], lines: Collection[str]) -> bool:
    """Whether one of the texts begins with a line of the node."""
    texts = {_one_line([text]) for text in before[node.start_pos[0] - 1 : node.end_pos[0]]}
    return any(line.startswith(text) for text in texts if text for line in lines)


def _mutated(root: Any, operator: Any, node: Any, index: int) -> str:
    """Return the source with one change. The tree is restored afterwards."""
    state = [
        (each, each.children[:] if hasattr(each, "children") else (each.value, each.prefix)) for each in ast_nodes(node)
    ]
    siblings, around = node.parent.children if node.parent else None, list(node.parent.children) if node.parent else []
    try:
        new = operator.mutate(node, index)
        if siblings is not None and new is not node:
            place = next(place for place, each in enumerate(around) if each is node)
            siblings[place : place + 1] = [] if new is None else [new]
        return str(root.get_code())
    finally:
        if siblings is not None:
            siblings[:] = around
        for each, was in state:
            if isinstance(was, list):
                each.children = was
            else:
                each.value, each.prefix = was


def _is_python(source: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _differing(before: list[str], after: list[str]) -> tuple[str, str]:
    """Return the lines in which two texts differ, from the first to the last, joined into one line for each text."""
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    return _one_line(before[start : len(before) - end]), _one_line(after[start : len(after) - end])


def _alike(before: list[str], after: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))


def _one_line(lines: list[str]) -> str:
    return re.sub(r"\s+", " ", " ".join(lines)).strip()


def _where(node: Any) -> str:
    names = []
    while (node := node.parent) is not None:
        if node.type in {"funcdef", "classdef"}:
            names.append(node.name.value)
    return ".".join(reversed(names))


def says_nothing(node: Any) -> bool:
    """Whether changing a node changes nothing that a module does: it is an annotation, or code for type checkers."""
    if node.type == "operator" and node.parent.type == "parameters":  # the lone star of a signature
        return True
    inside: Any = None
    while node is not None:
        if _is_silent(node, inside):
            return True
        node, inside = node.parent, node
    return False


def _is_silent(node: Any, inside: Any) -> bool:
    """Whether a node says nothing about what a module does: all of it (``inside`` is None), or one of its children."""
    match node.type:
        case "annassign":
            return inside is node.children[1]
        case "tfpdef":
            return inside is node.children[-1]
        case "funcdef":
            return inside is not None and inside is node.annotation
        case "decorator":
            return inside is not None and bool(node.get_code().strip().startswith("@dataclass"))
        case "argument" | "if_stmt":  # whether the garbage collector tracks a Struct, and imports for type checkers
            return bool(node.get_code().strip().startswith(("gc=", "if TYPE_CHECKING:")))
    return False
