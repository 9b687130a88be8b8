"""The exception for bad input, and the exit statuses of all commands."""

from __future__ import annotations

from typing import Final

EXIT_CONFORMANT: Final = 0
EXIT_NON_CONFORMANT: Final = 1
"""Also: the newer run is worse, two servers differ, or the published document has changed."""
EXIT_INTERRUPTED: Final = 2
EXIT_INTERNAL: Final = 3
"""An error of the suite itself, or results that could not be written."""
EXIT_USAGE: Final = 4
"""Statuses 2, 3 and 4 are those of pytest."""
EXIT_INCONCLUSIVE: Final = 10
EXIT_NOT_READ: Final = 11
"""``drift`` could not read the published document."""


class UsageProblem(Exception):
    """The user's input is not valid. The message is one line: what is wrong, and what to do."""
