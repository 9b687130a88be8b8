"""The Locust user: it reads the queue, passes each response to the session for judging, and sometimes submits jobs."""

from __future__ import annotations

import time
from typing import ClassVar
from weakref import WeakKeyDictionary

from locust import User, task
from locust.env import Environment

from conformance.load.client import Connection
from conformance.load.rounds import Round
from conformance.load.session import READ, Session


class QueueUser(User):
    """Reads ``GET /api/queue`` of ``--host`` and checks every response against all clauses.

    With ``--populate`` it also submits jobs, and deletes and interrupts some of them. In a locustfile of your own,
    import it from ``conformance.load.locustfile``, which adds the judging and the options to Locust. You can subclass
    it or combine it with other users.
    """

    sessions: ClassVar[WeakKeyDictionary[Environment, Session]] = WeakKeyDictionary()
    """The session of this process, by Locust's environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.session = self.sessions[environment]
        self.connection = Connection(self.session.settings)
        self.round: Round | None = None
        self._next = 0.0

    def on_stop(self) -> None:
        """Close the connection. The session removes the jobs of a round that has not ended."""
        self._end_round()
        self.connection.close()

    def wait_time(self) -> float:
        """Return how many seconds this user must wait before its next request, to keep the rate limit."""
        now = time.monotonic()
        self._next = max(now, self._next + self.session.pace)
        return max(self._next - now, 0.0 if self.round is None else self.round.pause)

    @task
    def ask(self) -> None:
        """Read the queue once, or send the next request of a round of jobs."""
        if self.round is None and self.session.jobs is not None:
            self.round = self.session.jobs.begin()
        if self.round is None or self.round.next is None:
            self.session.note(self, self.connection.send(READ))
            return
        self.connection.leave = self.round.leave
        exchange = self.connection.send(self.round.next)
        self.session.note(self, exchange)
        if not self.round.note(exchange):
            self._end_round()

    def _end_round(self) -> None:
        if self.round is not None:
            self.session.end_round(self.round)
            self.round, self.connection.leave = None, None
