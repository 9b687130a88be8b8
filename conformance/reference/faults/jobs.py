"""Faults of the queue as a whole: the envelope, the order of jobs, and changes from one response to the next."""

from __future__ import annotations

import json
from typing import Any, Final

from conformance.reference.faults.registry import add, every, lists
from conformance.reference.message import IncomingRequest, Twist, items, verbatim
from conformance.reference.queue import Queue, QueueItem

# --- the envelope -----------------------------------------------------------------------------------------------------


@lists("envelope.object")
def bare_list(queue: Queue, _ask: IncomingRequest) -> object:
    """The body is an array of items."""
    return items(queue)


@lists("envelope.object")
def null_body(_queue: Queue, _ask: IncomingRequest) -> object:
    """The body is null."""
    return None


@lists("envelope.object")
def object_as_text(queue: Queue, _ask: IncomingRequest) -> object:
    """The body is a string that contains the JSON."""
    return json.dumps(queue)


@lists("envelope.not-an-error")
def error_as_200(_queue: Queue, _ask: IncomingRequest) -> object:
    """The status is 200, but the body is an ErrorResponse."""
    return {"code": "INTERNAL", "message": "Something went wrong."}


@lists("envelope.not-an-error", when=every(7))
def error_as_200_every_7th_answer(_queue: Queue, _ask: IncomingRequest) -> object:
    """Every seventh response has status 200 and an ErrorResponse as its body."""
    return {"code": "INTERNAL", "message": "Something went wrong."}


@lists("envelope.both-lists", inconclusive=True)
def wrapped_in_an_envelope(queue: Queue, _ask: IncomingRequest) -> object:
    """The queue is inside another object, next to a numeric success code."""
    return {"code": 0, "message": "success", "data": queue}


@lists("envelope.both-lists", inconclusive=True)
def wrapped_in_a_result(queue: Queue, _ask: IncomingRequest) -> object:
    """The queue is the member result of an object that also has an error member without an error."""
    return {"error": "none", "code": "OK", "message": "done", "result": queue}


@lists("envelope.queue-running.array")
def running_is_null(queue: Queue, _ask: IncomingRequest) -> object:
    """The list of running jobs is null."""
    return queue | {"queue_running": None}


@lists("envelope.queue-running.array")
def running_as_object(queue: Queue, _ask: IncomingRequest) -> object:
    """Running jobs are members of an object, named by their ids."""
    return queue | {"queue_running": {item[1]: item for item in queue["queue_running"]}}


@lists("envelope.queue-pending.array")
def pending_is_null(queue: Queue, _ask: IncomingRequest) -> object:
    """The list of pending jobs is null."""
    return queue | {"queue_pending": None}


@lists("envelope.queue-pending.array")
def pending_as_count(queue: Queue, _ask: IncomingRequest) -> object:
    """The member queue_pending is the number of pending jobs instead of a list."""
    return queue | {"queue_pending": len(queue["queue_pending"])}


@lists("envelope.queue-pending.array", variant="nothing-waits")
def null_when_nothing_waits(queue: Queue, _ask: IncomingRequest) -> object:
    """The list of pending jobs is null if it is empty."""
    return queue | {"queue_pending": None}


@lists("envelope.both-lists")
def no_running_list(queue: Queue, _ask: IncomingRequest) -> object:
    """The list of running jobs is missing."""
    return {"queue_pending": queue["queue_pending"]}


@lists("envelope.both-lists", variant="nothing-waits")
def no_list_when_nothing_waits(queue: Queue, _ask: IncomingRequest) -> object:
    """The list of pending jobs is missing if it is empty."""
    return {"queue_running": queue["queue_running"]}


# --- order and identity -----------------------------------------------------------------------------------------------


def _renumbered(queue: Queue, pending: list[QueueItem]) -> Queue:
    """Return the queue with ``pending`` as its pending jobs.

    They are numbered by position, so that only their order is wrong.
    """
    first = len(queue["queue_running"]) + 1
    return queue | {"queue_pending": [[number, *item[1:]] for number, item in enumerate(pending, first)]}


@lists("queue.pending.oldest-first")
def newest_first(queue: Queue, _ask: IncomingRequest) -> object:
    """Pending jobs are listed newest first."""
    return _renumbered(queue, queue["queue_pending"][::-1])


@lists("queue.pending.oldest-first", variant="standing-still")
def heap_order(queue: Queue, _ask: IncomingRequest) -> object:
    """Pending jobs are in the order of ComfyUI's heap."""
    pending = queue["queue_pending"]
    return _renumbered(queue, [pending[index] for index in (0, 2, 1, 5, 3, 4)])


@lists("queue.pending.oldest-first", variant="hundreds-standing-still")
def one_pair_out_of_order(queue: Queue, _ask: IncomingRequest) -> object:
    """The last two of two hundred pending jobs are in the wrong order."""
    pending = queue["queue_pending"]
    return _renumbered(queue, [*pending[:-2], pending[-1], pending[-2]])


@lists("queue.prompt-ids.distinct", variant="standing-still")
def pending_twice(queue: Queue, _ask: IncomingRequest) -> object:
    """The last pending job is listed twice."""
    pending = queue["queue_pending"]
    return _renumbered(queue, [*pending, pending[-1]])


@lists("queue.prompt-ids.distinct", variant="standing-still")
def running_and_pending(queue: Queue, _ask: IncomingRequest) -> object:
    """The running job is also listed as pending."""
    return _renumbered(queue, [*queue["queue_running"], *queue["queue_pending"]])


@lists("queue.job-numbers.distinct")
def every_number_is_one(queue: Queue, _ask: IncomingRequest) -> object:
    """All jobs have the number 1."""
    return {name: [[1, *item[1:]] for item in listed] for name, listed in queue.items()}


@lists("queue.job-numbers.rising")
def numbers_fall(queue: Queue, _ask: IncomingRequest) -> object:
    """Job numbers decrease along the pending jobs."""
    pending = queue["queue_pending"]
    numbers = [item[0] for item in reversed(pending)]
    return queue | {"queue_pending": [[number, *item[1:]] for number, item in zip(numbers, pending, strict=True)]}


# --- between responses ------------------------------------------------------------------------------------------------


@lists("reads.job-data", variant="standing-still")
def workflow_changes(queue: Queue, ask: IncomingRequest) -> object:
    """Each response shows a different colour in the workflows."""
    for item in items(queue):
        item[2]["3"]["inputs"]["color"] = ask.read
    return queue


@lists("reads.job-data", variant="standing-still")
def outputs_change(queue: Queue, ask: IncomingRequest) -> object:
    """In every other response one output node id is missing."""
    for item in items(queue):
        item[3] = item[3][: 1 + ask.read % 2]
    return queue


@lists("reads.job-data", variant="standing-still")
def create_time_moves(queue: Queue, ask: IncomingRequest) -> object:
    """The create_time of each job changes with every response."""
    for item in items(queue):
        item[4]["create_time"] += ask.read
    return queue


@lists("reads.job-data", variant="standing-still")
def create_time_at_the_start(queue: Queue, ask: IncomingRequest) -> object:
    """After the fifth response, the create_time of a job that starts changes to the time of the start."""
    if ask.read <= 5:
        return queue
    started, *pending = queue["queue_pending"]
    started[4] = {"create_time": started[4]["create_time"] + 40}
    return _renumbered(queue | {"queue_running": [started]}, pending)


def _tied(queue: Queue) -> list[QueueItem]:
    """Return the pending jobs, all with the same create_time, so that it does not show which order is right."""
    pending: list[QueueItem] = queue["queue_pending"]
    for item in pending:
        item[4]["create_time"] = pending[0][4]["create_time"]
    return pending


@lists("reads.order", variant="standing-still")
def taking_turns(queue: Queue, ask: IncomingRequest) -> object:
    """Pending jobs with the same create_time change places in every response."""
    return _renumbered(queue, _tied(queue)[:: -1 if ask.read % 2 else 1])


@lists("reads.order", variant="standing-still")
def last_becomes_first(queue: Queue, ask: IncomingRequest) -> object:
    """In every seventh response the last of the jobs with the same create_time is listed first."""
    *pending, last = _tied(queue)
    return _renumbered(queue, [last, *pending] if ask.every(7) else [*pending, last])


def _without(queue: Queue, count: int) -> dict[str, Any]:
    """Return the queue without its last ``count`` pending items."""
    return queue | {"queue_pending": queue["queue_pending"][: len(queue["queue_pending"]) - count]}


@lists("reads.steady", when=every(7), variant="standing-still")
def forgets_a_job_every_7th_read(queue: Queue, _ask: IncomingRequest) -> object:
    """Every seventh response lacks the last job."""
    return _without(queue, 1)


@lists("reads.steady", when=every(7), variant="standing-still")
def empty_every_7th_read(_queue: Queue, _ask: IncomingRequest) -> object:
    """Every seventh response shows an empty queue, as if one of several server processes had no access to the queue."""
    return {"queue_running": [], "queue_pending": []}


@lists("reads.steady", when=lambda ask: "Mozilla" in (ask.header("user-agent") or ""), variant="standing-still")
def empty_queue_to_browsers(_queue: Queue, _ask: IncomingRequest) -> object:
    """Browsers get an empty queue."""
    return {"queue_running": [], "queue_pending": []}


@lists("reads.steady", when=lambda ask: "limit=" in ask.query, variant="standing-still")
def query_limits_the_list(queue: Queue, _ask: IncomingRequest) -> object:
    """With an undeclared query parameter, the response lists fewer jobs."""
    return _without(queue, 5)


@lists("reads.steady", when=lambda ask: "csv" in (ask.header("accept") or ""), variant="standing-still")
def empty_queue_to_other_types(_queue: Queue, _ask: IncomingRequest) -> object:
    """Clients that accept CSV get an empty queue."""
    return {"queue_running": [], "queue_pending": []}


@lists("reads.safe", variant="hundreds-standing-still")
def reading_takes_a_job(queue: Queue, ask: IncomingRequest) -> object:
    """Each GET removes the oldest pending job."""
    return queue | {"queue_pending": queue["queue_pending"][ask.read :]}


# --- JSON text --------------------------------------------------------------------------------------------------------


_TEXTS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "json.finite-numbers": (
        ("nan-inside", "An input of a node is NaN.", "NaN"),
        ("infinity-inside", "An input of a node is -Infinity.", "-Infinity"),
    ),
    "json.number-range": (("number-beyond-range", "An input of a node is 1e999.", "1e999"),),
    "json.well-formed": (
        ("leading-zero", "An input of a node is 007.", "007"),
        ("number-without-fraction-digits", "An input of a node is a number that ends with its decimal point.", "1."),
        ("hexadecimal-number", "An input of a node is written as 0xFF.", "0xFF"),
        ("unknown-escape", "A string contains an escape that JSON does not define.", r'"\x41"'),
    ),
    "json.utf-8": (
        ("latin-1", "A string is encoded in ISO 8859-1.", '"caf\udce9"'),
        (
            "cesu-8",
            "An emoji is encoded as two surrogates of three bytes each.",
            '"\udced\udca0\udcbd\udced\udcb8\udc80"',
        ),
    ),
    "json.control-characters": (
        ("raw-tab", "A string contains an unescaped tab.", '"a\tb"'),
        ("raw-line-feed", "A string contains an unescaped line feed.", '"a\nb"'),
    ),
    "json.paired-surrogates": (
        ("lone-surrogate", "A string contains the escape of half a surrogate pair.", r'"cut \ud83d"'),
    ),
    "json.distinct-names": (
        ("name-twice", "An object has the same member twice with different values.", '1,"seed":2'),
        ("name-twice-by-escape", "An object has the same member twice, once written with escapes.", r'1,"\u0073eed":2'),
    ),
    "json.nesting": (
        ("nested-200-deep", "A workflow is nested two hundred levels deep.", "[" * 194 + "]" * 194),
        (
            "nested-100000-deep",
            "A workflow is nested a hundred thousand levels deep, which crashes recursive parsers.",
            "[" * 100_000 + "]" * 100_000,
        ),
    ),
}
"""By clause, the name and description of a fault, and the JSON text that it writes for an input in the last job."""


def _with_seed(text: str) -> Twist:
    """Write a text, unchanged, as the JSON of an input in the last job's workflow."""

    def change(queue: Queue, _ask: IncomingRequest) -> Queue:
        items(queue)[-1][2]["3"]["inputs"]["seed"] = verbatim(text)
        return queue

    return Twist(lists=change)


for _clause, _rows in _TEXTS.items():
    for _name, _summary, _text in _rows:
        add(_name, _summary, _clause, _with_seed(_text), variant="standing-still")
