"""Standard streams that are closed or cannot be written. Output is lost, and the exit status stays right."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import IO, Any, Final

import click

_LINE: Final = "standard output cannot be written ({}): redirect it elsewhere"


class Unread:
    """A stream that drops its output once nobody reads it, so that the verdict does not depend on it.

    With ``told``, any other failure to write is a usage error. Without it, output is dropped then too.
    """

    def __init__(self, stream: IO[str], *, told: bool) -> None:
        self._stream = stream
        self._told = told
        self._full: str | None = None

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the stream."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or drop the text."""
        self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Flush, or drop the output."""
        self._try(self._stream.flush)

    def _try(self, what: Callable[..., object], *given: str) -> None:
        try:
            what(*given)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # the flush at exit needs somewhere to write
            os.close(nowhere)
            self._full = None if isinstance(error, BrokenPipeError) else error.strerror
        if self._told and self._full is not None:  # raised every time, because click catches the first one
            raise click.ClickException(_LINE.format(self._full))


@contextmanager
def standing() -> Iterator[None]:
    """Open closed standard streams on the null device, so that nothing fails on them."""
    import sys

    with ExitStack() as stack:
        out, err = (stream or stack.enter_context(_nothing()) for stream in (sys.stdout, sys.stderr))
        sys.stdin = sys.stdin or stack.enter_context(open(os.devnull, encoding="utf-8"))  # noqa: PTH123
        stack.enter_context(redirect_stdout(Unread(out, told=True)))
        stack.enter_context(redirect_stderr(Unread(err, told=False)))
        yield


def _nothing() -> IO[str]:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
