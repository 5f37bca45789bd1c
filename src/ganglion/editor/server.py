"""The server of a standalone editor: one page, one WebSocket, only for this machine and who has the token."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from .bundle import FILES, INDEX, asset
from .hub import Hub
from .limits import LIMITS, RATE
from .messages import Malformed

HOST = "127.0.0.1"
WATCH = 0.5
"""Seconds between two looks at whether the circuit was changed in Python."""
QUEUE = 1000
"""Messages that wait for a page; a page that does not read them is cut off, and resyncs when it is back."""


class Server:
    """Serves a hub on a free port of this machine, in a thread of its own.

    Args:
        hub: what is served.
        port: 0 for a free one.

    Raises:
        OSError: the port is taken.

    Example:
        >>> server = Server(hub)
        >>> print(server.url)
        >>> server.close()
    """

    def __init__(self, hub: Hub, port: int = 0) -> None:
        self.hub = hub
        self.token = secrets.token_urlsafe(24)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, f"port {port} cannot be had: {error.strerror}") from None
        self.port = int(self._socket.getsockname()[1])
        routes = [
            Route("/", self._index),
            Route("/{name:str}", self._asset),
            WebSocketRoute("/session", self._session),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes, lifespan=self._watching),
            log_level="error",
            ws="websockets-sansio",
            ws_max_size=LIMITS["frame"],
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="ganglion editor", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)

    @property
    def url(self) -> str:
        """The address of the page, with the token."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    def wait(self) -> None:
        """Until the server is closed, or interrupted."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.2)

    def close(self) -> None:
        """Tell every page, and stop."""
        self.hub.close()
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    @asynccontextmanager
    async def _watching(self, _: Starlette) -> AsyncIterator[None]:
        async def watch() -> None:
            while True:
                await asyncio.sleep(WATCH)
                await asyncio.to_thread(self.hub.notice)

        task = asyncio.create_task(watch())
        yield
        task.cancel()

    # Who may come in

    def _is_ours(self, connection: HTTPConnection) -> bool:
        """The request names this server as its host, and comes from no other page."""
        names = {f"{HOST}:{self.port}", f"localhost:{self.port}"}
        origin = connection.headers.get("origin")
        if connection.headers.get("host") not in names:
            return False
        return origin is None or (urlsplit(origin).scheme == "http" and urlsplit(origin).netloc in names)

    def _has_token(self, connection: HTTPConnection) -> bool:
        given = connection.query_params.get("token", "")
        return hmac.compare_digest(given.encode(), self.token.encode())

    # What is served

    async def _index(self, request: Request) -> Response:
        if not self._is_ours(request):
            return PlainTextResponse("this server is for this machine only", 403)
        # The document is no secret: a page that is loaded again has its token in the tab, not the address.
        return Response(INDEX, media_type="text/html", headers=self._headers())

    async def _asset(self, request: Request) -> Response:
        if not self._is_ours(request):
            return PlainTextResponse("this server is for this machine only", 403)
        name = request.path_params["name"]
        if name not in FILES:
            return PlainTextResponse("there is no such file", 404)
        content, media_type = asset(name)
        return Response(content, media_type=media_type, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        sockets = f"ws://{HOST}:{self.port} ws://localhost:{self.port}"
        return {
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                f"img-src 'self' blob: data:; connect-src 'self' {sockets}; worker-src 'self' blob:; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }

    async def _session(self, socket: WebSocket) -> None:
        # Closed after accepting, because a browser does not see why it was refused before.
        await socket.accept()
        if not self._is_ours(socket) or "origin" not in socket.headers:
            await socket.close(4403, "foreign origin or host")
            return
        if not self._has_token(socket):
            await socket.close(4401, "wrong token")
            return
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[str | None] = asyncio.Queue(QUEUE)

        def put(text: str | None) -> None:
            with suppress(asyncio.QueueFull):
                waiting.put_nowait(text)
                return
            while not waiting.empty():  # the page does not read: let it go, it will ask for everything
                waiting.get_nowait()
            waiting.put_nowait(None)

        def send(text: str) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(put, text)

        channel = self.hub.join(send)
        writer = asyncio.create_task(_write(socket, waiting))
        try:
            await self._read(socket, channel)
        except WebSocketDisconnect:
            pass
        finally:
            self.hub.part(channel)
            writer.cancel()

    async def _read(self, socket: WebSocket, channel: Any) -> None:
        second, count = time.monotonic(), 0
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            now = time.monotonic()
            if now - second > 1:
                second, count = now, 0
            count += 1
            if count > RATE:
                await socket.close(4408, "too many messages")
                return
            try:
                if text is None:
                    raise Malformed("messages are texts")
                await asyncio.to_thread(self.hub.receive, channel, text)
            except Malformed as error:
                await socket.close(4400, str(error)[:100])
                return


async def _write(socket: WebSocket, waiting: asyncio.Queue[str | None]) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while (text := await waiting.get()) is not None:
            await socket.send_text(text)
        await socket.close(1013, "the page reads too slowly")
