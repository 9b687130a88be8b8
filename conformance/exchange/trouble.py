"""The message if the suite itself fails: one line, and a traceback only on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Self

from conformance.text.safe import printable

if TYPE_CHECKING:
    from conformance.exchange.secrets import Secret

TRACEBACK: Final = "CONFORMANCE_TRACEBACK"
LINE_LIMIT: Final = 500


class InternalError(Exception):
    """An error in the suite's own code. The message is the traceback, with keys redacted."""

    @classmethod
    def of(cls, error: BaseException, secrets: Iterable[Secret]) -> Self:
        """Return an InternalError with the traceback of ``error``, in which ``secrets`` are redacted."""
        from conformance.exchange.redactor import Redactor

        return cls(Redactor(*secrets).text(traceback_of(error)))


def internal_error_text(error: Exception, environ: Mapping[str, str]) -> str:
    """Return the message about an internal error, with the traceback if ``CONFORMANCE_TRACEBACK`` is set."""
    text = str(error) if isinstance(error, InternalError) else traceback_of(error)
    last = text.rpartition("\n")[2]
    if environ.get(TRACEBACK):
        return f"internal error: {last}. Please report this\n{text}"
    return f"internal error: {last}. Please report this, with what is shown when {TRACEBACK}=1 is set"


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error as printable text."""
    import traceback

    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(printable(line, LINE_LIMIT) for line in lines)
