"""The program of a worker process. It reads orders (targets to check) and writes results until its input ends.

Each message is a length in four bytes, followed by that many bytes of MessagePack: the number of the order, then the
order or its result.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import BinaryIO, Final

import msgspec

from conformance.fleet.result_lines import failed_result
from conformance.fleet.work import Assignment, Done, check

LENGTH: Final = 4
ORDERS: Final = msgspec.msgpack.Decoder(tuple[int, Assignment])
RESULTS: Final = msgspec.msgpack.Decoder(tuple[int, Done])


def message(number: int, content: Assignment | Done) -> bytes:
    """Return an order or a result as a message with its length in front."""
    body = msgspec.msgpack.encode((number, content))
    return len(body).to_bytes(LENGTH) + body


def main() -> None:
    """Read orders from standard input and write results to standard output. Other output goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asyncio.run(_serve(sys.stdin.buffer, answers))


async def _serve(orders: BinaryIO, answers: BinaryIO) -> None:
    waiting: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        while body := orders.read(int.from_bytes(orders.read(LENGTH))):
            loop.call_soon_threadsafe(waiting.put_nowait, body)
        os._exit(0)  # the parent is gone: exit at once

    threading.Thread(target=read, daemon=True).start()
    tasks: set[asyncio.Task[None]] = set()
    while True:
        task = asyncio.create_task(_answer(await waiting.get(), answers))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def _answer(body: bytes, answers: BinaryIO) -> None:
    number, order = ORDERS.decode(body)
    try:
        done = await check(order, order.environ or {})
    except Exception as error:  # noqa: BLE001 - its message may contain a key
        done = Done(failed_result(order.target, f"internal error: {type(error).__name__}"))
    left = memoryview(message(number, done))
    while left:
        left = left[answers.write(left) :]
