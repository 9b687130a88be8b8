"""Between Locust and the clauses: judging in each process, adding up in the one that reports, the end.

Locust's own statistics, web page, CSV and HTML stay as they are: an answer that breaks a must is a failure there,
under the name of the clause.
"""

from __future__ import annotations

import time
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import StatsError

from conformance.contract import BY_ID, Level
from conformance.dialect import Demand, Dialect
from conformance.exchange import Exchange
from conformance.judge import judge
from conformance.load.gather import Gathering
from conformance.load.options import LONGEST
from conformance.load.result import report_on_load
from conformance.load.stream import Noted, Stream
from conformance.load.tally import Tally, decode, encode
from conformance.probe.client import Ask
from conformance.report.model import Report
from conformance.settings import Settings

DATA: Final = "conformance"
"""Under which a worker's part stands in what Locust sends to its master."""
SLACK: Final = 2.0
"""Seconds by which a run may end early: users start one after the other."""
READ: Final = Ask("read under load")


class Breach(Exception):
    """An answer that breaks a must, or none at all. Equal texts are one row of Locust's table of failures."""

    def __repr__(self) -> str:
        return str(self)


class Session:
    """The judge of one process; and in the one that reports, the sum of all."""

    def __init__(self, environment: Environment, settings: Settings) -> None:
        self.settings = settings
        self.demand = Demand.of(settings.dialect)
        self.tally = Tally()
        self.start = time.time()
        self.end: float | None = None
        self._environment = environment
        self._gathering = Gathering(settings.redact_workflows)
        self._stream: Stream | None = None
        events = environment.events
        events.test_start.add_listener(self._begins)
        events.test_stop.add_listener(self._ends)
        if isinstance(environment.runner, WorkerRunner):
            events.report_to_master.add_listener(self._reports)
        if isinstance(environment.runner, MasterRunner):
            events.worker_report.add_listener(self._hears)

    @property
    def pace(self) -> float:
        """Seconds from one request of a user to its next: the rate is that of all users together."""
        options = self._environment.parsed_options
        users = max(1, (options.num_users if options else None) or 1)
        rate = self.settings.bounds.rate_limit
        return users / rate if rate else 0.0

    def note(self, reader: object, exchange: Exchange) -> None:
        """Judge an exchange, count it, and tell Locust of it."""
        if self._stream is None:
            self._stream = Stream(self._told(exchange))
        noted = self._stream.judge(id(reader), exchange)
        runner = self._environment.runner
        self._gathering.note(exchange, noted, runner.user_count if runner else 0)
        self._tell(exchange, noted)

    def _told(self, exchange: Exchange) -> Demand:
        """Return what is demanded: of AUTO what the first answer shows."""
        if self.demand.dialect is Dialect.AUTO:
            self.demand = judge([exchange], Dialect.AUTO, only=()).demand
        return self.demand

    def _tell(self, exchange: Exchange, noted: Noted) -> None:
        request, response = exchange.request, exchange.response
        broken = [clause for clause, _ in noted.broken if self._fails(clause)]
        failure: Breach | None = None
        if exchange.problem is not None:
            failure = Breach(f"no answer: {exchange.problem.fault.value}")
        elif broken:
            failure = Breach(f"{broken[0]}: {BY_ID[broken[0]].title}")
        elif response is not None and response.status != 200:
            failure = Breach(f"answered {response.status}")
        environment = self._environment
        environment.events.request.fire(
            request_type=request.method, name=self.settings.queue_path, response_time=(exchange.elapsed or 0.0) * 1000,
            response_length=0 if response is None else len(response.content), exception=failure, context={},
            start_time=exchange.started, url=request.url, response=None,
        )  # fmt: skip
        for clause in broken[1:]:  # beside the first: rows of the table, not further requests
            _count(environment, request.method, self.settings.queue_path, f"{clause}: {BY_ID[clause].title}")

    def _fails(self, clause: str) -> bool:
        level = BY_ID[clause].level_in(self.demand)
        return level is Level.MUST or (level is Level.SHOULD and self.settings.fail_on_should)

    def report(self) -> Report:
        """Return the report on all that was seen."""
        self.tally += self._gathering.tally()
        self._gathering = Gathering(self.settings.redact_workflows)
        end = self.end or time.time()
        return report_on_load(
            self.tally, self.settings, self.demand, start=self.start, end=end, stopped=self._cut_short(end)
        )

    def _cut_short(self, end: float) -> str | None:
        """Say so where a run ended long before its time."""
        options = self._environment.parsed_options
        wanted = float(options.run_time or 0) if options and options.headless else 0.0
        lasted = end - self.start
        return f"after {lasted:.0f} of {wanted:.0f} s" if lasted < wanted - SLACK else None

    # --- what Locust calls ------------------------------------------------------------------------

    def _begins(self, **_: Any) -> None:
        self.start, self.end = time.time(), None
        runner = self._environment.runner
        if runner is not None and not isinstance(runner, WorkerRunner):
            gevent.spawn_later(LONGEST, runner.quit)

    def _ends(self, **_: Any) -> None:
        self.end = time.time()

    def _reports(self, data: dict[str, Any], **_: Any) -> None:
        data[DATA] = encode(self._gathering.tally())
        self._gathering = Gathering(self.settings.redact_workflows)

    def _hears(self, data: dict[str, Any], **_: Any) -> None:
        if DATA in data:
            self.tally += decode(data[DATA])


def _count(environment: Environment, method: str, name: str, told: str) -> None:
    errors = environment.stats.errors
    key = StatsError.create_key(method, name, told)
    errors.setdefault(key, StatsError(method, name, told)).occurred()
