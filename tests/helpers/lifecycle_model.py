"""Random lives of jobs: Hypothesis draws what is submitted, deleted, interrupted and waited for, and in which order.

Each sequence begins with an empty queue and is followed to its end; then the clauses on the life of jobs judge it.
Where one is broken, the shortest sequence that breaks it is what is returned, with lines for bash that do it again.
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
"""What one sequence does, at most."""
WAITS: Final = (0.1, 0.5, 2.0)
"""Seconds."""
END: Final = 60
"""Looks until a sequence is given up whose jobs do not end."""
FIRST_POLL, LAST_POLL = 0.05, 0.5
"""Seconds between two of them, growing."""
BURST: Final = 3
"""Jobs that are submitted in one step, at most."""
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
"""What stands beside a graph, and in its title."""
SHRINKS: Final = 500
"""Sequences that are spent on making one that broke a clause short."""
_READ_ID: Final = """python3 -c 'import json, sys; print(json.load(sys.stdin)["prompt_id"])'"""


@dataclass(frozen=True)
class Sequence:
    """The shortest sequence that was seen to break a clause: what it did in words, and as ``lines`` for bash."""

    clause: str
    steps: tuple[str, ...]
    lines: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    def __str__(self) -> str:
        """Say it in words, then in lines that do it again."""
        return "\n".join([f"{self.clause} is broken: {', then '.join(self.steps)}", *self.lines])


@dataclass
class Life:
    """One sequence as it is lived: a client with leave to write, and what was done so far."""

    client: Client
    workflow: Workflow
    runner: asyncio.Runner
    jobs: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def leave(self) -> Leave:
        """The client's leave to write."""
        assert self.client.leave is not None
        return self.client.leave

    def submit(self, members: dict[str, Any], *, text: str = "") -> None:
        """Submit a job, and look for it."""
        graph = unique(self.workflow, f"{self.leave.token}-{len(self.jobs) + 1}", text=text)
        body, answer = self._submitted({"prompt": graph, **members})
        named = answer.get("prompt_id")
        self.jobs.append(str(named))
        said = "".join(f", {name} {json.dumps(value)}" for name, value in members.items())
        said += ", with text of every plane" if text else ""
        self._did(f"submit job {len(self.jobs)}{said}", f"id{len(self.jobs)}=$({body} | {_READ_ID})")
        self.look()

    def submit_again(self, number: int) -> None:
        """Submit another job under the id of one that was submitted."""
        if self.jobs:
            place = number % len(self.jobs)
            graph = unique(self.workflow, f"{self.leave.token}-again")
            line, _ = self._submitted({"prompt": graph, "prompt_id": self.jobs[place]}, f"$id{place + 1}")
            self._did(f"submit the prompt_id of job {place + 1} again", line)
            self.look()

    def submit_what_cannot_run(self) -> None:
        """Submit a prompt that is to be refused."""
        line, _ = self._submitted({"prompt": refused(f"{self.leave.token}-refused")})
        self._did("submit what cannot run", line)
        self.look()

    def _submitted(self, asked: dict[str, Any], named: str = "") -> tuple[str, dict[str, Any]]:
        """Submit a prompt; return the line for bash and what was answered, where that is an object."""
        self.leave.prompts = 1
        body = json.dumps(asked, ensure_ascii=False)
        exchange = self._ask(other("submit", Operation.SUBMIT, body.encode()))
        shown = body.replace(str(asked.get("prompt_id")), named) if named else body
        taken = exchange.response is not None and exchange.response.status == 200
        found = json.loads(exchange.response.content) if taken and exchange.response else {}
        return _post(exchange, shown), found if isinstance(found, dict) else {}

    def delete(self, number: int) -> None:
        """Delete a job of those that were submitted, as far as there are so many."""
        if self.jobs:
            place = number % len(self.jobs)
            self._manage(f"delete job {place + 1}", {"delete": [self.jobs[place]]}, f'{{"delete": ["$id{place + 1}"]}}')

    def delete_nobody(self) -> None:
        """Delete an id that no job has."""
        asked = {"delete": [self.leave.make_up_id()]}
        self._manage("delete an id that nobody has", asked, json.dumps(asked))

    def clear(self, *, all_of_it: bool) -> None:
        """Clear the queue, or say that nothing is to be cleared."""
        body = json.dumps({"clear": all_of_it})
        self._manage(f"clear: {json.dumps(all_of_it)}", {"clear": all_of_it}, body, alone=all_of_it)

    def ask_wrongly(self) -> None:
        """Ask for something to be removed, in a way that is malformed."""
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
        """Interrupt what runs, if it is one of ours, or interrupt an empty queue."""
        self.look()
        listed = self.leave.listed
        named = next((job.id for job in listed or () if not job.pending), None)
        if listed == () and self.jobs:
            named = self.jobs[0]
        if named in self.jobs and self.leave.alone:
            body = json.dumps({"prompt_id": named})
            exchange = self._ask(other("interrupt", Operation.INTERRUPT, body.encode()))
            shown = f'{{"prompt_id": "$id{self.jobs.index(str(named)) + 1}"}}'
            self._did("interrupt what runs" if listed else "interrupt where nothing runs", _post(exchange, shown))
            self.look()
            self.look()

    def wait(self, seconds: float) -> None:
        """Let time go by, looking now and then."""
        self.steps.append(f"wait {seconds} s")
        self.lines.append(f"sleep {seconds}")
        for _ in range(5):
            self._sleep(seconds / 5)
            self.look()

    def compare(self) -> None:
        """Ask for the list of jobs and how many remain, between looks."""
        for operation in (Operation.JOBS, Operation.COUNT):
            self.look()
            self._ask(other("beside the queue", operation))
            self.look()

    def look(self) -> Exchange:
        """Read the queue."""
        return self._ask(Ask("look"))

    def end(self) -> None:
        """Follow what is left until it has ended."""
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
    """Return a line for bash; ``$id1`` and so on in the body are for the shell to fill in."""
    quoted = shlex.quote(body) if "$id" not in body else '"' + body.replace('"', '\\"') + '"'
    return f"curl -sS -H 'Content-Type: application/json' --data-binary {quoted} {shlex.quote(exchange.request.url)}"


class Breach(Exception):
    """A sequence broke a clause."""


class Enough(BaseException):
    """No more sequences are to be lived. Not an Exception: Hypothesis would take it for a breach."""


@dataclass
class _Hunt:
    """What is looked for, and the shortest sequence so far that showed it."""

    begin: Callable[[], Client]
    workflow: Workflow
    dialect: Dialect
    clauses: frozenset[str]
    watch: Callable[[Life], None] | None
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    shortest: Sequence | None = None
    shrinks: int = SHRINKS

    def life(self) -> Life:
        """Begin another sequence. Raises Enough where enough was spent on shortening one."""
        self.shrinks -= self.shortest is not None
        if self.shrinks < 0:
            raise Enough
        return Life(self.begin(), self.workflow, self.runner)

    def judge(self, life: Life) -> None:
        """Raise Breach where a sequence broke a clause."""
        ledger = life.client.ledger
        results = judge(ledger, self.dialect, only=self.clauses).results
        broken = sorted(r.id for r in results if r.status in {Status.FAIL, Status.WARN, Status.ERROR})
        if broken:
            if self.shortest is None or len(life.steps) <= len(self.shortest.steps):
                self.shortest = Sequence(broken[0], tuple(life.steps), tuple(life.lines), tuple(ledger))
            raise Breach(broken[0])


class _Lives(RuleBasedStateMachine):
    """Draws sequences; ``hunt`` is set by a subclass, which is all that it has of its own."""

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
        """Follow the sequence to its end, and judge it."""
        self.life.end()
        self.hunt.judge(self.life)


def shortest_breach(  # noqa: PLR0913 - each is something that a caller turns
    begin: Callable[[], Client],
    workflow: Workflow,
    *,
    dialect: Dialect = Dialect.CLOUD,
    seed: int = 0,
    examples: int = 50,
    wanted: str | None = None,
    watch: Callable[[Life], None] | None = None,
) -> Sequence | None:
    """Live sequences until one breaks a clause of level must or should, and return the shortest that does.

    ``begin`` returns a client with leave to write, of an endpoint whose queue is empty. ``wanted`` names the one
    clause that is looked for. ``watch`` is called after every step; what it raises is made short as well, and raised.
    Returns None where ``examples`` sequences broke none.
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
