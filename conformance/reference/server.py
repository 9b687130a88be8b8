"""Serve the reference endpoint on loopback in a thread."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import chain
from types import TracebackType
from typing import Final, Self, TypeVar

from aiohttp import web

from conformance.problems import UsageProblem
from conformance.reference.app import Reference, handler
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.listener import stop_accepting
from conformance.reference.variants import VARIANTS, Variant
from conformance.text.suggest import did_you_mean

KEY: Final = "reference-key-a1b2c3"
"""The key that the endpoint requires if its variant or fault needs a key and the caller gives none."""


T = TypeVar("T")
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_SILENT: Final = logging.getLogger("conformance.reference")
_SILENT.disabled = True  # malformed requests get a 400 and are not logged


class Unservable(UsageProblem, ValueError):
    """The variant or fault is unknown, or does not fit the other settings."""


class ReferenceServer:
    """A server that runs inside a ``with`` block. ``url`` and ``port`` are known once the block is entered."""

    url: str
    port: int

    def __init__(self, handle: Handler, host: str, port: int, prefix: str = "") -> None:
        self.handle = handle
        self._host, self._wanted_port, self._prefix = host, port, prefix
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="reference", daemon=True)
        self._up = threading.Event()

    def __enter__(self) -> Self:
        # Bind here and not in the thread, so that the caller gets the OSError of a used port.
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._socket = socket.create_server((self._host, self._wanted_port), family=family)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self.port}{self._prefix}"
        self._thread.start()
        self._up.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        # An endless response must end when the server stops or the client disconnects.
        server = web.Server(self.handle, access_log=None, logger=_SILENT, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=0.05)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        self._up.set()
        await self._stop.wait()
        await stop_accepting(self._socket)
        await runner.cleanup()


class Endpoint(ReferenceServer):
    """A reference endpoint that runs inside a ``with`` block.

    ``url`` does not include the path of the queue; ``key`` is the required key, or None.
    """

    def __init__(self, reference: Reference, host: str, port: int, prefix: str) -> None:
        super().__init__(handler(reference), host, port, prefix)
        self.reference = reference
        self.key = reference.key


def serve(  # noqa: PLR0913 - one parameter for each setting
    variant: str = "default",
    fault: str | None = None,
    key: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    queue_path: str = "/api/queue",
    period: float | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.time,
    bodies: Iterator[bytes] | None = None,
    generate: int | None = None,
) -> Endpoint:
    """Return an endpoint as a context manager.

    ``variant`` and ``fault`` are names. If the variant is the default, a fault uses its own variant, which shows the
    fault. If the variant or the fault needs a key and none is given, the key is ``KEY``. ``period`` is in seconds from
    one new job to the next. ``clock`` returns seconds since the epoch.

    ``bodies`` must be endless. They are sent in turn instead of the queue. ``generate`` is the seed of random
    conforming bodies (see ``generated``; raises ModuleNotFoundError without Hypothesis). Raises Unservable if a name is
    unknown, or if the variant or fault would change a queue that is not served.
    """
    broken = None if fault is None else _look_up("fault", fault, FAULTS)
    ground = _look_up("variant", broken.variant if broken and variant == "default" else variant, VARIANTS)
    changes: tuple[Variant | Fault | None, ...] = (ground, broken)
    for each in changes if bodies is not None or generate is not None else ():
        if (
            each is not None and each.twist.lists and each.dialect == "cloud"
        ):  # the "oss" variant only changes the order of bodies
            kind = "fault" if isinstance(each, Fault) else "variant"
            other = f"--{kind} {each.name} cannot be combined with --generate"
            if generate is None:
                other = f"{kind} {each.name} cannot be combined with answers"
            raise Unservable(f"{other}: the {kind} changes the jobs, but generated responses replace them")
    if generate is not None:
        from conformance.reference import generated

        drawn = generated.answers(generate, "oss" if ground.dialect == "oss" else "cloud")
        bodies = chain([next(drawn)], drawn)  # the first one takes longest, because Hypothesis builds its tables
    if key is None and (ground.needs_key or (broken and broken.needs_key)):
        key = ground.key or KEY
    path = ground.prefix + queue_path
    reference = Reference(ground, broken, path=path, key=key, period=period, seed=seed, clock=clock, bodies=bodies)
    return Endpoint(reference, host, port, ground.prefix)


def _look_up(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise Unservable(f"no {what} {name!r}{did_you_mean(name, known)}; --list shows all")
    return known[name]
