"""Many reference endpoints in one process, on different paths of one port, to test checks of many targets."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from conformance.reference.server import Handler, ReferenceServer, serve


def serve_many(
    faults: Sequence[str | None], host: str = "127.0.0.1", port: int = 0, *, period: float | None = None
) -> ReferenceServer:
    """Return a server with one endpoint for each entry: the name of a fault, or None for a conforming endpoint.

    The endpoint of entry n (from 0) is at ``/n`` below the server's URL. Endpoints share no queue, job ids or counters.
    A fault that needs a key uses ``server.KEY``. ``period`` is in seconds from one new job to the next. Raises
    Unservable if a name is unknown.
    """
    answers: dict[str, Handler] = {
        str(number): serve(fault=fault, queue_path=f"/{number}/api/queue", period=period, seed=number).handle
        for number, fault in enumerate(faults)
    }
    nowhere = serve(queue_path="").handle  # the path is never empty

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        number = request.raw_path.partition("?")[0].removeprefix("/").partition("/")[0]
        return await answers.get(number, nowhere)(request)

    return ReferenceServer(handle, host, port)
