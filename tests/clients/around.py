"""A small ComfyUI around the queue of a reference endpoint: what clients ask for on their way to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import Queue
from typing import Any, Final

import httpx
from aiohttp import web

OF_THE_CONNECTION: Final = {"connection", "content-length", "content-encoding", "transfer-encoding"}


class Around:
    """What was asked of a server of ``around``: requests, as ``METHOD PATH``, and client ids of WebSockets."""

    url: str

    def __init__(self, client: httpx.AsyncClient, prompt_id: str) -> None:
        self._client, self._prompt_id = client, prompt_id
        self.asked: list[str] = []
        self.sessions: list[str] = []

    def app(self) -> web.Application:
        """Return what serves."""
        app = web.Application()
        app.router.add_get("/queue", self._queue)
        app.router.add_post("/prompt", self._prompt)
        app.router.add_get("/history", self._history)
        app.router.add_get("/history/{prompt_id}", self._history)
        app.router.add_get("/ws", self._socket)
        return app

    def _note(self, request: web.Request) -> None:
        self.asked.append(f"{request.method} {request.path}")

    async def _queue(self, request: web.Request) -> web.Response:
        self._note(request)
        answer = await self._client.get("/api/queue", headers={"Accept": request.headers.get("Accept", "*/*")})
        kept = {name: value for name, value in answer.headers.items() if name not in OF_THE_CONNECTION}
        return web.Response(status=answer.status_code, headers=kept, body=answer.content)

    async def _prompt(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.json_response({"prompt_id": self._prompt_id, "number": 0, "node_errors": {}})

    async def _history(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.json_response({})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        self._note(request)
        self.sessions.append(request.query.get("clientId", ""))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        event: dict[str, Any] = {"type": "execution_interrupted", "data": {"prompt_id": self._prompt_id}}
        await socket.send_json(event)
        async for _ in socket:
            pass
        return socket


@contextmanager
def around(behind: str, prompt_id: str) -> Iterator[Around]:
    """Run a server on a free port of loopback.

    ``GET /queue`` is answered as the endpoint at ``behind`` answers ``GET /api/queue``. A prompt that is posted gets
    the id ``prompt_id``, and a client that opens the WebSocket gets a message that this job was interrupted.
    """
    started: Queue[tuple[Around, Callable[[], object]]] = Queue()

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        async with httpx.AsyncClient(base_url=behind, trust_env=False) as client:
            made = Around(client, prompt_id)
            runner = web.AppRunner(made.app(), access_log=None, shutdown_timeout=0.05)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            made.url = "http://{}:{}".format(*runner.addresses[0])
            started.put((made, partial(loop.call_soon_threadsafe, stop.set)))
            await stop.wait()
            await runner.cleanup()

    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(asyncio.run, serve())
        made, stop = started.get(timeout=60)
        try:
            yield made
        finally:
            stop()
        served.result()
