"""Keep a command and its exit status intact if standard output or standard error is closed or cannot be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import IO, Any, Final

import click

_LINE: Final = "standard output cannot be written ({}): redirect it elsewhere"


class TolerantStream:
    """A text stream that discards all output once writing fails, so that the exit status does not depend on the reader.

    With ``report_errors``, a failure other than a broken pipe raises ClickException. Otherwise no failure is reported.
    """

    def __init__(self, stream: IO[str], *, report_errors: bool) -> None:
        self._stream = stream
        self._report_errors = report_errors
        self._error: str | None = None

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the stream."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text. If that fails, discard all output of the stream from now on."""
        self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream. If that fails, discard its output from now on."""
        self._try(self._stream.flush)

    def _try(self, action: Callable[..., object], *given: str) -> None:
        try:
            action(*given)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # the flush at exit needs somewhere to write
            os.close(nowhere)
            self._error = None if isinstance(error, BrokenPipeError) else error.strerror
        if self._report_errors and self._error is not None:  # raised every time, because click catches the first one
            raise click.ClickException(_LINE.format(self._error))


@contextmanager
def tolerant_streams() -> Iterator[None]:
    """Replace closed standard streams with /dev/null, and let a command continue if writing to a stream fails."""
    import sys

    with ExitStack() as stack:
        out, err = (stream or stack.enter_context(_null_device()) for stream in (sys.stdout, sys.stderr))
        sys.stdin = sys.stdin or stack.enter_context(open(os.devnull, encoding="utf-8"))  # noqa: PTH123
        stack.enter_context(redirect_stdout(TolerantStream(out, report_errors=True)))
        stack.enter_context(redirect_stderr(TolerantStream(err, report_errors=False)))
        yield


def _null_device() -> IO[str]:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
