"""For test suites of others: a server for those who test a client, and the contract for those who test a server.

``contract_tests`` makes a parametrised test against a server of yours (``docs/own-tests.md``). The fixture
``queue_server`` starts a server that answers right, or wrong in one way. Load it in a ``conftest.py``::

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

Answer = bytes | dict[str, Any]
"""A body as it is, or a QueueInfo ``{"queue_running": [...], "queue_pending": [...]}`` to be written as JSON."""


class QueueServer(Protocol):
    """What the fixture ``queue_server`` is: a function that starts a server on a free port of loopback."""

    def __call__(
        self,
        variant: str = "default",
        fault: str | None = None,
        *,
        key: str | None = None,
        answers: Answer | Sequence[Answer] | None = None,
        generate: int | None = None,
    ) -> Endpoint:
        """Serve until the test ends.

        ``variant`` and ``fault`` are names that ``comfy-conformance serve --list`` shows. ``key`` is demanded
        in X-API-Key. ``answers`` are listed one after the other instead of a queue that moves, the last one
        from then on; with ``generate`` fresh conforming ones, drawn from that seed (see
        ``conformance.reference.generated``; needs Hypothesis).

        What is returned has ``url``, the base URL without ``/api/queue``, and ``key``, the one demanded or None.

        Raises ValueError for a name that there is not, with the nearest that there is, and for what does not
        go together.
        """


@pytest.fixture
def queue_server() -> Iterator[QueueServer]:
    """Start reference endpoints as the test wants them; all are closed when it ends."""
    with ExitStack() as stack:

        def start(
            variant: str = "default",
            fault: str | None = None,
            *,
            key: str | None = None,
            answers: Answer | Sequence[Answer] | None = None,
            generate: int | None = None,
        ) -> Endpoint:
            if answers is not None and generate is not None:
                raise ValueError("answers and generate contradict each other: give one of them")
            bodies = None if answers is None else _bodies(answers)
            return stack.enter_context(serve(variant, fault, key, bodies=bodies, generate=generate))

        yield start


def _bodies(answers: Answer | Sequence[Answer]) -> Iterator[bytes]:
    listed = [answers] if isinstance(answers, bytes | dict) else answers
    if not listed:
        raise ValueError("answers is empty: give at least one")
    written = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in listed]
    return chain(written, repeat(written[-1]))


def contract_tests(
    fixture: str, *, inconclusive_ok: bool = False, fail_on_should: bool = False, **options: Any
) -> Callable[..., None]:
    """Return a parametrised test of the contract against the URL that your fixture yields: ``docs/own-tests.md``.

    One item for the verdict, each clause, and each family of generated requests. ``options`` are those of
    ``conformance.check``. Raises TypeError for an option that it does not have.
    """
    from conformance.suite.own_tests import contract_tests as make

    return make(fixture, inconclusive_ok=inconclusive_ok, fail_on_should=fail_on_should, **options)
