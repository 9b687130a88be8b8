"""What is printed if the suite itself fails: one line, and a traceback only on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Self

from conformance.text.safe import printable

if TYPE_CHECKING:
    from conformance.exchange.secrets import Secret

TRACEBACK: Final = "CONFORMANCE_TRACEBACK"
LINE_LIMIT: Final = 500


class InternalError(Exception):
    """A defect of the suite while it had the key. The message is the traceback, with the key redacted."""

    @classmethod
    def of(cls, error: BaseException, secrets: Iterable[Secret]) -> Self:
        """Redact the keys in an error."""
        from conformance.exchange.redactor import Redactor

        return cls(Redactor(*secrets).text(traceback_of(error)))


def internal_error_text(error: Exception, environ: Mapping[str, str]) -> str:
    """Return one line with the failure and what to do, followed by the traceback if the environment asks for it."""
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
