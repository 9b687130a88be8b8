"""The figures of each module when it was last measured, in ``figures.json``."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_name("figures.json")
_DEFINITIONS: Final = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Figures(msgspec.Struct, frozen=True):
    """The number of mutants of one module by outcome. ``code`` is the digest of the module that was measured."""

    mutants: int
    killed: int
    equivalent: int
    surviving: int
    code: str


def digest_of_code(source: str) -> str:
    """Return a digest of a module that does not depend on comments, docstrings and formatting."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS) and ast.get_docstring(node) is not None:
            del node.body[0]
    return hashlib.blake2b(ast.dump(tree).encode(), digest_size=8).hexdigest()


def read(file: Path = FILE) -> dict[str, Figures]:
    """Return the figures by module."""
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Figures])


def write(figures: dict[str, Figures], file: Path = FILE) -> None:
    """Write the figures of all modules."""
    lines = (f'  "{name}": {msgspec.json.encode(figures[name]).decode()}' for name in sorted(figures))
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
