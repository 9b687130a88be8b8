"""Random sequences of job operations: Hypothesis draws what is submitted, deleted and interrupted, and in which order.

Each sequence begins with an empty queue, and ends when all jobs have ended. Then the lifecycle clauses judge it. If one
is broken, the shortest sequence that breaks it is returned, with shell commands that repeat it.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Final

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clauses.lifecycle_remove import MALFORMED
from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, Operation
from conformance.judge.judge import judge
from conformance.judge.report import Status
from conformance.probe.client import Client
from conformance.probe.leave import Leave
from conformance.probe.requests import Ask, other
from conformance.probe.workflows import TEXT, Workflow, refused, unique

STEPS: Final = 8
"""Maximum number of operations in a sequence."""
WAITS: Final = (0.1, 0.5, 2.0)
"""How many seconds an operation ``wait`` can take."""
END: Final = 60
"""Maximum number of GETs at the end of a sequence, until its jobs have ended."""
FIRST_POLL, LAST_POLL = 0.05, 0.5
"""Seconds between two GETs at the end of a sequence, growing from the first to the second value."""
BURST: Final = 3
"""Maximum number of jobs that one operation submits."""
_JUDGED: Final = frozenset(
    clause.id
    for clause in CATALOGUE
    if clause.subject in {"lifecycle", "queue", "reads"} or clause.id.startswith("item.")
)
SUBMITTED: Final[tuple[tuple[dict[str, Any], str], ...]] = (
    ({}, ""),
    ({}, TEXT),
    ({"number": -1}, ""),
    ({"front": True}, ""),
)
"""Members of POST /api/prompt apart from the workflow, and text for the title of a node."""
SHRINKS: Final = 500
"""Maximum number of sequences that are tried to find a shorter one that breaks the same clause."""
_READ_ID: Final = """python3 -c 'import json, sys; print(json.load(sys.stdin)["prompt_id"])'"""


@dataclass(frozen=True)
class Sequence:
    """The shortest sequence that broke a clause: its steps in words, and as ``lines`` of shell commands."""

    clause: str
    steps: tuple[str, ...]
    lines: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    def __str__(self) -> str:
        """Return the steps in words, then the shell commands."""
        return "\n".join([f"{self.clause} is broken: {', then '.join(self.steps)}", *self.lines])


@dataclass
class Life:
    """One sequence while it runs: a client that may change the server, and the steps so far."""

    client: Client
    workflow: Workflow
    runner: asyncio.Runner
    jobs: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def leave(self) -> Leave:
        """The client's permission to change the server, which also records its jobs."""
        assert self.client.leave is not None
        return self.client.leave

    def submit(self, members: dict[str, Any], *, text: str = "") -> None:
        """Submit a job, and read the queue."""
        graph = unique(self.workflow, f"{self.leave.token}-{len(self.jobs) + 1}", text=text)
        body, answer = self._submitted({"prompt": graph, **members})
        named = answer.get("prompt_id")
        self.jobs.append(str(named))
        said = "".join(f", {name} {json.dumps(value)}" for name, value in members.items())
        said += ", with text from every Unicode plane" if text else ""
        self._did(f"submit job {len(self.jobs)}{said}", f"id{len(self.jobs)}=$({body} | {_READ_ID})")
        self.look()

    def submit_again(self, number: int) -> None:
        """Submit another job with the prompt_id of an earlier one."""
        if self.jobs:
            place = number % len(self.jobs)
            graph = unique(self.workflow, f"{self.leave.token}-again")
            line, _ = self._submitted({"prompt": graph, "prompt_id": self.jobs[place]}, f"$id{place + 1}")
            self._did(f"submit the prompt_id of job {place + 1} again", line)
            self.look()

    def submit_what_cannot_run(self) -> None:
        """Submit a workflow that must be refused, and read the queue."""
        line, _ = self._submitted({"prompt": refused(f"{self.leave.token}-refused")})
        self._did("submit a workflow that cannot run", line)
        self.look()

    def _submitted(self, asked: dict[str, Any], named: str = "") -> tuple[str, dict[str, Any]]:
        """Submit a prompt. Returns the shell command, and the response body if it is an object."""
        self.leave.prompts = 1
        body = json.dumps(asked, ensure_ascii=False)
        exchange = self._ask(other("submit", Operation.SUBMIT, body.encode()))
        shown = body.replace(str(asked.get("prompt_id")), named) if named else body
        taken = exchange.response is not None and exchange.response.status == 200
        found = json.loads(exchange.response.content) if taken and exchange.response else {}
        return _post(exchange, shown), found if isinstance(found, dict) else {}

    def delete(self, number: int) -> None:
        """Delete one of the submitted jobs. Does nothing if no job was submitted."""
        if self.jobs:
            place = number % len(self.jobs)
            self._manage(f"delete job {place + 1}", {"delete": [self.jobs[place]]}, f'{{"delete": ["$id{place + 1}"]}}')

    def delete_nobody(self) -> None:
        """Delete a prompt_id that no job has."""
        asked = {"delete": [self.leave.make_up_id()]}
        self._manage("delete an id that no job has", asked, json.dumps(asked))

    def clear(self, *, all_of_it: bool) -> None:
        """Send a request to clear the queue, with the value true or false."""
        body = json.dumps({"clear": all_of_it})
        self._manage(f"clear: {json.dumps(all_of_it)}", {"clear": all_of_it}, body, alone=all_of_it)

    def ask_wrongly(self) -> None:
        """Send malformed requests to delete jobs."""
        for body in MALFORMED:
            exchange = self._ask(other("malformed", Operation.MANAGE, body))
            self._did("a malformed request", _post(exchange, body.decode()))

    def _manage(self, what: str, asked: dict[str, Any], shown: str, *, alone: bool = False) -> None:
        self.look()
        if alone and not (self.leave.alone and self.leave.clear):
            return
        exchange = self._ask(other(what, Operation.MANAGE, json.dumps(asked).encode()))
        self._did(what, _post(exchange, shown))
        self.look()
        self.look()

    def interrupt(self) -> None:
        """Interrupt the running job if it belongs to this sequence; or interrupt while no job runs."""
        self.look()
        listed = self.leave.listed
        named = next((job.id for job in listed or () if not job.pending), None)
        if listed == () and self.jobs:
            named = self.jobs[0]
        if named in self.jobs and self.leave.alone:
            body = json.dumps({"prompt_id": named})
            exchange = self._ask(other("interrupt", Operation.INTERRUPT, body.encode()))
            shown = f'{{"prompt_id": "$id{self.jobs.index(str(named)) + 1}"}}'
            self._did("interrupt what runs" if listed else "interrupt while no job runs", _post(exchange, shown))
            self.look()
            self.look()

    def wait(self, seconds: float) -> None:
        """Let time pass, and read the queue from time to time."""
        self.steps.append(f"wait {seconds} s")
        self.lines.append(f"sleep {seconds}")
        for _ in range(5):
            self._sleep(seconds / 5)
            self.look()

    def compare(self) -> None:
        """Read the list of jobs and the number of remaining jobs, each between two GETs of the queue."""
        for operation in (Operation.JOBS, Operation.COUNT):
            self.look()
            self._ask(other("beside the queue", operation))
            self.look()

    def look(self) -> Exchange:
        """Read the queue."""
        return self._ask(Ask("look"))

    def end(self) -> None:
        """Read the queue until all jobs have ended."""
        self.compare()
        pause = FIRST_POLL
        for _ in range(END):
            self.look()
            if not self.leave.listed:
                break
            self._sleep(pause)
            pause = min(1.2 * pause, LAST_POLL)
        self.compare()

    def _ask(self, ask: Ask) -> Exchange:
        return self.runner.run(self.client.ask(ask))

    def _sleep(self, seconds: float) -> None:
        self.runner.run(self.client.sleep(seconds))

    def _did(self, step: str, line: str) -> None:
        self.steps.append(step)
        self.lines += [line, f"curl -sS {shlex.quote(self.client.url)}"]


def _post(exchange: Exchange, body: str) -> str:
    """Return a shell command that sends a POST. The shell replaces ``$id1`` and so on in the body."""
    quoted = shlex.quote(body) if "$id" not in body else '"' + body.replace('"', '\\"') + '"'
    return f"curl -sS -H 'Content-Type: application/json' --data-binary {quoted} {shlex.quote(exchange.request.url)}"


class Breach(Exception):
    """Raised if a sequence broke a clause."""


class Enough(BaseException):
    """Raised to stop the search.

    It derives from BaseException, because Hypothesis would take an Exception for a breach.
    """


@dataclass
class _Hunt:
    """The clauses to judge, and the shortest sequence so far that broke one."""

    begin: Callable[[], Client]
    workflow: Workflow
    dialect: Dialect
    clauses: frozenset[str]
    watch: Callable[[Life], None] | None
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    shortest: Sequence | None = None
    shrinks: int = SHRINKS

    def life(self) -> Life:
        """Begin another sequence. Raises Enough if ``SHRINKS`` sequences were tried to find a shorter one."""
        self.shrinks -= self.shortest is not None
        if self.shrinks < 0:
            raise Enough
        return Life(self.begin(), self.workflow, self.runner)

    def judge(self, life: Life) -> None:
        """Raise Breach if a sequence broke a clause."""
        ledger = life.client.ledger
        results = judge(ledger, self.dialect, only=self.clauses).results
        broken = sorted(r.id for r in results if r.status in {Status.FAIL, Status.WARN, Status.ERROR})
        if broken:
            if self.shortest is None or len(life.steps) <= len(self.shortest.steps):
                self.shortest = Sequence(broken[0], tuple(life.steps), tuple(life.lines), tuple(ledger))
            raise Breach(broken[0])


class _Lives(RuleBasedStateMachine):
    """The Hypothesis state machine that draws sequences. A subclass sets ``hunt``."""

    hunt: ClassVar[_Hunt]

    def __init__(self) -> None:
        super().__init__()
        self.life = self.hunt.life()

    def _do(self, step: Callable[[], object]) -> None:
        step()
        if self.hunt.watch is not None:
            self.hunt.watch(self.life)

    @initialize(burst=st.lists(st.sampled_from(SUBMITTED), max_size=2 * BURST))
    def fill(self, burst: list[tuple[dict[str, Any], str]]) -> None:
        self.submit(burst)

    @rule(burst=st.lists(st.sampled_from(SUBMITTED), min_size=1, max_size=BURST))
    def submit(self, burst: list[tuple[dict[str, Any], str]]) -> None:
        for priority, text in burst:
            members = {} if self.hunt.dialect is Dialect.OSS else priority
            self._do(partial(self.life.submit, members, text=text))

    @rule(number=st.integers(0, 4))
    def submit_again(self, number: int) -> None:
        self._do(lambda: self.life.submit_again(number))

    @rule()
    def submit_what_cannot_run(self) -> None:
        self._do(self.life.submit_what_cannot_run)

    @rule(number=st.integers(0, 4))
    def delete(self, number: int) -> None:
        self._do(lambda: self.life.delete(number))

    @rule()
    def delete_nobody(self) -> None:
        self._do(self.life.delete_nobody)

    @rule(all_of_it=st.booleans())
    def clear(self, *, all_of_it: bool) -> None:
        self._do(lambda: self.life.clear(all_of_it=all_of_it))

    @rule()
    def ask_wrongly(self) -> None:
        self._do(self.life.ask_wrongly)

    @rule()
    def interrupt(self) -> None:
        self._do(self.life.interrupt)

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: float) -> None:
        self._do(lambda: self.life.wait(seconds))

    def teardown(self) -> None:
        """Wait until all jobs have ended, and judge the sequence."""
        self.life.end()
        self.hunt.judge(self.life)


def shortest_breach(  # noqa: PLR0913 - one parameter for each setting
    begin: Callable[[], Client],
    workflow: Workflow,
    *,
    dialect: Dialect = Dialect.CLOUD,
    seed: int = 0,
    examples: int = 50,
    wanted: str | None = None,
    watch: Callable[[Life], None] | None = None,
) -> Sequence | None:
    """Run random sequences until one breaks a must or should clause, and return the shortest such sequence.

    ``begin`` returns a client that may change the server, whose queue must be empty. ``wanted`` is the only clause to
    judge, or None for all. ``watch`` is called after every step; if it raises an exception, this counts as a breach,
    and the exception is raised. Returns None if ``examples`` sequences break no clause.
    """
    hunt = _Hunt(begin, workflow, dialect, frozenset({wanted}) if wanted else _JUDGED, watch)
    machine = type("Lives", (_Lives,), {"hunt": hunt})
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    hypothesis.seed(seed)(machine)
    with hunt.runner, suppress(Breach, Enough, HypothesisException):
        run_state_machine_as_test(machine, settings=settings)
    return hunt.shortest
