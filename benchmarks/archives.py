"""What a page costs in an archive: `python benchmarks/archives.py [--pages N]`.

Prints microseconds of CPU a page, records a second and MB/s for `WarcPages.save` (response,
request and metadata, digests looked up and kept, an index line), and for a plain loop over warcio's
writer that writes the same three records. Pages are Debian's python3-doc where that is installed,
words of chance otherwise; best of three rounds, on a memory file system where there is one.
"""

import argparse
import asyncio
import io
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from random import Random

from warcio.statusandheaders import (  # type: ignore[import-untyped]  # it has no stubs
    StatusAndHeaders,
)
from warcio.warcwriter import WARCWriter  # type: ignore[import-untyped]  # as above

from crawler.exchange import Exchange
from crawler.export.warc import WarcPages
from crawler.outcome import Position
from crawler.request import Request
from crawler.response import Response

_DOCS = Path("/usr/share/doc/python3-doc/html")
_MEMORY = Path("/dev/shm")
_BATCH = 100
_HEAD = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"


def _bodies(number: int) -> list[bytes]:
    files = sorted(_DOCS.rglob("*.html"))[:number]
    chance = Random(1)
    words = [f"{chance.getrandbits(24):x}" for _ in range(4_000)]
    made = ((" ".join(chance.choices(words, k=4_000))).encode() for _ in range(number))
    read = islice(cycle([file.read_bytes() for file in files]), number) if files else made
    # The same one again would be a revisit.
    return [body + b"<!-- %d -->" % index for index, body in enumerate(read)]


def _page(number: int, body: bytes) -> Response:
    url = f"http://127.0.0.1/part{number % 20}/{number}.html"
    asked = f"GET /part{number % 20}/{number}.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    exchange = Exchange(url, asked, _HEAD % len(body), body, time.time(), 0.01, 200, "127.0.0.1")
    return Response(url, request=Request(url), body=body, exchanges=(exchange,))


async def _nothing() -> Position:
    return {}


async def _ours(pages: Sequence[Response], folder: Path) -> None:
    async with WarcPages(
        folder, prefix="x", most_bytes=10**9, lengths=_nothing, about={}, clock=time.time
    ) as store:
        for start in range(0, len(pages), _BATCH):
            await store.save(pages[start : start + _BATCH])
            await store.committed()


def _plain(pages: Sequence[Response], folder: Path) -> None:
    with (folder / "x.warc.gz").open("wb") as file:
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        for page in pages:
            _write(writer, page.url, page.body)


def _write(writer: WARCWriter, url: str, body: bytes) -> None:
    headers = [("Server", "nginx"), ("Content-Type", "text/html")]
    answered = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
    asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "127.0.0.1")], is_http_request=True)
    response = writer.create_warc_record(
        url, "response", payload=io.BytesIO(body), length=len(body), http_headers=answered
    )
    request = writer.create_warc_record(url, "request", http_headers=asked)
    writer.write_request_response_pair(request, response)
    told = b"hopsFromSeed: L\r\nfetchTimeMs: 10\r\n"
    writer.write_record(
        writer.create_warc_record(url, "metadata", payload=io.BytesIO(told), length=len(told))
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2_000)
    pages = [_page(*one) for one in enumerate(_bodies(parser.parse_args().pages))]
    size = sum(len(page.body) for page in pages)
    best: dict[str, tuple[float, float]] = {}
    for _ in range(3):
        for name in ("ours", "warcio"):
            with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as made:
                cpu, wall = time.process_time(), time.perf_counter()
                if name == "ours":
                    asyncio.run(_ours(pages, Path(made) / "warc"))
                else:
                    _plain(pages, Path(made))
                took = time.process_time() - cpu, time.perf_counter() - wall
            best[name] = min(best.get(name, took), took)
    print(f"{len(pages):,} pages of {size / len(pages) / 1e3:.0f} KB")
    for name, (cpu, wall) in best.items():
        rate, speed = 3 * len(pages) / wall, size / wall / 1e6
        print(f"{name:7} {cpu / len(pages) * 1e6:6.0f} µs a page {rate:7,.0f} records/s", end=" ")
        print(f"{speed:5.0f} MB/s")


if __name__ == "__main__":
    main()
