"""The settings of generated requests: their number, their seed, and where failing ones are stored."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

KEPT_NOWHERE: Final = "none"
MOST_DECLARED: Final = 100
"""Maximum number of requests that are sent for values that the user's OpenAPI document declares."""


class Properties(Struct, frozen=True):
    """The settings of generated requests (``--properties``, ``--seed``, ``--example-database``)."""

    number: int = 60
    """Number of generated requests, without those for ``declared`` values.

    Not counted are the requests that reduce a failing request to a smaller one, and those that confirm the failure. The
    default leaves room for every value that the OpenAPI document and the probing overlay list for a parameter. With 50
    requests, some values are left out, and a fault that only these values show is missed.
    """
    seed: int = 0
    example_database: str = KEPT_NOWHERE
    """Where requests that broke a clause are stored: a directory, ``none``, or ``github:OWNER/REPO``."""

    declared: int = 0
    """Number of values that the user's OpenAPI document declares. Each of the first 100 gets one more request."""

    @property
    def wanted(self) -> int:
        """The number of requests to generate."""
        return self.number + min(self.declared, MOST_DECLARED)

    @property
    def kept_in(self) -> Path | None:
        """The directory where requests that broke a clause are stored for the next run. None if they are not stored."""
        if self.example_database == KEPT_NOWHERE:
            return None
        remote = self.example_database.startswith("github:")
        return Path(".hypothesis/examples" if remote else self.example_database)
