"""Stop accepting connections before an asyncio server is closed."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

TURNS: Final = 5
"""Turns of the event loop in which an accepted connection reaches its handler. It takes one for the task that accepts
it, one for its transport, one for its protocol, and one or two to start the handler.
"""


async def stop_accepting(listener: socket.socket) -> None:
    """Accept no further connection, and wait until each accepted one has reached its handler.

    asyncio never closes a connection that it accepted just before its server was closed.
    """
    with suppress(NotImplementedError):  # the event loop of Windows accepts in another way
        asyncio.get_running_loop().remove_reader(listener)
    for _ in range(TURNS):
        await asyncio.sleep(0)
