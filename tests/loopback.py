"""A server on loopback addresses, which leaves nothing behind."""

import asyncio
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, Self

Talk = Callable[[StreamReader, StreamWriter], Awaitable[None]]

_PATIENCE = 1.0
"""Seconds that what goes on has to end by itself."""


class Served(Protocol):
    """Makes a protocol for each connection, and ends them all: `aiohttp.web.Server` is one."""

    def __call__(self) -> asyncio.BaseProtocol: ...

    def pre_shutdown(self) -> None:
        """Begin nothing any more."""

    async def shutdown(self, timeout: float | None = None) -> None:
        """End everything; after so many seconds, by force."""


class Loopback:
    """Serves on one port of some loopback addresses until its block ends."""

    def __init__(
        self,
        served: Served,
        *,
        hosts: Sequence[str] = ("127.0.0.1",),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.hosts = tuple(hosts)
        self.port = 0
        self.closing = asyncio.Event()
        """Set when the block ends."""
        self._served = served
        self._tls = tls
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for host in self.hosts:
            listener = socket.create_server((host, self.port), backlog=512)
            self.port = listener.getsockname()[1]
            self._servers.append(
                await loop.create_server(self._served, sock=listener, ssl=self._tls, backlog=512)
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closing.set()
        for server in self._servers:
            server.close()
        await asyncio.sleep(0)  # whoever was let in is there
        self._served.pre_shutdown()
        await self._served.shutdown(_PATIENCE)

    def host(self, host: str | None = None) -> str:
        """Return address:port, which is what politeness calls a host."""
        return f"{host or self.hosts[0]}:{self.port}"

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """Return the absolute URL of `path`, on the first address if not said otherwise."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{self.host(host)}{path}"

    async def rest(self, seconds: float) -> None:
        """Wait, but not beyond the server's own end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)


class Streams:
    """Calls a function with each connection, and closes it when the function returns.

    That a connection breaks ends the function in silence; what else it raises, `shutdown` raises.
    """

    def __init__(self, talk: Talk, *, limit: int = 65_536) -> None:
        self._talk = talk
        self._limit = limit
        self._over = False
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self) -> asyncio.StreamReaderProtocol:
        reader = StreamReader(self._limit)
        # `_begin` is no coroutine function: of a task of asyncio's own that is cancelled, it logs
        # "Exception in callback" (Python 3.11).
        return asyncio.StreamReaderProtocol(reader, self._begin)

    def pre_shutdown(self) -> None:
        """See `Served`."""
        self._over = True

    async def shutdown(self, timeout: float | None = None) -> None:
        """See `Served`."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)
        for task in self._tasks:
            task.cancel()
        for end in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(end, Exception):
                raise end

    def _begin(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._over:
            writer.transport.abort()
        else:
            self._tasks.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            # One that was closed with bytes to be sent, and has sent them, has no loop any more
            # (Python 3.11), so it cannot be told so.
            with suppress(AttributeError):
                writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()
