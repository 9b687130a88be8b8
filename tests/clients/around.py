"""A small ComfyUI around the queue of a reference endpoint: what clients ask for on their way to it."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Any, Final, Self

import httpx
from aiohttp import web

OF_THE_CONNECTION: Final = {"connection", "content-length", "content-encoding", "transfer-encoding"}


class Around:
    """A server on a free port of loopback, while entered; ``url`` is its base.

    ``GET /queue`` is answered as the endpoint at ``behind`` answers ``GET /api/queue``. A prompt that is posted gets
    the id ``prompt_id``, and who opens the WebSocket is told that this job was interrupted. ``asked`` holds the
    requests, as ``METHOD PATH``, and ``sessions`` the client ids of WebSockets.
    """

    url: str

    def __init__(self, behind: str, prompt_id: str) -> None:
        self._behind, self._prompt_id = behind, prompt_id
        self.asked: list[str] = []
        self.sessions: list[str] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="around", daemon=True)
        self._up = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._up.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_get("/queue", self._queue)
        app.router.add_post("/prompt", self._prompt)
        app.router.add_get("/history", self._history)
        app.router.add_get("/history/{prompt_id}", self._history)
        app.router.add_get("/ws", self._socket)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        self.url = f"http://{host}:{port}"
        async with httpx.AsyncClient(base_url=self._behind, trust_env=False) as self._client:
            self._up.set()
            await self._stop.wait()
            await runner.cleanup()

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
