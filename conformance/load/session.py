"""Connect Locust with the clauses: each process judges its responses, and the reporting process sums up the results.

Locust's own statistics, web page, CSV and HTML stay as usual. A response that breaks a must clause is a failure in
them, with the id of the clause.
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
from conformance.judge.judge import demand_of
from conformance.judge.report import Report
from conformance.load.client import Connection
from conformance.load.gather import Gathering
from conformance.load.jobs import JobRounds
from conformance.load.options import LONGEST
from conformance.load.response_result import ResponseResult
from conformance.load.result import report_on_load
from conformance.load.rounds import Round
from conformance.load.stream import Stream
from conformance.load.tally import LoadTally, decode, encode
from conformance.probe.jobs import CLEAN_UP
from conformance.probe.leave import Leave
from conformance.probe.requests import Ask
from conformance.run.settings import Settings

DATA: Final = "conformance"
"""The key under which a worker's tally is in the data that Locust sends to the master."""
SLACK: Final = 2.0
"""A run may end this many seconds early and still counts as complete, because users start one after another."""
READ: Final = Ask("read under load")
PATIENCE: Final = 5.0
"""Seconds that users have at the end of a run with jobs to complete their last request, so that its outcome is known.
"""
FAREWELL: Final = "conformance: end"
"""The master's message to its workers at the end: remove your remaining jobs, and send your tally."""
LAST: Final = "conformance: last part"
"""A worker's reply to ``FAREWELL``, with its tally."""
LONGEST_WAIT_FOR_WORKERS: Final = PATIENCE + CLEAN_UP + 10.0
"""Seconds after which the master stops waiting for the last replies of its workers."""


class BrokenResponse(Exception):
    """Reported to Locust for a response that broke a must clause or did not arrive.

    Locust counts equal messages in one row.
    """

    def __repr__(self) -> str:
        return str(self)


class Session:
    """Judges the responses of one process.

    The session of the process that writes the report also sums up all processes.
    """

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
        """The workers that have not yet replied with their last tally."""
        self._parted = False
        runner, events = environment.runner, environment.events
        server_changes = None if isinstance(runner, MasterRunner) else settings.server_changes
        bare = server_changes is not None and (server_changes.interrupt or is_loopback(settings.target or ""))
        self.jobs = None if server_changes is None else JobRounds(server_changes, time.monotonic, bare=bare)
        events.test_start.add_listener(self._on_start)
        events.test_stop.add_listener(self._on_stop)
        if isinstance(runner, WorkerRunner):
            events.report_to_master.add_listener(self._on_report)
        if isinstance(runner, MasterRunner):
            events.worker_report.add_listener(self._receive_part)
        if settings.server_changes is not None:
            environment.stop_timeout = environment.stop_timeout or PATIENCE
        if settings.server_changes is not None and isinstance(runner, WorkerRunner):
            runner.register_message(FAREWELL, self._send_last_part, concurrent=True)
            events.quitting.add_listener(self._send_last_part)  # before Locust tells the master that this worker quits
        if settings.server_changes is not None and isinstance(runner, MasterRunner):
            runner.register_message(LAST, self._receive_last_part)

    @property
    def pace(self) -> float:
        """Seconds between two requests of one user. With this pause all users together keep the rate limit."""
        options = self._environment.parsed_options
        users = max(1, (options.num_users if options else None) or 1)
        rate = self.settings.bounds.rate_limit
        return users / rate if rate else 0.0

    def note(self, reader: object, exchange: Exchange) -> None:
        """Judge an exchange, count the result, and report the request to Locust. ``reader`` identifies the user."""
        result = self._stream_for(exchange).judge(id(reader), exchange)
        runner = self._environment.runner
        self._gathering.note(exchange, result, runner.user_count if runner else 0)
        if self.jobs is not None and exchange.request.operation is Operation.SUBMIT:
            self.jobs.note(exchange)
        self._report_to_locust(exchange, result)

    def end_round(self, over: Round) -> None:
        """Record that a round of jobs has ended, and judge how its jobs went through the queue."""
        assert self.jobs is not None
        self.jobs.end(over)
        others = {exchange.id: exchange for exchange in over.kept}
        stream = self._stream or Stream(self.demand)
        for exchange, result in stream.of_jobs(over.kept):
            self._gathering.judged(exchange, result, others)
            for clause in filter(self._fails, (clause for clause, _ in result.broken)):
                self._count(exchange, clause)

    def _stream_for(self, exchange: Exchange) -> Stream:
        """Return the stream that judges the exchange.

        With the dialect auto, a new stream begins once a job shows the dialect.
        """
        if self.demand.open:
            demand = demand_of([exchange], Dialect.AUTO)
            if not demand.open:
                self.demand, self._stream = demand, None
                self._order = (demand.read_as.value, demand.because)
        if self._stream is None:
            self._stream = Stream(self.demand)
        return self._stream

    def _report_to_locust(self, exchange: Exchange, result: ResponseResult) -> None:
        request, response = exchange.request, exchange.response
        broken = [clause for clause, _ in result.broken if self._fails(clause)]
        failure: BrokenResponse | None = None
        if exchange.problem is not None:
            failure = BrokenResponse(f"no response: {exchange.problem.fault.value}")
        elif broken:
            failure = BrokenResponse(self._broken(broken[0]))
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
        """Add another broken clause of the same response to Locust's table of failures."""
        message = self._broken(clause)
        errors, row = self._environment.stats.errors, (exchange.request.method, _name(exchange), message)
        errors.setdefault(StatsError.create_key(*row), StatsError(*row)).occurred()

    def _broken(self, clause: str) -> str:
        found = BY_ID[clause]
        return f"{clause} ({found.level_in(self.demand) or found.level}: {found.title})"

    def _fails(self, clause: str) -> bool:
        level = BY_ID[clause].level_in(self.demand)
        return level is Level.MUST or (level is Level.SHOULD and self.settings.fail_on_should)

    def stop(self) -> None:
        """End a run with jobs: first stop the users, then remove their remaining jobs."""
        runner = self._environment.runner
        if isinstance(runner, MasterRunner):
            runner.stop(send_stop_to_client=False)
            self._collect_last_parts(runner)
        elif runner is not None and runner.state == STATE_CLEANUP:
            self._stopped.wait()  # another greenlet is already stopping the run
        elif runner is not None:
            runner.stop()

    def report(self) -> Report:
        """Return the report on all processes of the run."""
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
        """The number of workers that have not reported which jobs are left."""
        return len(self._workers)

    def _part(self, *, last: bool = False) -> LoadTally:
        """Return what this process has counted since the last call.

        With ``last``, jobs that may still be in the queue are included.
        """
        part = structs.replace(self._gathering.tally(), order=self._order)
        self._gathering = Gathering(self.settings.hides_workflows)
        return part if self.jobs is None else structs.replace(part, own=self.jobs.part(last=last))

    def _cut_short(self, end: float) -> str | None:
        """Return a note that the run ended early; None if it lasted as long as intended."""
        options = self._environment.parsed_options
        wanted = float(options.run_time or 0) if options and options.headless else 0.0
        lasted = end - self.start
        return f"after {lasted:.0f} of {wanted:.0f} s" if lasted < wanted - SLACK else None

    # --- called by Locust ---------------------------------------------------------------------------------------------

    def _on_start(self, **_: Any) -> None:
        self.start, self.end = time.time(), None
        self._parted = False
        self._stopped.clear()
        runner = self._environment.runner
        if self.jobs is not None:
            self.jobs.open()
        if runner is not None and not isinstance(runner, WorkerRunner):
            gevent.spawn_later(LONGEST, runner.quit)

    def _on_stop(self, **_: Any) -> None:
        self.end = self.end or time.time()
        runner = self._environment.runner
        try:
            if self.jobs is not None:
                self._clean_up(self.jobs)
            if isinstance(runner, MasterRunner) and gevent.getcurrent() not in runner.greenlet:
                self._collect_last_parts(runner)
        finally:
            self._stopped.set()

    def _collect_last_parts(self, runner: MasterRunner) -> None:
        """In a run with jobs, tell every worker to remove its remaining jobs, and wait for the replies."""
        if self.settings.server_changes is None or self._parted:
            return
        self._parted = True
        self._workers |= set(runner.clients.keys())
        runner.send_message(FAREWELL)
        with gevent.Timeout(LONGEST_WAIT_FOR_WORKERS, False):  # noqa: FBT003 - gevent: no exception
            while self._workers & _connected(runner):
                gevent.sleep(0.05)

    def _send_last_part(self, **_: Any) -> None:
        runner = self._environment.runner
        assert isinstance(runner, WorkerRunner)
        self.stop()
        runner.send_message(LAST, {DATA: encode(self._part(last=True))})

    def _clean_up(self, jobs: JobRounds) -> None:
        """Remove the remaining jobs of this process. Ctrl-C ends the removal early."""
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
            pass  # the remaining jobs are known and reported
        finally:
            connection.close()

    def _on_report(self, data: dict[str, Any], **_: Any) -> None:
        data[DATA] = encode(self._part())

    def _receive_part(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if DATA in data:
            part = decode(data[DATA])
            self.tally += part
            if part.own.submitted:
                self._workers.add(client_id)

    def _receive_last_part(self, msg: Message, **_: Any) -> None:
        self.tally += decode(msg.data[DATA])
        self._workers.discard(msg.node_id)


def _connected(runner: MasterRunner) -> set[str]:
    return {name for name, node in runner.clients.items() if node.state != STATE_MISSING}


def _is_expected(request: Request) -> bool:
    """Whether a request that changes the server should succeed on every server. Few servers can cancel a job."""
    return request.method == "POST" and request.operation is not Operation.CANCEL


def _name(exchange: Exchange) -> str:
    """Return the path under which Locust counts a request, with ``{id}`` instead of the id of a job."""
    path = urlsplit(exchange.request.url).path
    if exchange.request.operation is not Operation.CANCEL:
        return path
    before, _, _ = path.removesuffix("/cancel").rpartition("/")
    return f"{before}/{{id}}/cancel"
