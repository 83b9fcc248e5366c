"""One request as the mock server hears it, and raw bytes back."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

OK = b"HTTP/1.1 200 OK\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n"
END = b"\r\n"


class Hit(NamedTuple):
    """One request that was heard."""

    host: str
    target: str
    method: str
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """Return the first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Wire:
    """A connection with one request on it; a misbehaviour writes what it likes."""

    def __init__(
        self,
        hit: Hit,
        *,
        writer: StreamWriter,
        closing: asyncio.Event,
        hits: int,
        served: int,
        port: int,
    ) -> None:
        self.hit = hit
        self.path, _, self.query = hit.target.partition("?")
        self.port = port
        self.hits = hits
        """How often this path was asked for, this time included."""
        self.served = served
        """How many requests came on this connection before."""
        self.keep = False
        """True if the connection serves a next request."""
        self._writer = writer
        self._closing = closing

    async def send(self, *pieces: bytes) -> None:
        """Write pieces, each on its way before the next."""
        for piece in pieces:
            if self._writer.is_closing() or self._closing.is_set():
                raise ConnectionResetError
            self._writer.write(piece)
            await self._writer.drain()

    async def answer(
        self,
        body: bytes = b"",
        *,
        status: str = "200 OK",
        headers: Sequence[tuple[str, str]] = (),
        mime: str = "text/html; charset=utf-8",
    ) -> None:
        """Answer as HTTP has it; the connection stays."""
        pairs = [("Content-Type", mime)] if mime else []
        pairs += [*headers, ("Content-Length", str(len(body)))]
        lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        await self.send(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body)
        self.keep = True

    async def page(self, text: str = "", **answer: str) -> None:
        """Answer with a small page that names its path."""
        await self.answer(body_of(self.path, text), **answer)  # type: ignore[arg-type]  # status, mime

    async def redirect(self, to: str, status: str = "302 Found") -> None:
        """Answer with a Location, as it is."""
        await self.answer(b"moved", status=status, headers=[("Location", to)])

    async def rest(self, seconds: float = 3600.0) -> None:
        """Wait, but not beyond the server's own end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    def reset(self) -> None:
        """Break the connection with a RST."""
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


def body_of(path: str, text: str = "") -> bytes:
    """Return a small page that names its path."""
    return f"<!doctype html><title>page</title><p>this is {path}</p>{text}\n".encode()


async def read_request(reader: StreamReader, host: str) -> Hit | None:
    """Return the next request on a connection, None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return None
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = [line.partition(":") for line in rest if line]
    headers = [(name, value.strip()) for name, _, value in pairs]
    hit = Hit(host, target, method, headers)
    if length := hit.header("Content-Length"):
        await reader.readexactly(int(length))
    return hit
