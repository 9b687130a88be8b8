"""The connection of a user under load: a broken response is reported, and a POST is sent once, with permission."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import repeat

import gevent
import pytest

from conformance.exchange.model import NoResponse
from conformance.load.client import Connection
from conformance.probe.jobs import submit
from conformance.probe.leave import Leave
from conformance.probe.limits import Bounds
from conformance.probe.requests import Ask
from conformance.run.settings import Settings

READ = Ask("read")
GOOD = b'{"queue_running":[],"queue_pending":[]}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(GOOD), GOOD)
BOUNDS = Bounds(exchange_timeout=60, connect_timeout=60, max_body=1000)
IMPATIENT = Bounds(exchange_timeout=0.3, connect_timeout=60)


class Scripted:
    """Answers each connection with the next of some texts, and closes it; None waits for the client to go."""

    def __init__(self, *answers: bytes | None) -> None:
        self.heard: list[bytes] = []
        self._answers = answers

    def serve(self, listening: socket.socket) -> None:
        for answer in self._answers:
            try:
                peer, _ = listening.accept()
            except OSError:  # the test is over
                return
            with peer, suppress(OSError):  # the client may have given up
                self.heard.append(peer.recv(1 << 16))
                if answer is None:
                    peer.recv(1)
                else:
                    peer.sendall(answer)


@contextmanager
def connected(scripted: Scripted, bounds: Bounds = BOUNDS) -> Iterator[Connection]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=scripted.serve, args=(listening,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        connection = Connection(Settings(target=url, bounds=bounds))
        try:
            yield connection
        finally:
            connection.close()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


LATE = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b" " * 4000


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (LATE, NoResponse.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", NoResponse.BROKEN),
        (b"this is no HTTP\r\n\r\n", NoResponse.BROKEN),
    ],
    ids=["too large", "cut off", "no HTTP"],
)
def test_after_what_brought_no_answer_the_next_request_is_answered(answer: bytes, fault: NoResponse) -> None:
    with connected(Scripted(answer, OK)) as connection:
        first, second = connection.send(READ), connection.send(READ)
    assert first.problem is not None
    assert first.problem.fault is fault
    assert second.response is not None
    assert second.response.content == GOOD


def test_after_a_request_without_an_answer_a_later_one_is_answered() -> None:
    with connected(Scripted(None, *repeat(OK, 100)), IMPATIENT) as connection:
        first = connection.send(READ)
        later = (connection.send(READ) for _ in range(100))  # on a busy machine some of them take too long as well
        answered = next(exchange.response for exchange in later if exchange.response is not None)
    assert first.problem is not None
    assert first.problem.fault is NoResponse.TIMEOUT
    assert answered.content == GOOD


def prompt(leave: Leave) -> Ask:
    return submit("a job", {"1": {"class_type": "X", "_meta": {"title": leave.token}}})


def test_what_writes_is_sent_once_where_its_answer_does_not_come() -> None:
    scripted = Scripted(b"", OK)
    with connected(scripted) as connection:
        leave = connection.leave = Leave(prompts=1)
        lost, read = connection.send(prompt(leave)), connection.send(READ)
    assert lost.problem is not None
    assert leave.unanswered == 1
    assert read.response is not None
    assert [heard.split(b" ", 1)[0] for heard in scripted.heard] == [b"POST", b"GET"]


def test_what_writes_goes_to_its_own_path_with_its_body() -> None:
    answer = b'{"prompt_id":"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"}'
    scripted = Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
    with connected(scripted) as connection:
        leave = connection.leave = Leave(prompts=1)
        connection.send(prompt(leave))
    head, _, body = scripted.heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/prompt HTTP/1.1\r\n")
    assert leave.token in json.loads(body)["prompt"]["1"]["_meta"]["title"]
    assert list(leave.own) == ["2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"]


def test_without_leave_nothing_is_sent_that_writes() -> None:
    scripted = Scripted(OK)
    with connected(scripted) as connection:
        with pytest.raises(ValueError, match="is not a read-only method"):
            connection.send(prompt(Leave(prompts=1)))
        connection.send(READ)
    assert [heard.split(b" ", 1)[0] for heard in scripted.heard] == [b"GET"]


def test_a_user_who_is_stopped_while_a_prompt_is_on_its_way_does_not_forget_it() -> None:
    with connected(Scripted(None)) as connection:
        leave = connection.leave = Leave(prompts=1)
        user = gevent.spawn(connection.send, prompt(leave))
        gevent.sleep(0)
        user.kill()
    assert leave.unanswered == 1
