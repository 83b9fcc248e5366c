"""Serves every misbehaviour, each theme on a loopback address of its own."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.mockserver import (  # noqa: F401  # each registers its misbehaviours
    codings,
    cookies,
    documents,
    feeds,
    files,
    framing,
    good,
    heads,
    links,
    redirects,
    robots,
    slow,
    statuses,
    traps,
)
from tests.mockserver.table import Misbehaviour, Theme, linked
from tests.mockserver.wire import Hit, Wire, read_request

FRONT = "127.0.0.1"
INNER = ("127.0.0.249", "127.0.0.250")
"""Where links and redirects of every spelling lead that nobody may follow."""


class MockServer:
    """All hosts, one port; `log` is what was heard. Its front page links to what is asserted."""

    def __init__(self) -> None:
        self.log: list[Hit] = []
        self.port = 0
        self._hits: Counter[tuple[str, str]] = Counter()
        self._closing = asyncio.Event()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for host in dict.fromkeys([FRONT, *INNER, *(host for host, _ in Theme.known)]):
            listener = socket.create_server((host, self.port), backlog=512)
            self.port = listener.getsockname()[1]
            self._servers.append(
                await asyncio.start_server(self._serve, sock=listener, limit=8_000_000)
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, host: str = FRONT, path: str = "/") -> str:
        """Return the absolute URL of a path."""
        return f"http://{host}:{self.port}{path}"

    def hits(self, host: str, path: str) -> int:
        """Return how often a path was asked for."""
        return self._hits[host, path]

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._converse(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        keep, served = True, 0
        while keep and (hit := await read_request(reader, host)) is not None:
            self.log.append(hit)
            path = hit.target.partition("?")[0]
            self._hits[host, path] += 1
            wire = Wire(
                hit,
                writer=writer,
                closing=self._closing,
                hits=self._hits[host, path],
                served=served,
                port=self.port,
            )
            await self._answer(host, path, wire)
            keep, served = wire.keep, served + 1

    async def _answer(self, host: str, path: str, wire: Wire) -> None:
        entry = Theme.known.get((host, path)) or _of_folder(host, path)
        if host == FRONT and path == "/":
            urls = [self.url(entry.host, entry.path) for entry in linked()]
            anchors = "".join(f'<a href="{url}">x</a>\n' for url in urls)
            await wire.page(anchors)
        elif entry is not None:
            await entry.answer(wire)
        else:
            await wire.answer(b"no such page", status="404 Not Found")


def _of_folder(host: str, path: str) -> Misbehaviour | None:
    """Return what serves everything below a path that ends in a slash."""
    while len(path) > 1:
        path = path.rpartition("/")[0]
        if (entry := Theme.known.get((host, path + "/"))) is not None:
            return entry
    return None
