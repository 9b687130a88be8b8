"""Between Locust and the clauses: judging in each process, adding up in the one that reports, the end.

Locust's own statistics, web page, CSV and HTML stay as they are: an answer that breaks a must is a failure there,
under the name of the clause.
"""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_CLEANUP, STATE_MISSING, MasterRunner, WorkerRunner
from locust.stats import StatsError
from msgspec import structs

from conformance.contract.catalogue import BY_ID
from conformance.contract.conversation import OK
from conformance.contract.terms import Demand, Dialect, Level
from conformance.exchange.hosts import is_loopback
from conformance.exchange.model import Exchange, Operation, Request
from conformance.judge.judge import judge
from conformance.judge.report import Report
from conformance.load.client import Connection
from conformance.load.gather import Gathering
from conformance.load.jobs import Jobs
from conformance.load.options import LONGEST
from conformance.load.result import report_on_load
from conformance.load.rounds import Round
from conformance.load.stream import Noted, Stream
from conformance.load.tally import LoadTally, decode, encode
from conformance.probe.jobs import CLEAN_UP
from conformance.probe.leave import Leave
from conformance.probe.requests import Ask
from conformance.run.settings import Settings

DATA: Final = "conformance"
"""Under which a worker's part stands in what Locust sends to its master."""
SLACK: Final = 2.0
"""Seconds by which a run may end early: users start one after the other."""
READ: Final = Ask("read under load")
PATIENCE: Final = 5.0
"""Seconds in which users of a run that writes may end the request that they wait for: what came of it is then known."""
FAREWELL: Final = "conformance: end"
"""A master's message to its workers: remove what is left of your jobs, and send what you have seen."""
LAST: Final = "conformance: last part"
"""A worker's answer to it."""
LONGEST_FAREWELL: Final = PATIENCE + CLEAN_UP + 10.0
"""Seconds after which a master waits for its workers no more."""


class BrokenResponse(Exception):
    """An answer that breaks a must, or none at all. Equal texts are one row of Locust's table of failures."""

    def __repr__(self) -> str:
        return str(self)


class Session:
    """The judge of one process; and in the one that reports, the sum of all."""

    def __init__(self, environment: Environment, settings: Settings) -> None:
        self.settings = settings
        self.demand = Demand.of(settings.dialect)
        self.tally = LoadTally()
        self.start = time.time()
        self.end: float | None = None
        self._environment = environment
        self._stopped = Event()
        self._gathering = Gathering(settings.hides_workflows)
        self._stream: Stream | None = None
        self._order: tuple[str, str] | None = None
        self._workers: set[str] = set()
        """Those whose last part is still to come."""
        self._parted = False
        runner, events = environment.runner, environment.events
        writes = None if isinstance(runner, MasterRunner) else settings.writes
        bare = writes is not None and (writes.interrupt or is_loopback(settings.target or ""))
        self.jobs = None if writes is None else Jobs(writes, time.monotonic, bare=bare)
        events.test_start.add_listener(self._begins)
        events.test_stop.add_listener(self._ends)
        if isinstance(runner, WorkerRunner):
            events.report_to_master.add_listener(self._reports)
        if isinstance(runner, MasterRunner):
            events.worker_report.add_listener(self._hears)
        if settings.writes is not None:
            environment.stop_timeout = environment.stop_timeout or PATIENCE
        if settings.writes is not None and isinstance(runner, WorkerRunner):
            runner.register_message(FAREWELL, self._says_the_last, concurrent=True)
            events.quitting.add_listener(self._says_the_last)  # before Locust tells the master that this one is gone
        if settings.writes is not None and isinstance(runner, MasterRunner):
            runner.register_message(LAST, self._hears_the_last)

    @property
    def pace(self) -> float:
        """Seconds from one request of a user to its next: the rate is that of all users together."""
        options = self._environment.parsed_options
        users = max(1, (options.num_users if options else None) or 1)
        rate = self.settings.bounds.rate_limit
        return users / rate if rate else 0.0

    def note(self, reader: object, exchange: Exchange) -> None:
        """Judge an exchange, count it, and tell Locust of it."""
        noted = self._heard(exchange).judge(id(reader), exchange)
        runner = self._environment.runner
        self._gathering.note(exchange, noted, runner.user_count if runner else 0)
        if self.jobs is not None and exchange.request.operation is Operation.SUBMIT:
            self.jobs.note(exchange)
        self._tell(exchange, noted)

    def end_round(self, over: Round) -> None:
        """Take a round of jobs back, and judge what it saw of them."""
        assert self.jobs is not None
        self.jobs.end(over)
        others = {exchange.id: exchange for exchange in over.kept}
        stream = self._stream or Stream(self.demand)
        for exchange, noted in stream.of_jobs(over.kept):
            self._gathering.judged(exchange, noted, others)
            for clause in filter(self._fails, (clause for clause, _ in noted.broken)):
                self._count(exchange, clause)

    def _heard(self, exchange: Exchange) -> Stream:
        """Return who judges: under AUTO somebody else from the first job on that shows an order."""
        if self.demand.open:
            demand = judge([exchange], Dialect.AUTO, only=()).demand
            if not demand.open:
                self.demand, self._stream = demand, None
                self._order = (demand.read_as.value, demand.because)
        if self._stream is None:
            self._stream = Stream(self.demand)
        return self._stream

    def _tell(self, exchange: Exchange, noted: Noted) -> None:
        request, response = exchange.request, exchange.response
        broken = [clause for clause, _ in noted.broken if self._fails(clause)]
        failure: BrokenResponse | None = None
        if exchange.problem is not None:
            failure = BrokenResponse(f"no answer: {exchange.problem.fault.value}")
        elif broken:
            failure = BrokenResponse(f"{broken[0]}: {BY_ID[broken[0]].title}")
        elif response is not None and response.status != OK and (request.reads or _is_expected(request)):
            failure = BrokenResponse(f"answered {response.status}")
        self._environment.events.request.fire(
            request_type=request.method,
            name=_name(exchange),
            response_time=(exchange.elapsed or 0.0) * 1000,
            response_length=0 if response is None else len(response.content),
            exception=failure,
            context={},
            start_time=exchange.started,
            url=request.url,
            response=None,
        )
        for clause in broken[1:]:
            self._count(exchange, clause)

    def _count(self, exchange: Exchange, clause: str) -> None:
        """Add a row, or to a row, of Locust's table of failures: a breach beside the first of an answer."""
        told = f"{clause}: {BY_ID[clause].title}"
        errors, row = self._environment.stats.errors, (exchange.request.method, _name(exchange), told)
        errors.setdefault(StatsError.create_key(*row), StatsError(*row)).occurred()

    def _fails(self, clause: str) -> bool:
        level = BY_ID[clause].level_in(self.demand)
        return level is Level.MUST or (level is Level.SHOULD and self.settings.fail_on_should)

    def stop(self) -> None:
        """End what is under way, in a run that writes: users first, and then what is left of their jobs."""
        runner = self._environment.runner
        if isinstance(runner, MasterRunner):
            runner.stop(send_stop_to_client=False)
            self._part_with_workers(runner)
        elif runner is not None and runner.state == STATE_CLEANUP:
            self._stopped.wait()  # another greenlet is about it
        elif runner is not None:
            runner.stop()

    def report(self) -> Report:
        """Return the report on all that was seen."""
        self.tally += self._part(last=True)
        end = self.end or time.time()
        if self.tally.order is not None and self.demand.open:
            order, because = self.tally.order
            self.demand = Demand(Dialect.AUTO, Dialect(order), because)
        return report_on_load(
            self.tally, self.settings, self.demand, start=self.start, end=end, stopped=self._cut_short(end)
        )

    @property
    def silent(self) -> int:
        """How many workers have not said what is left of their jobs."""
        return len(self._workers)

    def _part(self, *, last: bool = False) -> LoadTally:
        """Return what this process has seen since this was asked last."""
        part = structs.replace(self._gathering.tally(), order=self._order)
        self._gathering = Gathering(self.settings.hides_workflows)
        return part if self.jobs is None else structs.replace(part, own=self.jobs.part(last=last))

    def _cut_short(self, end: float) -> str | None:
        """Say so where a run ended long before its time."""
        options = self._environment.parsed_options
        wanted = float(options.run_time or 0) if options and options.headless else 0.0
        lasted = end - self.start
        return f"after {lasted:.0f} of {wanted:.0f} s" if lasted < wanted - SLACK else None

    # --- what Locust calls --------------------------------------------------------------------------------------------

    def _begins(self, **_: Any) -> None:
        self.start, self.end = time.time(), None
        self._parted = False
        self._stopped.clear()
        runner = self._environment.runner
        if self.jobs is not None:
            self.jobs.open()
        if runner is not None and not isinstance(runner, WorkerRunner):
            gevent.spawn_later(LONGEST, runner.quit)

    def _ends(self, **_: Any) -> None:
        self.end = self.end or time.time()
        runner = self._environment.runner
        try:
            if self.jobs is not None:
                self._clean_up(self.jobs)
            if isinstance(runner, MasterRunner) and gevent.getcurrent() not in runner.greenlet:
                self._part_with_workers(runner)
        finally:
            self._stopped.set()

    def _part_with_workers(self, runner: MasterRunner) -> None:
        """Have every worker remove what is left of its jobs, and wait until they have; only in a run that writes."""
        if self.settings.writes is None or self._parted:
            return
        self._parted = True
        self._workers |= set(runner.clients.keys())
        runner.send_message(FAREWELL)
        with gevent.Timeout(LONGEST_FAREWELL, False):  # noqa: FBT003 - gevent's way to say: without an exception
            while self._workers & _connected(runner):
                gevent.sleep(0.05)

    def _says_the_last(self, **_: Any) -> None:
        runner = self._environment.runner
        assert isinstance(runner, WorkerRunner)
        self.stop()
        runner.send_message(LAST, {DATA: encode(self._part(last=True))})

    def _clean_up(self, jobs: Jobs) -> None:
        """Remove what is left of the jobs of this process. Ctrl-C ends it."""
        connection = Connection(self.settings)

        def send(ask: Ask, leave: Leave) -> Exchange:
            connection.leave = leave
            exchange = connection.send(ask)
            self.note(connection, exchange)
            return exchange

        rate = self.settings.bounds.rate_limit
        try:
            jobs.clean_up(send, lambda seconds: gevent.sleep(max(seconds, 1 / rate if rate else 0.0)))
        except KeyboardInterrupt:
            pass  # what is left is known, and told
        finally:
            connection.close()

    def _reports(self, data: dict[str, Any], **_: Any) -> None:
        data[DATA] = encode(self._part())

    def _hears(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if DATA in data:
            part = decode(data[DATA])
            self.tally += part
            if part.own.submitted:
                self._workers.add(client_id)

    def _hears_the_last(self, msg: Message, **_: Any) -> None:
        self.tally += decode(msg.data[DATA])
        self._workers.discard(msg.node_id)


def _connected(runner: MasterRunner) -> set[str]:
    return {name for name, node in runner.clients.items() if node.state != STATE_MISSING}


def _is_expected(request: Request) -> bool:
    """Whether a write is one that every server has: cancelling is tried, and few have it."""
    return request.method == "POST" and request.operation is not Operation.CANCEL


def _name(exchange: Exchange) -> str:
    """Return the path of a request, under which Locust counts it; without the id of a job."""
    path = urlsplit(exchange.request.url).path
    if exchange.request.operation is not Operation.CANCEL:
        return path
    before, _, _ = path.removesuffix("/cancel").rpartition("/")
    return f"{before}/{{id}}/cancel"
