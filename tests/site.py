"""A fake site, in a few lines, on a real server.

async with Site() as site:
    site.page("/", links=["/a", "/b"])
    site.redirect("/old", "/a")
    site.robots("User-agent: *\\nDisallow: /b")
    ...  # ask for site.url("/"), then look at site.log
"""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.loopback import Loopback

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

HTML = "text/html; charset=utf-8"


class Hit(NamedTuple):
    """One request the site got; `time` is `time.monotonic()`, `path` is with the query."""

    time: float
    host: str
    path: str
    method: str
    headers: CIMultiDictProxy[str]
    body: bytes


class Site(Loopback):
    """Pages and misbehaviour by path, served on one port of several loopback addresses.

    A path is the request's target, query included; without `host=` it is the same on every address.
    Anything else, robots.txt too, is 404.
    """

    def __init__(
        self, hosts: Sequence[str] = ("127.0.0.1",), *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(web.Server(self._answer, access_log=None), hosts=hosts, tls=tls)
        self.log: list[Hit] = []
        self._handlers: dict[tuple[str | None, str], Handler] = {}

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [hit.path for hit in self.log]

    def page(
        self,
        path: str = "/",
        *,
        body: bytes | str | None = None,
        links: Sequence[str] = (),
        title: str = "",
        status: int = 200,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        type: str = HTML,  # noqa: A002  # as a user of the DSL calls it
        host: str | None = None,
    ) -> None:
        """Serve `body`, or a small HTML page with `title` and `links`."""
        text = _html(title or path, links) if body is None else body
        content = text.encode() if isinstance(text, str) else text
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.append(("Content-Type", type))

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(body=content, status=status, headers=pairs)

        self.handle(path, answer, host=host)

    def redirect(
        self,
        path: str,
        to: str,
        status: int = 302,
        *,
        headers: Mapping[str, str] | None = None,
        host: str | None = None,
    ) -> None:
        """Answer with a redirect to `to`, written into Location as it is."""
        self.page(
            path, body=b"", status=status, headers={"Location": to, **(headers or {})}, host=host
        )

    def robots(
        self,
        text: str,
        *,
        status: int = 200,
        type: str = "text/plain",  # noqa: A002
        host: str | None = None,
    ) -> None:
        """Serve a robots.txt."""
        self.page("/robots.txt", body=text, status=status, type=type, host=host)

    def slow(self, path: str, seconds: float, *, host: str | None = None, **page: object) -> None:
        """Serve a page as `page` does, after `seconds`."""
        self.page(path, host=host, **page)  # type: ignore[arg-type]  # handed on as they came
        soon = self._handlers[host, path]

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            await self.rest(seconds)
            return await soon(request)

        self.handle(path, answer, host=host)

    def handle(self, path: str, handler: Handler, *, host: str | None = None) -> None:
        """Serve `path` with a function from aiohttp's request to its response."""
        self._handlers[host, path] = handler

    def elsewhere(self, handler: Handler) -> None:
        """Serve with a function whatever else is asked for."""
        self._handlers[None, ""] = handler

    def asked(self, path: str, *, host: str | None = None) -> asyncio.Event:
        """Return an event that is set when `path`, which is served already, is asked for."""
        event, soon = asyncio.Event(), self._handlers[host, path]

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            event.set()
            return await soon(request)

        self.handle(path, answer, host=host)
        return event

    def raw(
        self,
        path: str,
        *pieces: bytes,
        rest: float = 0.0,
        reset: bool = False,
        host: str | None = None,
    ) -> None:
        """Write bytes to the socket, `rest` seconds between them, then close (or reset) it."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            transport = request.transport
            assert transport is not None
            for number, piece in enumerate(pieces):
                if number:
                    await self.rest(rest)
                if transport.is_closing() or self.closing.is_set():
                    break
                transport.write(piece)
            if reset:
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            else:
                transport.close()
            return web.Response()  # goes nowhere: the connection is closed

        self.handle(path, answer, host=host)

    def drip(self, path: str, *, rest: float, host: str | None = None) -> None:
        """Start an answer that never ends: one byte each `rest` seconds."""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        self.raw(path, head, *[b"x"] * 10_000, rest=rest, host=host)

    def silent(self, path: str, *, host: str | None = None) -> None:
        """Take the request and say nothing."""
        self.raw(path, b"", b"", rest=3600.0, host=host)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        body = b"".join([chunk async for chunk in request.content.iter_any()])
        path = request.raw_path
        self.log.append(
            Hit(time.monotonic(), request.host, path, request.method, request.headers, body)
        )
        address = request.host.rpartition(":")[0]
        found = (self._handlers.get(key) for key in ((address, path), (None, path), (None, "")))
        handler = next(filter(None, found), None)
        return await handler(request) if handler else web.Response(status=404, text="no such page")


def _html(title: str, links: Sequence[str]) -> str:
    anchors = "\n".join(f'<a href="{escape(link)}">{escape(link)}</a>' for link in links)
    return f"<!doctype html><title>{escape(title)}</title><h1>{escape(title)}</h1>\n{anchors}\n"
