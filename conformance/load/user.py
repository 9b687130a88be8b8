"""The Locust user: reads the queue, one request after the other, and has each answer judged."""

from __future__ import annotations

import time
from typing import ClassVar
from weakref import WeakKeyDictionary

from locust import User, task
from locust.env import Environment

from conformance.load.client import Connection
from conformance.load.session import READ, Session


class QueueUser(User):
    """Reads ``GET /api/queue`` of ``--host`` and judges every answer by all clauses.

    In a locustfile of your own, import it from ``conformance.load.locustfile``, which wires the judge and its
    options into Locust; subclass it, or let it stand beside users of your own.
    """

    sessions: ClassVar[WeakKeyDictionary[Environment, Session]] = WeakKeyDictionary()
    """The judge of this process, by Locust's environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.session = self.sessions[environment]
        self.connection = Connection(self.session.settings)
        self._next = 0.0

    def on_stop(self) -> None:
        """End the connection."""
        self.connection.close()

    def wait_time(self) -> float:
        """Return the seconds until this user's share of the rate allows its next request."""
        now = time.monotonic()
        self._next = max(now, self._next + self.session.pace)
        return self._next - now

    @task
    def read(self) -> None:
        """Read the queue once."""
        self.session.note(self, self.connection.send(READ))
