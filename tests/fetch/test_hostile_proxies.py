"""A proxy that misbehaves is called a proxy, hears no secret, and holds nobody up."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from crawler.errors import FetchError, ProxyError, TimedOut, TlsError
from crawler.request import Request
from tests.fetch.test_cuts import End, settle
from tests.fetch.test_proxies import opened

SECRETS = [("Authorization", "Bearer mine"), ("Cookie", "c=mine")]
TUNNEL = b"HTTP/1.1 200 Connection established\r\n"
PLAIN = b"HTTP/1.1 400 Bad Request\r\n\r\n"


class Proxied:
    """A proxy's URL and the heads it heard."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heads: list[bytes] = []


@asynccontextmanager
async def proxy(*pieces: bytes, end: End = "wait") -> AsyncIterator[Proxied]:
    """Answer each request with pieces, a packet each, then close, reset or wait."""
    served: list[asyncio.Task[None]] = []

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.append(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            there.heads.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in pieces:
                writer.write(piece)
                await settle()
            if end == "wait":
                await reader.read()
        if end == "reset" and not writer.is_closing():
            linger = struct.pack("ii", 1, 0)
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    there = Proxied(f"http://me:pass@127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server:
        yield there
    await asyncio.gather(*served)  # none is held open


async def refused(through: str, url: str = "https://example.com/") -> FetchError:
    """Return how a request through a proxy fails."""
    soon: dict[str, float] = {"connect_timeout": 0.3, "read_timeout": 0.3}
    async with opened((), proxy=through, **soon) as (fetch, sent), asyncio.timeout(10):
        with pytest.raises(FetchError) as caught:
            await fetch(Request(url, headers=SECRETS))
        assert sent == []
    assert len(str(caught.value)) < 200
    return caught.value


ANSWERS = {
    "garbage": [b"\x00\x01garbage\r\n\r\n"],
    "garbage in two": [b"SSH-2.0", b"-OpenSSH_9.6\r\n"],
    "redirect": [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"],
    "page": [b"HTTP/1.1 502 Bad\r\nContent-Length: 999\r\n\r\n<p>", b"login"],
    "wants a password": [b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"],
    "long reason": [b"HTTP/1.1 502 " + b"\x1b[31m no" * 900 + b"\r\n\r\n"],
    "other protocol": [b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
    "odd coding": [TUNNEL + b"Transfer-Encoding: gzip\r\n\r\n"],
    "endless hints": [b"HTTP/1.1 103 Hints\r\n\r\n"] * 21,
    "long head": [TUNNEL, b"X: " + b"y" * 100_000],
}


@pytest.mark.parametrize("end", ["close", "reset", "wait"])
@pytest.mark.parametrize("name", ANSWERS)
async def test_what_is_no_tunnel_is_the_proxys_failure_at_once(name: str, end: End) -> None:
    async with proxy(*ANSWERS[name], end=end) as there:
        assert isinstance(await refused(there.url), ProxyError)
    (head,) = there.heads
    assert head.startswith(b"CONNECT example.com:443 HTTP/1.1\r\n")
    assert b"mine" not in head


@pytest.mark.parametrize("pieces", [[], [b"HTTP/1.1 2"], [TUNNEL + b"\r\n"]])
@pytest.mark.parametrize("end", ["close", "reset", "wait"])
async def test_a_proxy_that_leaves_or_falls_silent(pieces: list[bytes], end: End) -> None:
    async with proxy(*pieces, end=end) as there:
        error = await refused(there.url)
    assert isinstance(error, TimedOut if end == "wait" else ProxyError)


async def test_a_tunnel_to_what_is_not_tls() -> None:
    async with proxy(TUNNEL + b"\r\n", PLAIN) as there:
        assert isinstance(await refused(there.url), TlsError)


async def test_a_proxy_whose_name_does_not_resolve() -> None:
    for scheme in ("http", "https"):
        error = await refused("http://no-such-proxy.invalid", f"{scheme}://example.com/")
        assert isinstance(error, ProxyError)
        assert str(error) == "the proxy: the host name does not resolve"
