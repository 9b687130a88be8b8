"""How many requests are generated, and from which seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEPT_NOWHERE: Final = "none"


@dataclass(frozen=True)
class Properties:
    """How to search with generated requests."""

    number: int = 60
    """Requests that are generated; making a breach small and confirming it come on top."""
    seed: int = 0
    example_database: str = KEPT_NOWHERE
    """A directory, ``none``, or ``github:OWNER/REPO`` for the artifact that the run of a night before left there."""

    @property
    def kept_in(self) -> Path | None:
        """The directory that keeps requests which break a clause, to be sent first by the next run."""
        if self.example_database == KEPT_NOWHERE:
            return None
        remote = self.example_database.startswith("github:")
        return Path(".hypothesis/examples" if remote else self.example_database)
