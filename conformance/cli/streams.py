"""Standard streams whose reader is gone, or that cannot be written: what is said is lost, the outcome stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import IO, Any, Final

import click

_LINE: Final = "standard output cannot be written ({}): send it elsewhere"


class Unread:
    """A stream that goes nowhere from the moment that nobody reads on. A verdict does not hang on it.

    With ``told`` any other failure to write is the error of a command line; without, it is as if nobody read.
    """

    def __init__(self, stream: IO[str], *, told: bool) -> None:
        self._stream = stream
        self._told = told
        self._full: str | None = None

    def __getattr__(self, name: str) -> Any:
        """Be the stream in everything else."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or let it go."""
        self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Flush, or let it go."""
        self._try(self._stream.flush)

    def _try(self, what: Callable[..., object], *given: str) -> None:
        try:
            what(*given)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # what is still to be flushed at the end has to go somewhere
            os.close(nowhere)
            self._full = None if isinstance(error, BrokenPipeError) else error.strerror
        if self._told and self._full is not None:  # said again each time: click tries a stream, and is silent about it
            raise click.ClickException(_LINE.format(self._full))


@contextmanager
def standing() -> Iterator[None]:
    """Give this process standard streams that end nothing: closed ones are opened on nothing."""
    import sys

    with ExitStack() as stack:
        out, err = (stream or stack.enter_context(_nothing()) for stream in (sys.stdout, sys.stderr))
        sys.stdin = sys.stdin or stack.enter_context(open(os.devnull, encoding="utf-8"))  # noqa: PTH123
        stack.enter_context(redirect_stdout(Unread(out, told=True)))
        stack.enter_context(redirect_stderr(Unread(err, told=False)))
        yield


def _nothing() -> IO[str]:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
