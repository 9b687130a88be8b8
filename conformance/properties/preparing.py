"""Prepare generated requests in a separate thread while the fixed plan is running.

Importing Schemathesis and Hypothesis takes longer than the whole plan against a local server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING

from conformance.contract.conversation import OK
from conformance.exchange.model import Exchange
from conformance.properties.generation import Properties
from conformance.spec.operation import Described

if TYPE_CHECKING:
    from conformance.properties.request_source import Prepared


class Preparing:
    """Imports Schemathesis and generates requests in a thread, as soon as the target has sent a 200 response.

    ``described`` loads the OpenAPI document. ``without`` has the names of headers, in lower case, that are not
    generated.
    """

    def __init__(self, described: Callable[[], Described], properties: Properties, without: Collection[str]) -> None:
        self._described, self._properties, self._without = described, properties, without
        self._thread: Thread | None = None
        self._prepared: Future[Prepared] = Future()

    def during(self, progress: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
        """Return a callback for each exchange. It starts the thread at the first 200, and then calls ``progress``."""

        def tell(exchange: Exchange) -> None:
            if self._thread is None and exchange.response is not None and exchange.response.status == OK:
                self._start()
            progress(exchange)

        return tell

    def result(self, seconds: float) -> Prepared:
        """Wait for the generated requests and return them. Raises TimeoutError after ``seconds``."""
        if self._thread is None:
            self._start()
        return self._prepared.result(seconds)

    def wait(self) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        self._thread = Thread(target=self._prepare, name="generated requests")
        self._thread.start()

    def _prepare(self) -> None:
        try:
            self._prepared.set_result(self._generated())
        except BaseException as error:  # noqa: BLE001 - raised again by ``result``
            self._prepared.set_exception(error)

    def _generated(self) -> Prepared:
        from conformance.properties.drawing import temporary_storage, without_old_garbage
        from conformance.properties.request_source import RequestSource

        with temporary_storage():
            source = RequestSource(self._described(), self._properties.seed, self._without)
            with without_old_garbage():
                return source.requests(self._properties.wanted)
