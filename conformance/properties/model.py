"""The number of generated requests, and their seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEPT_NOWHERE: Final = "none"


@dataclass(frozen=True)
class Properties:
    """The settings of generated requests."""

    number: int = 60
    """Number of generated requests. Those that shrink and confirm a breach are extra.

    The default is the smallest number that covers each value of the probed document: with 50, some seeds miss a fault.
    """
    seed: int = 0
    example_database: str = KEPT_NOWHERE
    """A directory, ``none``, or ``github:OWNER/REPO`` for the artifact of an earlier run there."""

    @property
    def kept_in(self) -> Path | None:
        """The directory for requests that broke a clause, which the next run sends first."""
        if self.example_database == KEPT_NOWHERE:
            return None
        remote = self.example_database.startswith("github:")
        return Path(".hypothesis/examples" if remote else self.example_database)
