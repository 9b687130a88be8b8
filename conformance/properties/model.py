"""How many requests are generated, and from which seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Properties:
    """How to search with generated requests."""

    max_examples: int = 200
    """Requests that are generated; shrinking a breach and confirming it come on top."""
    seed: int = 0
    example_database: str = ".hypothesis/examples"
    """A directory, ``none``, or ``github:OWNER/REPO`` for the artifact that a night before has left there."""

    @property
    def kept_in(self) -> Path | None:
        """The directory in which what breaks a clause is kept for the next run."""
        if self.example_database == "none":
            return None
        remote = self.example_database.startswith("github:")
        return Path(Properties.example_database if remote else self.example_database)
