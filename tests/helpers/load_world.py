"""A reference endpoint under simulated load: no network, and a simulated clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from conformance.exchange.model import Exchange, NoResponse, Operation, Problem, Response
from conformance.load.jobs import JobRounds
from conformance.load.rounds import Round
from conformance.probe.client import Client
from conformance.probe.leave import Leave
from conformance.probe.limits import Bounds, ServerChanges
from conformance.probe.requests import Ask, guard
from conformance.reference.message import IncomingRequest
from helpers.simulated_runs import TRIP, endpoint

READ = Ask("read")
WRITES = ServerChanges(populate=True, jobs=9, job_timeout=20.0)
Answer = Callable[[Ask, Response], Response | None]


class World:
    """A reference endpoint that accepts jobs, its clock, and the connection to it.

    Requests need the user's permission (``leave``), which records each exchange. ``answer`` may change a response, or
    return None so that the response is lost.
    """

    def __init__(self, variant: str = "takes-jobs", fault: str | None = None) -> None:
        self.reference, self.clock = endpoint(variant, fault)
        self.sent: list[Exchange] = []
        self.answer: Answer = lambda _, response: response
        self._probe = Client(f"http://127.0.0.1{self.reference.path}", None, Bounds())

    def send(self, ask: Ask, leave: Leave | None) -> Exchange:
        guard(ask, leave)
        headers, request = self._probe.prepare(ask)
        started = self.clock.now
        self.clock.now += TRIP / 2
        path, _, query = request.url.removeprefix("http://127.0.0.1").partition("?")
        reply = self.reference.answer(IncomingRequest(ask.method, path, query, headers, body=ask.body))
        self.clock.now += TRIP / 2
        response = self.answer(ask, Response(reply.status, tuple(reply.headers.items()), reply.body))
        problem = None if response is not None else Problem(NoResponse.BROKEN, "lost")
        exchange = Exchange(f"x{len(self.sent) + 1}", request, response, problem, started, TRIP)
        self.sent.append(exchange)
        if leave is not None:
            leave.note(exchange)
        return exchange

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @property
    def own(self) -> list[Any]:
        """The pending and running jobs of this run."""
        board = self.reference.board
        assert board is not None
        board.advance(self.clock.now)
        return [job for job in (*board.running, *board.pending) if not job.foreign]

    def writes(self, *operations: Operation) -> list[Exchange]:
        return [exchange for exchange in self.sent if exchange.request.operation in operations]


def crowd(world: World, jobs: JobRounds, requests: int, *, users: int = 5) -> Iterator[Round]:
    """Let simulated users send requests in turn.

    Yields each round of jobs when it ends; some rounds may remain unfinished.
    """
    rounds: dict[int, Round] = {}
    for number in range(requests):
        user = number % users
        mine = rounds.get(user) or jobs.begin()
        if mine is None or mine.next is None:
            world.send(READ, None)
        else:
            rounds[user] = mine
            exchange = world.send(mine.next, mine.leave)
            if exchange.request.operation is Operation.SUBMIT:
                jobs.note(exchange)
            if not mine.note(exchange):
                jobs.end(rounds.pop(user))
                yield mine
        world.wait(0.012)
