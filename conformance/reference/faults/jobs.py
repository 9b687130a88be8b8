"""Faults of the queue as a whole: the envelope, the order of jobs, and changes from one response to the next."""

from __future__ import annotations

import json
from typing import Any

from conformance.reference.faults.registry import every, lists
from conformance.reference.message import IncomingRequest, items, verbatim
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


def _seed(queue: Queue, text: str) -> Queue:
    """Return the queue with ``text`` as an input in the last job's workflow. It is written into the JSON unchanged."""
    items(queue)[-1][2]["3"]["inputs"]["seed"] = verbatim(text)
    return queue


@lists("json.finite-numbers", variant="standing-still")
def nan_inside(queue: Queue, _ask: IncomingRequest) -> object:
    """An input of a node is NaN."""
    return _seed(queue, "NaN")


@lists("json.finite-numbers", variant="standing-still")
def infinity_inside(queue: Queue, _ask: IncomingRequest) -> object:
    """An input of a node is -Infinity."""
    return _seed(queue, "-Infinity")


@lists("json.number-range", variant="standing-still")
def number_beyond_range(queue: Queue, _ask: IncomingRequest) -> object:
    """An input of a node is 1e999."""
    return _seed(queue, "1e999")


@lists("json.well-formed", variant="standing-still")
def leading_zero(queue: Queue, _ask: IncomingRequest) -> object:
    """An input of a node is 007."""
    return _seed(queue, "007")


@lists("json.well-formed", variant="standing-still")
def number_without_fraction_digits(queue: Queue, _ask: IncomingRequest) -> object:
    """An input of a node is a number that ends with its decimal point."""
    return _seed(queue, "1.")


@lists("json.well-formed", variant="standing-still")
def hexadecimal_number(queue: Queue, _ask: IncomingRequest) -> object:
    """An input of a node is written as 0xFF."""
    return _seed(queue, "0xFF")


@lists("json.well-formed", variant="standing-still")
def unknown_escape(queue: Queue, _ask: IncomingRequest) -> object:
    """A string contains an escape that JSON does not define."""
    return _seed(queue, r'"\x41"')


@lists("json.utf-8", variant="standing-still")
def latin_1(queue: Queue, _ask: IncomingRequest) -> object:
    """A string is encoded in ISO 8859-1."""
    return _seed(queue, '"caf\udce9"')


@lists("json.utf-8", variant="standing-still")
def cesu_8(queue: Queue, _ask: IncomingRequest) -> object:
    """An emoji is encoded as two surrogates of three bytes each."""
    return _seed(queue, '"\udced\udca0\udcbd\udced\udcb8\udc80"')


@lists("json.control-characters", variant="standing-still")
def raw_tab(queue: Queue, _ask: IncomingRequest) -> object:
    """A string contains an unescaped tab."""
    return _seed(queue, '"a\tb"')


@lists("json.control-characters", variant="standing-still")
def raw_line_feed(queue: Queue, _ask: IncomingRequest) -> object:
    """A string contains an unescaped line feed."""
    return _seed(queue, '"a\nb"')


@lists("json.paired-surrogates", variant="standing-still")
def lone_surrogate(queue: Queue, _ask: IncomingRequest) -> object:
    """A string contains the escape of half a surrogate pair."""
    return _seed(queue, r'"cut \ud83d"')


@lists("json.distinct-names", variant="standing-still")
def name_twice(queue: Queue, _ask: IncomingRequest) -> object:
    """An object has the same member twice with different values."""
    return _seed(queue, '1,"seed":2')


@lists("json.distinct-names", variant="standing-still")
def name_twice_by_escape(queue: Queue, _ask: IncomingRequest) -> object:
    """An object has the same member twice, once written with escapes."""
    return _seed(queue, r'1,"\u0073eed":2')


@lists("json.nesting", variant="standing-still")
def nested_200_deep(queue: Queue, _ask: IncomingRequest) -> object:
    """A workflow is nested two hundred levels deep."""
    return _seed(queue, "[" * 194 + "]" * 194)


@lists("json.nesting", variant="standing-still")
def nested_100000_deep(queue: Queue, _ask: IncomingRequest) -> object:
    """A workflow is nested a hundred thousand levels deep, which crashes recursive parsers."""
    return _seed(queue, "[" * 100_000 + "]" * 100_000)
