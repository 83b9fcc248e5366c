"""Answers to archive, and archives read back by others."""

import gzip
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecord
from multidict import CIMultiDict, CIMultiDictProxy
from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]  # it has no stubs
from warcio.checker import Checker  # type: ignore[import-untyped]  # as above

from crawler.exchange import Exchange
from crawler.export.warc import WarcPages
from crawler.outcome import Position
from crawler.request import Request
from crawler.response import Response

PREFIX = "docs-20260102030405"


class Record(NamedTuple):
    """A record as warcio reads it; `payload` is decoded."""

    type: str
    url: str
    headers: dict[str, str]
    head: str
    payload: bytes


def exchange_of(
    url: str, body: bytes, *, status: int = 200, head: bytes = b"", **fields: Any
) -> Exchange:
    lines = [f"HTTP/1.1 {status} Fine", "Content-Type: text/html", f"Content-Length: {len(body)}"]
    head = head or "\r\n".join([*lines, "", ""]).encode()
    path = url.partition("//")[2].partition("/")[2]
    request = f"GET /{path} HTTP/1.1\r\nHost: a.example\r\n\r\n".encode()
    told = {"at": 1767323045.25, "seconds": 0.5, "address": "192.0.2.1", "protocols": ("http/1.1",)}
    return Exchange(url, request, head, body, status=status, **{**told, **fields})


def answer(
    url: str,
    body: bytes = b"x",
    *,
    status: int = 200,
    before: tuple[Exchange, ...] = (),
    request: Request | None = None,
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> Response:
    """Return a response, with what went over the wire for it."""
    return Response(
        url,
        request=request or Request(url, depth=1, parent="https://a.example/"),
        status=status,
        body=body,
        headers=CIMultiDictProxy(CIMultiDict({"Content-Type": "text/html", **(headers or {})})),
        exchanges=(*before, exchange_of(url, body, status=status, **fields)),
    )


class Frontier:
    """What is committed of an archive."""

    def __init__(self) -> None:
        self.committed: Position = {}

    async def lengths(self) -> Position:
        return dict(self.committed)

    async def commit(self, store: WarcPages) -> None:
        self.committed |= store.lengths
        await store.committed()


@asynccontextmanager
async def opened(
    run: Path, frontier: Frontier, *, most_bytes: int = 1_000_000, **options: Any
) -> AsyncIterator[WarcPages]:
    async with WarcPages(
        run / "warc",
        prefix=PREFIX,
        most_bytes=most_bytes,
        lengths=frontier.lengths,
        about={"software": "test"},
        clock=lambda: 1767323045.0,
        **options,
    ) as store:
        yield store


def archives(run: Path) -> list[Path]:
    return sorted((run / "warc").glob("*.warc.gz"))


def is_sound(*files: Path) -> bool:
    """True if `warcio check` finds nothing, and fastwarc no digest that is wrong."""

    class Command:
        inputs = [str(file) for file in files]
        verbose = False

    blocks = [record.verify_block_digest() for record in _fast(files, parse_http=False)]
    payloads = [
        record.verify_payload_digest()
        for record in _fast(files, parse_http=True)
        if record.headers["WARC-Type"] == "response"
    ]
    return Checker(Command()).process_all() == 0 and all(blocks) and all(payloads)


def _fast(files: Sequence[Path], *, parse_http: bool) -> Iterator[WarcRecord]:
    for file in files:
        yield from FastIterator(str(file), parse_http=parse_http)


def records(*files: Path) -> list[Record]:
    return [record for file in files for record in _records(file)]


def _records(file: Path) -> Iterator[Record]:
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream):
            yield Record(
                type=record.rec_type,
                url=record.rec_headers.get_header("WARC-Target-URI") or "",
                headers=dict(record.rec_headers.headers),
                head=record.http_headers.to_str() if record.http_headers else "",
                payload=record.content_stream().read(),
            )


def member_at(run: Path, place: Any) -> bytes:
    """Return the record that is at a place, and nothing else."""
    data = (run / place.file).read_bytes()
    return gzip.decompress(data[place.offset : place.offset + place.length])
