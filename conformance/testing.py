"""For other test suites: start a server to test a client against, or test a server against the contract.

``contract_tests`` makes a parametrised test against your server (``docs/own-tests.md``). The fixture ``queue_server``
starts a server that conforms, or that has one fault. Load it in a ``conftest.py``::

    pytest_plugins = ["conformance.testing"]

    def test_my_client_counts_jobs(queue_server):
        server = queue_server("hundreds-of-jobs")
        assert MyClient(server.url).count() == 301
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, repeat
from typing import Any, Protocol

import pytest

from conformance.reference.server import Endpoint, serve

ResponseBody = bytes | dict[str, Any]
"""A response body: bytes, or a QueueInfo ``{"queue_running": [...], "queue_pending": [...]}`` to encode as JSON."""


class QueueServer(Protocol):
    """The type of the fixture ``queue_server``: a function that starts a server on a free loopback port."""

    def __call__(
        self,
        variant: str = "default",
        fault: str | None = None,
        *,
        key: str | None = None,
        answers: ResponseBody | Sequence[ResponseBody] | None = None,
        generate: int | None = None,
    ) -> Endpoint:
        """Serve until the test ends.

        ``variant`` and ``fault`` are names from ``comfy-conformance serve --list``. ``key`` is required in X-API-Key.
        ``answers`` are response bodies to send instead of the usual queue that changes over time: they are sent in
        turn, and the last one is repeated. ``generate`` is a seed: the server then sends random conforming responses
        (see ``conformance.reference.generated``; needs Hypothesis).

        The result has ``url``, the base URL without ``/api/queue``, and ``key``, the required key or None.

        Raises ValueError for contradictory arguments and for an unknown name; the message suggests the nearest known
        name.
        """


@pytest.fixture
def queue_server() -> Iterator[QueueServer]:
    """Start reference servers for a test. All are stopped when the test ends."""
    with ExitStack() as stack:

        def start(
            variant: str = "default",
            fault: str | None = None,
            *,
            key: str | None = None,
            answers: ResponseBody | Sequence[ResponseBody] | None = None,
            generate: int | None = None,
        ) -> Endpoint:
            if answers is not None and generate is not None:
                raise ValueError("answers and generate contradict each other: give one of them")
            bodies = None if answers is None else _bodies(answers)
            return stack.enter_context(serve(variant, fault, key, bodies=bodies, generate=generate))

        yield start


def _bodies(answers: ResponseBody | Sequence[ResponseBody]) -> Iterator[bytes]:
    listed = [answers] if isinstance(answers, bytes | dict) else answers
    if not listed:
        raise ValueError("answers is empty: give at least one")
    written = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in listed]
    return chain(written, repeat(written[-1]))


def contract_tests(
    fixture: str, *, inconclusive_ok: bool = False, fail_on_should: bool = False, **options: Any
) -> Callable[..., None]:
    """Return a parametrised test that checks the server whose URL your fixture returns. See ``docs/own-tests.md``.

    The test has one case for the verdict, one for each clause, and one for each family of generated requests.
    ``options`` are those of ``conformance.check``, such as ``deviations``. Raises TypeError for an option that
    ``conformance.check`` does not have.
    """
    from conformance.suite.own_tests import contract_tests as make

    return make(fixture, inconclusive_ok=inconclusive_ok, fail_on_should=fail_on_should, **options)
