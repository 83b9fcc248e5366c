"""Serves generated pages on loopback addresses, each with a latency of its own.

A process beside the crawler, on a core of its own: `with serving(Web(…), cpu=1) as site`. What it
saw is known once `site.end()` is called: how many requests were in flight, who got how far when.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import msgspec
from msgspec import Struct

from crawler.cli.process import prepare_process
from crawler.settings import Settings

ON_ONE_CORE = ("taskset", "-c", "0", sys.executable, "-m")
"""Runs a module where nothing else of a benchmark runs."""

_COLLECTED_AFTER = 10_000
_SAMPLE_SECONDS = 0.05
_WORDS = "<p>The harbour was quiet, and the kettle on the stove had not begun to sing.</p>\n"


class Web(Struct, frozen=True):
    """Hosts with so many pages each; host `n` answers `latencies[n]` seconds late.

    `chain`: a page has the link to the next one, the first is /0. `star`: / has all pages, which
    have links to five others.
    """

    shape: Literal["chain", "star"]
    pages: int
    latencies: Sequence[float]

    def page(self, number: int) -> bytes:
        """Return the HTML of a page."""
        if self.shape == "chain":
            links = [0] if number + 1 == self.pages else [number + 1, 0]
        elif number == 0:
            links = list(range(1, self.pages))
        else:
            links = [1 + (number * 7 + step) % (self.pages - 1) for step in range(5)]
        anchors = "".join(f'<li><a href="/{link}">Page {link}</a>\n' for link in links)
        text = f"<title>Page {number}</title>\n<ul>{anchors}</ul>\n{_WORDS * 12}"
        return f"<!doctype html>\n<html lang=en>\n{text}".encode()


class Seen(Struct, frozen=True):
    """What a site saw: samples are (seconds, requests in flight, pages served so far).

    `arrived` are the seconds between the first page's request and the last one's; `fifth` and
    `half` the pages of each host when a fifth and half of all were served.
    """

    samples: Sequence[tuple[float, int, int]]
    arrived: float
    fifth: Sequence[int]
    half: Sequence[int]


class Site:
    """A site that is being served."""

    def __init__(self, process: "subprocess.Popen[str]", web: Web) -> None:
        self._process = process
        assert process.stdout is not None
        port = int(process.stdout.readline())
        self.urls = [f"http://{address(n)}:{port}/" for n in range(len(web.latencies))]

    def end(self) -> Seen:
        """End it; return what it saw."""
        output, _ = self._process.communicate("", timeout=30)
        return msgspec.json.decode(output, type=Seen)


def address(number: int) -> str:
    """Return the loopback address of a host: as a string, a late one is late in the alphabet."""
    return f"127.1.{100 + number // 100}.{100 + number % 100}"


def prepare() -> None:
    """Have this process as `crawl` has its own: its memory, collector and descriptors."""
    prepare_process(Settings())
    gc.set_threshold(_COLLECTED_AFTER, *gc.get_threshold()[1:])


@contextmanager
def serving(web: Web, *, cpu: int | None) -> Iterator[Site]:
    """Serve a web until the block ends, on one core."""
    pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
    process = subprocess.Popen(
        [*pin, sys.executable, "-m", "benchmarks.generated", msgspec.json.encode(web).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Site(process, web)
    finally:
        process.kill()
        process.wait()


class _Log:
    """Counts what is going on."""

    def __init__(self, web: Web) -> None:
        self.in_flight = self.served = 0
        self.by_host = [0] * len(web.latencies)
        self.samples: list[tuple[float, int, int]] = []
        self.fifth: list[int] = []
        self.half: list[int] = []
        self.first = self.last = 0.0
        self._all = web.pages * len(web.latencies)

    def arrive(self, *, is_page: bool) -> None:
        self.in_flight += 1
        if is_page:
            self.last = time.monotonic()
            self.first = self.first or self.last

    def leave(self, host: int, *, is_page: bool) -> None:
        self.in_flight -= 1
        if is_page:
            self.served += 1
            self.by_host[host] += 1
            if self.served * 5 >= self._all and not self.fifth:
                self.fifth = list(self.by_host)
            if self.served * 2 >= self._all and not self.half:
                self.half = list(self.by_host)

    async def sample(self) -> None:
        while True:
            self.samples.append((time.monotonic(), self.in_flight, self.served))
            await asyncio.sleep(_SAMPLE_SECONDS)

    def seen(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "arrived": self.last - self.first,
            "fifth": self.fifth,
            "half": self.half,
        }


class _Talk(asyncio.Protocol):
    """One connection: a request at a time, no body in it."""

    def __init__(self, host: int, web: Web, pages: dict[bytes, bytes], log: _Log) -> None:
        self._host = host
        self._latency = web.latencies[host]
        self._pages = pages
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        if not self._head.endswith(b"\r\n\r\n"):
            return
        path, self._head = self._head.split(b" ", 2)[1], b""
        self._log.arrive(is_page=path in self._pages)
        if self._latency:
            self._loop.call_later(self._latency, self._answer, path)
        else:
            self._answer(path)

    def _answer(self, path: bytes) -> None:
        self._log.leave(self._host, is_page=path in self._pages)
        assert self._transport is not None
        self._transport.write(self._pages.get(path, _MISSING))


def _response(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_MISSING = _response("404 Not Found", b"no such page")


async def _serve(web: Web) -> None:
    pages = {b"/%d" % n: _response("200 OK", web.page(n)) for n in range(web.pages)}
    if web.shape == "star":
        pages[b"/"] = pages.pop(b"/0")
    log, port, loop = _Log(web), 0, asyncio.get_running_loop()
    for host in range(len(web.latencies)):

        def talk(host: int = host) -> _Talk:
            return _Talk(host, web, pages, log)

        server = await loop.create_server(talk, address(host), port, backlog=128)
        port = port or server.sockets[0].getsockname()[1]
    sampling = asyncio.create_task(log.sample())
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    sampling.cancel()
    print(json.dumps(log.seen()))


if __name__ == "__main__":
    asyncio.run(_serve(msgspec.json.decode(sys.argv[1], type=Web)))
