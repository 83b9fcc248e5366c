"""Wherever an answer is cut into packets, and whatever follows, it ends the same, and soon."""

import asyncio
import random
import socket
import struct
import zlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Literal

import pytest

from crawler.errors import FetchError
from crawler.request import Request
from tests.fetch.test_http import PACK, Opened, opened

End = Literal["close", "reset", "wait"]
Way = tuple[str, bytes]
"""How a request ended: the kind of its error, or `page` and the body."""

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
TEXT = b"<!doctype html><title>hello</title>" * 30
NEXT = OK + b"Content-Length: 4\r\n\r\nnext"


def chunks(body: bytes, size: int, *, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    """Return `body` in chunks, and the last one."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    framed = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join(framed) + b"0\r\n" + trailer + b"\r\n"


def raw_deflate(body: bytes) -> bytes:
    """Return `body` as some servers deflate it, without zlib's head."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def good() -> Iterator[tuple[str, bytes, bytes]]:
    """Yield names, answers and their bodies."""
    odd = b"X-Empty:\r\nX-Folded: a\r\n b\r\nX-Blank: \t\r\nX-Last:\r\n"
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n"
    yield "length", OK + odd + b"Content-Length: 40\r\n\r\n" + TEXT[:40], TEXT[:40]
    yield "line feeds", b"HTTP/1.1 200 OK\nX-Empty:\nContent-Length: 4\n\npage", b"page"
    yield "nothing", OK + b"Content-Length: 0\r\n\r\n", b""
    yield "lines first", b"\r\n\r\n" + NEXT, b"next"
    yield "hints", hints + CHUNKED + b"\r\n" + chunks(TEXT[:20], 7), TEXT[:20]
    yield "chunks", CHUNKED + odd + b"\r\n" + chunks(TEXT[:60], 1), TEXT[:60]
    trailed = chunks(TEXT[:60], 16, extension=b' ;a="b;c"', trailer=b"X-T: 1\r\nX-E:\r\n")
    yield "trailer", CHUNKED + b"\r\n" + trailed, TEXT[:60]
    packs = {**PACK, "deflate": raw_deflate}
    for outer in (None, *packs):
        for inner, pack in packs.items():
            packed = packs[outer](pack(TEXT)) if outer else pack(TEXT)
            coding = f"{inner}, {outer}" if outer else inner
            head = f"Content-Encoding: {coding}\r\n".encode()
            yield f"{coding} in chunks", CHUNKED + head + b"\r\n" + chunks(packed, 13), TEXT
            if not outer:
                length = b"Content-Length: %d\r\n\r\n" % len(packed)
                yield f"{coding} by length", OK + head + length + packed, TEXT
    for coding in ("gzip", "zstd"):
        members = PACK[coding](TEXT[:99]) + PACK[coding](TEXT[99:])
        head = f"Content-Encoding: {coding}\r\n\r\n".encode()
        yield f"members of {coding}", CHUNKED + head + chunks(members, 13), TEXT
    junk = chunks(PACK["gzip"](TEXT) + b"\x1f", 13)
    yield "junk behind gzip", CHUNKED + b"Content-Encoding: gzip\r\n\r\n" + junk, TEXT


GOOD = {name: (answer, body) for name, answer, body in good()}

_PLAIN = CHUNKED + b"\r\n"
BAD: dict[str, tuple[bytes, set[str]]] = {
    "garbage": (b"\x00\x01\xff" * 20, {"protocol"}),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", {"protocol"}),
    "two lengths": (OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\npage", {"protocol"}),
    "no length": (OK + b"Content-Length: -4\r\n\r\npage", {"protocol"}),
    "length of 2^64-1": (
        OK + b"Content-Encoding: gzip\r\nContent-Length: 18446744073709551615\r\n\r\npage",
        {"protocol"},
    ),
    "length and chunks": (
        CHUNKED + b"Content-Length: 4\r\n\r\n4\r\npage\r\n0\r\n\r\n",
        {"protocol"},
    ),
    "odd coding": (OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n4\r\npage\r\n", {"protocol"}),
    "size": (_PLAIN + b"4\r\npage\r\nzz\r\npage\r\n0\r\n\r\n", {"protocol"}),
    "no size": (_PLAIN + b"4\r\npage\r\n\r\npage\r\n0\r\n\r\n", {"protocol"}),
    "huge size": (_PLAIN + b"4\r\npage\r\nfffffffffffffffff1\r\npage", {"protocol"}),
    "end of a chunk": (_PLAIN + b"4\r\npage\r\n3\r\npage\r\n0\r\n\r\n", {"protocol"}),
    "extension": (_PLAIN + b"4\r\npage\r\n4;\x00\r\npage\r\n0\r\n\r\n", {"protocol"}),
    "trailer": (_PLAIN + b"4\r\npage\r\n0\r\nX\x00: y\r\n\r\n", {"protocol"}),
    "end of the trailer": (_PLAIN + b"4\r\npage\r\n0\r\nX: y\r\n\rz", {"protocol"}),
    "coding": (CHUNKED + b"Content-Encoding: gzip\r\n\r\n" + chunks(b"plain", 2), {"body"}),
    "chunks behind a break": (
        CHUNKED + b"Content-Encoding: gzip\r\n\r\n" + chunks(b"plain", 1)[:-4] + b"zz\r\n",
        {"body", "protocol"},
    ),
}


async def settle() -> None:
    """Let the other side, on the same loop, read what is on the wire, and act on it."""
    for _ in range(6):
        await asyncio.sleep(0)


class Cutter:
    """Answers in pieces, a packet each; and then closes, resets or waits for a next request."""

    def __init__(self) -> None:
        self.pieces: Sequence[bytes] = ()
        self.end: End = "wait"
        self.connections = 0
        self.url = ""

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                end = self.end
                for piece in self.pieces:
                    writer.write(piece)
                    await writer.drain()
                    await settle()
                if end != "wait":
                    break
        if not writer.is_closing() and self.end == "reset":
            there = writer.get_extra_info("socket")
            there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def cut(self, answer: bytes, places: Sequence[int], end: End) -> None:
        """Answer so from now on."""
        edges = [0, *places, len(answer)]
        self.pieces = [answer[a:b] for a, b in pairwise(edges)]
        self.end = end


@asynccontextmanager
async def cutting() -> AsyncIterator[Cutter]:
    """Yield a server that cuts its answers."""
    cutter = Cutter()
    served: set[asyncio.Task[None]] = set()

    def connected(reader: StreamReader, writer: StreamWriter) -> None:
        served.add(asyncio.create_task(cutter.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    cutter.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        yield cutter
        await asyncio.gather(*served)  # they end with the connections of the other side


async def way(fetch: Opened, url: str) -> Way:
    """Ask, and return how it ended."""
    try:
        page = await fetch(Request(url))
    except FetchError as error:
        return error.kind, b""
    page.release()
    return "page", page.body


def places(answer: bytes, *, most: int, seed: str) -> Iterator[list[int]]:
    """Yield where to cut: once at every byte, or at some, and many times at random."""
    chance = random.Random(seed)
    each = range(1, len(answer))
    for place in each if len(each) <= most else sorted(chance.sample(each, most)):
        yield [place]
    for times in (2, 3, 5, 10, len(each)):
        yield sorted(chance.sample(each, min(times, len(each))))


@pytest.mark.parametrize("name", GOOD)
async def test_a_page_is_whole_wherever_it_is_cut(name: str) -> None:
    answer, body = GOOD[name]
    async with cutting() as server, opened() as fetch, asyncio.timeout(20):
        for at in places(answer, most=25, seed=name):
            server.cut(answer, at, "wait")
            assert await way(fetch, server.url) == ("page", body), at
            server.cut(NEXT, [], "wait")
            assert await way(fetch, server.url) == ("page", b"next"), at
        assert server.connections == 1
        for at in places(answer, most=10, seed=name):
            server.cut(answer, at, "close")
            assert await way(fetch, server.url) == ("page", body), at


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("name", GOOD)
async def test_what_breaks_off_is_no_page_wherever(name: str, end: End) -> None:
    answer, _ = GOOD[name]
    async with cutting() as server, opened() as fetch, asyncio.timeout(20):
        for last, *rest in places(answer, most=12, seed=name):
            if rest:
                continue
            for at in ([], [last // 2]):
                server.cut(answer[:last], at, end)
                kind, _ = await way(fetch, server.url)
                assert kind == "connect", (last, at)


@pytest.mark.parametrize("end", ["close", "reset", "wait"])
@pytest.mark.parametrize("name", BAD)
async def test_what_is_wrong_is_heard_at_once_wherever_it_is_cut(name: str, end: End) -> None:
    answer, kinds = BAD[name]
    async with cutting() as server, opened() as fetch, asyncio.timeout(20):
        for at in ([], *places(answer, most=200, seed=name)):
            server.cut(answer, at, end)
            kind, _ = await way(fetch, server.url)
            assert kind in kinds, at


async def test_half_an_answer_behind_an_answer_is_not_the_next_ones() -> None:
    first = OK + b"Content-Length: 4\r\n\r\npage"
    answer = first + OK + b"Content-Length: 8\r\n\r\nSMUGGLED"
    async with cutting() as server, opened() as fetch, asyncio.timeout(20):
        for place in range(1, len(answer)):
            if place == len(first):
                continue  # nobody could tell what comes then from the next answer
            server.cut(answer, [place], "wait")
            assert await way(fetch, server.url) == ("page", b"page"), place
            server.cut(NEXT, [], "wait")
            assert await way(fetch, server.url) == ("page", b"next"), place
