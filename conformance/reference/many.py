"""Many reference endpoints in one process, on prefixes of one port: a fleet to try things on."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from conformance.reference.server import Handler, ReferenceServer, serve


def serve_many(
    faults: Sequence[str | None], host: str = "127.0.0.1", port: int = 0, *, period: float | None = None
) -> ReferenceServer:
    """Return a server of an endpoint for each entry, which is the name of its fault, or None for a conforming one.

    Endpoint n is at ``/n`` below the URL of the server. None shares a queue, ids of jobs, or its count of reads with
    another. A fault that needs a key enforces ``server.KEY``. ``period`` is in seconds from one new job to the next.
    Raises Unservable for a name that there is not.
    """
    answers: dict[str, Handler] = {
        str(number): serve(fault=fault, queue_path=f"/{number}/api/queue", period=period, seed=number).handle
        for number, fault in enumerate(faults)
    }
    nowhere = serve(queue_path="").handle  # no path is empty

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        number = request.raw_path.partition("?")[0].removeprefix("/").partition("/")[0]
        return await answers.get(number, nowhere)(request)

    return ReferenceServer(handle, host, port)
