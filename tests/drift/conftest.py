"""A server of published pages, for the tests of drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from helpers.servers import listening, saying


@pytest.fixture
def serving() -> Iterator[Callable[..., tuple[str, list[bytes]]]]:
    """Start servers that give one answer each; what they hear is returned with their URL."""
    with ExitStack() as stack:

        def start(answer: bytes | Callable[[bytes], bytes]) -> tuple[str, list[bytes]]:
            heard: list[bytes] = []
            port = stack.enter_context(
                listening(saying((lambda _: answer) if isinstance(answer, bytes) else answer, heard))
            )
            return f"http://127.0.0.1:{port}/openapi.yaml", heard

        yield start
