"""What is said where the suite itself fails: one line, and a traceback only for who wants one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Self

from conformance.text.safe import printable

if TYPE_CHECKING:
    from conformance.exchange.secrets import Secret

TRACEBACK: Final = "CONFORMANCE_TRACEBACK"
LINE_LIMIT: Final = 500


class InternalError(Exception):
    """A mistake of the suite's own while it held the key. Its text is the traceback, without the key."""

    @classmethod
    def of(cls, error: BaseException, secrets: Iterable[Secret]) -> Self:
        """Take the keys out of an error."""
        from conformance.exchange.redactor import Redactor

        return cls(Redactor(*secrets).text(traceback_of(error)))


def told(error: Exception, environ: Mapping[str, str]) -> str:
    """Say in one line what failed and what to do; below it the traceback, where the environment asks for it."""
    text = str(error) if isinstance(error, InternalError) else traceback_of(error)
    last = text.rpartition("\n")[2]
    if environ.get(TRACEBACK):
        return f"internal error: {last}. Please report this\n{text}"
    return f"internal error: {last}. Please report this, with what is shown when {TRACEBACK}=1 is set"


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error, printable."""
    import traceback

    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(printable(line, LINE_LIMIT) for line in lines)
