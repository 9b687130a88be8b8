"""Mutations of conforming responses: each one breaks one clause at a random place.

This module has the registry and the conforming responses. The mutations are in ``mutations_of_queues``,
``mutations_of_text`` and ``mutations_of_messages``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from conformance.contract.terms import Dialect
from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange
from conformance.reference.message import encode, verbatim
from conformance.strategies import encoded, errors, queue_infos
from helpers.answers import HEADERS, NOW, queue, read

NOW_MS: Final = int(NOW * 1000)
JOBS: Final = 4
"""Maximum number of jobs of a queue that is mutated, so that thousands of examples are fast."""
GOOD: Final = queue()
"""A conforming response body to send before a mutated response. It has no jobs that could be compared with the mutated
ones.
"""
NAMES: Final = ("x", "", "a/b", "~", "~1", "0", "é", "😀", " ", '"', "__proto__")
"""Names of new members, some of which a JSON Pointer must escape."""

Queue = dict[str, Any]
"""A QueueInfo."""
Pointer = str | None


@dataclass(frozen=True)
class Mutated:
    """Exchanges that break one clause, and the JSON Pointer of the breach (None: not in the body)."""

    exchanges: list[Exchange]
    pointer: Pointer


Make = Callable[[st.DrawFn], Mutated]


@dataclass(frozen=True)
class Mutation:
    """A way to break ``clause``.

    ``companions`` are other clauses that the mutation may also break, each with the reason.
    """

    name: str
    clause: str
    make: Make
    dialect: Dialect = Dialect.CLOUD
    companions: Mapping[str, str] = field(default_factory=dict)

    def strategy(self) -> st.SearchStrategy[Mutated]:
        """Return a strategy for mutated responses."""
        return st.composite(self.make)()


DEEPER: Final = {"json.nesting": "the wrapped value is a level deeper, and may already have been at the maximum depth"}
"""The ``companions`` of mutations that nest a value deeper."""

MUTATIONS: Final[dict[str, Mutation]] = {}
"""All mutations by name."""


def register(clause: str, name: str, make: Make, companions: Mapping[str, str], dialect: Dialect) -> None:
    """Add a mutation. Names are unique."""
    name = f"{clause}: {name.strip('_').replace('_', ' ')}"
    assert name not in MUTATIONS, name
    MUTATIONS[name] = Mutation(name, clause, make, dialect, companions)


# --- decorators -------------------------------------------------------------------------------------------------------

InQueue = Callable[[st.DrawFn, Queue], Pointer]
"""Changes a queue in place, and returns the JSON Pointer of the breach."""
InText = Callable[[st.DrawFn, bytes], bytes]
InExchange = Callable[[st.DrawFn, Exchange], Exchange]
InError = Callable[[st.DrawFn, dict[str, Any]], Pointer]


def on_queue(
    clause: str,
    companions: Mapping[str, str] | None = None,
    *,
    jobs: int = 1,
    pending: int = 0,
    dialect: Dialect = Dialect.CLOUD,
) -> Callable[[InQueue], InQueue]:
    """Register a mutation of a queue with at least ``jobs`` jobs, or at least ``pending`` pending jobs."""

    def decorator(change: InQueue) -> InQueue:
        def make(draw: st.DrawFn) -> Mutated:
            info = draw_queue(draw, max(jobs, pending), waiting=bool(pending))
            pointer = change(draw, info)
            return Mutated([read(encode(info))], pointer)

        register(clause, change.__name__, make, companions or {}, dialect)
        return change

    return decorator


def on_text(
    clause: str, companions: Mapping[str, str] | None = None, *, pointer: Pointer = ""
) -> Callable[[InText], InText]:
    """Register a mutation of the JSON text of a queue."""

    def decorator(change: InText) -> InText:
        def make(draw: st.DrawFn) -> Mutated:
            return Mutated([read(change(draw, draw(encoded(conforming()))))], pointer)

        register(clause, change.__name__, make, companions or {}, Dialect.CLOUD)
        return change

    return decorator


def on_read(clause: str, pointer: Pointer = None) -> Callable[[InExchange], InExchange]:
    """Register a mutation of a whole response. The mutated response follows a conforming one."""

    def decorator(change: InExchange) -> InExchange:
        def make(draw: st.DrawFn) -> Mutated:
            changed = change(draw, read(draw(encoded(conforming())), number=2))
            return Mutated([read(GOOD), changed], pointer)

        register(clause, change.__name__, make, {}, Dialect.CLOUD)
        return change

    return decorator


def on_error(
    clause: str, statuses: tuple[int, ...] = (400, 500), companions: Mapping[str, str] | None = None
) -> Callable[[InError], InError]:
    """Register a mutation of an ErrorResponse. The mutated response follows a conforming response with a queue."""

    def decorator(change: InError) -> InError:
        def make(draw: st.DrawFn) -> Mutated:
            body = draw(errors())
            pointer = change(draw, body)
            return Mutated([read(GOOD), error_response(draw(st.sampled_from(statuses)), body)], pointer)

        register(clause, change.__name__, make, companions or {}, Dialect.CLOUD)
        return change

    return decorator


def on_run(clause: str) -> Callable[[Make], Make]:
    """Register a mutation that makes all its exchanges itself."""

    def decorator(make: Make) -> Make:
        register(clause, make.__name__, make, {}, Dialect.CLOUD)
        return make

    return decorator


# --- conforming responses ---------------------------------------------------------------------------------------------


_POOL: Final[list[Queue]] = []


def fill_pool(queues: int) -> None:
    """Draw the queues to mutate once, in advance, so that an example only draws a place and a change, which is fast."""

    @settings(max_examples=queues, phases=[Phase.generate])
    @given(queue_infos(now=NOW_MS, max_jobs=1) | queue_infos(now=NOW_MS, min_jobs=2, max_jobs=JOBS))
    def fill(info: Queue) -> None:
        _POOL.append(info)

    if not _POOL:
        fill()


@cache
def conforming(jobs: int = 0) -> st.SearchStrategy[Queue]:
    """Return a strategy for queues with at least ``jobs`` jobs. The queues are shared and must not be changed."""
    return st.sampled_from([info for info in _POOL if len(all_jobs(info)) >= jobs])


def draw_queue(draw: st.DrawFn, jobs: int = 0, *, waiting: bool = False) -> Queue:
    """Draw a queue with at least ``jobs`` jobs. The caller may change it.

    With ``waiting``, all its jobs are pending.
    """
    info = deepcopy(draw(conforming(jobs)))
    if waiting:
        listed = sorted((job for _, job in all_jobs(info)), key=lambda job: job[4]["create_time"])
        for number, job in enumerate(listed, draw(st.integers(1, 2**52))):
            job[0] = number
        info |= {"queue_running": [], "queue_pending": listed}
    return info


def error_response(status: int, body: object, *, number: int = 2) -> Exchange:
    """Return a GET with an error response that has every header field such a response needs."""
    fields = (("Retry-After", "30"), ("WWW-Authenticate", "ApiKey"), ("Allow", "GET"))
    return read(encode(body), number=number, status=status, headers=(*HEADERS, *fields))


def with_request(exchange: Exchange, *fields: tuple[str, str], accept: str | None = "application/json") -> Exchange:
    """Return an exchange whose request has these header fields."""
    headers = (*((("Accept", accept),) if accept is not None else ()), *fields)
    return replace(exchange, request=replace(exchange.request, headers=headers))


def with_response(
    exchange: Exchange, status: int | None = None, content: bytes | None = None, **fields: str | None
) -> Exchange:
    """Return an exchange whose response has another status or body, and other header fields (None removes one)."""
    response = exchange.response
    assert response is not None
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    kept: Headers = tuple(pair for pair in response.headers if pair[0].lower() not in named)
    added = tuple((name, value) for name, value in named.items() if value is not None)
    response = replace(
        response,
        status=response.status if status is None else status,
        headers=kept + added,
        content=response.content if content is None else content,
    )
    return replace(exchange, response=response)


# --- choosing a place -------------------------------------------------------------------------------------------------


def all_jobs(info: Queue) -> list[tuple[str, list[Any]]]:
    """Return all jobs with their JSON Pointers, running jobs first."""
    return [
        (f"/{name}/{index}", job)
        for name in ("queue_running", "queue_pending")
        for index, job in enumerate(info.get(name) or [])
    ]


def a_job(draw: st.DrawFn, info: Queue) -> tuple[str, list[Any]]:
    """Draw one of the jobs, with its JSON Pointer."""
    found: tuple[str, list[Any]] = draw(st.sampled_from(all_jobs(info)))
    return found


def neighbours(draw: st.DrawFn, info: Queue) -> tuple[str, list[Any], list[Any]]:
    """Draw two successive pending jobs. Returns the JSON Pointer of the later one, the earlier and the later job."""
    pending = info["queue_pending"]
    later = draw(st.integers(1, len(pending) - 1))
    return f"/queue_pending/{later}", pending[later - 1], pending[later]


def is_graph(value: object) -> bool:
    """Whether a workflow is in API format."""
    return isinstance(value, dict) and any(isinstance(node, dict) and "class_type" in node for node in value.values())


def a_graph(draw: st.DrawFn, info: Queue) -> tuple[str, list[Any]]:
    """Draw a job, and give it a workflow in API format if it has another one."""
    place, job = a_job(draw, info)
    if not is_graph(job[2]):
        names = draw(st.lists(st.sampled_from(NAMES[2:]), min_size=1, max_size=3, unique=True))
        job[2] = {name: {"class_type": "SaveImage", "inputs": {}} for name in names}
        job[3] = names
    return place, job


def open_objects(info: Queue) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects that may have further members, with their JSON Pointers: all except workflows in API format."""
    graphs = [id(job[2]) for _, job in all_jobs(info) if is_graph(job[2])]
    stack: list[tuple[str, Any]] = [("", info)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict):
            if id(value) not in graphs:
                yield place, value
            stack += [(f"{place}/{token(name)}", member) for name, member in value.items()]
        elif isinstance(value, list):
            stack += [(f"{place}/{index}", member) for index, member in enumerate(value)]


def token(name: str) -> str:
    """Return a member name as it is written in a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def new_name(draw: st.DrawFn, members: Mapping[str, Any]) -> str:
    """Draw a name that no member has."""
    name = draw(st.sampled_from(NAMES))
    while name in members:
        name += "_"
    return name


def an_object(draw: st.DrawFn, info: Queue) -> tuple[str, dict[str, Any]]:
    """Draw an object that may have further members, with its JSON Pointer."""
    found: tuple[str, dict[str, Any]] = draw(st.sampled_from(list(open_objects(info))))
    return found


def put(draw: st.DrawFn, info: Queue, text: str) -> tuple[str, str]:
    """Add a member whose value is this JSON text to a random object. Returns the JSON Pointers of object and member."""
    place, members = an_object(draw, info)
    name = new_name(draw, members)
    members[name] = verbatim(text)
    return place, f"{place}/{token(name)}"
