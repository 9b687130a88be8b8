"""The mutants that no test can kill, since they do what the module does: ``equivalent.toml``, each with the reason."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from changes import Change

FILE: Final = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Equivalent:
    """What a line of a function may become, and why nothing changes by that."""

    module: str
    where: str
    line: str
    becomes: tuple[str, ...]
    reason: str

    @property
    def names(self) -> list[tuple[str, str, str, str]]:
        """The changes that it is about; those that are alike are one."""
        return [(self.module, self.where, self.line, after) for after in self.becomes]


def listed(file: Path = FILE) -> list[Equivalent]:
    """Read the list."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("equivalent", [])
    return [Equivalent(**{**entry, "becomes": tuple(entry["becomes"])}) for entry in entries]


def name(change: Change) -> tuple[str, str, str, str]:
    """Return what an entry calls a change."""
    return change.key[:4]
