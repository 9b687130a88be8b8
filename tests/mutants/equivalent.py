"""The mutants that behave like the original, so that no test can kill them: ``equivalent.toml``, with the reasons."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from changes import Change

FILE: Final = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Equivalent:
    """A line of a function, the texts that may replace it, and the reason why they change nothing."""

    module: str
    where: str
    line: str
    becomes: tuple[str, ...]
    reason: str

    @property
    def names(self) -> list[tuple[str, str, str, str]]:
        """The changes that the entry is about. Changes with the same texts count as one."""
        return [(self.module, self.where, self.line, after) for after in self.becomes]


def listed(file: Path = FILE) -> list[Equivalent]:
    """Read the list."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("equivalent", [])
    return [Equivalent(**{**entry, "becomes": tuple(entry["becomes"])}) for entry in entries]


def name(change: Change) -> tuple[str, str, str, str]:
    """Return the name of a change in entries."""
    return change.key[:4]
