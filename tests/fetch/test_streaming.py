"""Files go to disk as they come, and on from where they broke off: real sockets, real files."""

import asyncio
import gzip
import hashlib
import re
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec import UNSET, structs

from crawler.errors import (
    AddressRefused,
    BodyError,
    BodyTooLarge,
    ConnectError,
    FetchError,
    MediaError,
    ProtocolError,
    TimedOut,
    UnwantedType,
)
from crawler.export.media import MediaFiles
from crawler.export.media_part import PARTS
from crawler.fetch.http import HttpFetch
from crawler.fetch.room import Room
from crawler.media import Media, Wanted
from crawler.request import Request
from crawler.response import Response
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.loopback import Loopback, Streams
from tests.site import Site

BODY = bytes(range(256)) * 4_000
PDF = b"%PDF-1.7 " + BODY
TAG = {"ETag": '"one"'}


@asynccontextmanager
async def opened(
    folder: Path,
    guard: Guard | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    **settings: Any,
) -> AsyncIterator[HttpFetch]:
    merged = Settings(**{"allow_private": ("127.0.0.0/8",), **settings})
    room = Room(1_000_000)
    async with (
        MediaFiles(folder / "media") as store,
        HttpFetch(
            merged,
            sent=lambda _: None,
            room=room,
            guard=guard or Guard(merged.allow_private),
            credentials=Credentials(merged),
            media=store,
            clock=clock,
        ) as fetch,
    ):
        yield fetch
        assert room.used == 0


def media(url: str, **wanted: Any) -> Request:
    return structs.replace(Request(url), kind="media", saving=Wanted(**wanted))


async def file(fetch: HttpFetch, url: str, **wanted: Any) -> Media:
    page = await fetch(media(url, **wanted))
    assert page.body == b""
    assert page.media is not None
    return page.media


async def refused(fetch: HttpFetch, url: str, **wanted: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetch(media(url, **wanted))
    assert caught.value.url == url
    return caught.value


def there(folder: Path) -> dict[str, bytes]:
    """What is below `media/`, but for the parts."""
    files = (path for path in (folder / "media").rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if PARTS not in path.parts
    }


def parts(folder: Path) -> list[int]:
    """The sizes of what is not whole."""
    found = (folder / "media" / PARTS).glob("*")
    return [path.stat().st_size for path in found if path.suffix != ".json"]


class Cut(Loopback):
    """Serves a body with ranges, and cuts each answer off after `most` bytes of it."""

    def __init__(self, body: bytes = BODY, *, most: int, head: Mapping[str, str] = TAG) -> None:
        super().__init__(Streams(self._answer))
        self.body = body
        self.most = most
        self.head = dict(head)
        self.asked: list[dict[str, str]] = []

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        text = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked = dict(re.findall(r"^([\w-]+): (.*)\r$", text, re.MULTILINE))
        self.asked.append(asked)
        found = re.fullmatch(r"bytes=(\d+)-", asked.get("Range", ""))
        same = asked.get("If-Range") in (self.head.get("ETag"), self.head.get("Last-Modified"))
        start = int(found[1]) if found and same else 0
        head = {"Content-Length": str(len(self.body) - start), **self.head}
        if start:
            head["Content-Range"] = f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"
        lines = [f"HTTP/1.1 {206 if start else 200} X", *(f"{n}: {v}" for n, v in head.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        writer.write(self.body[start : start + self.most])
        await writer.drain()


async def test_a_file_is_on_disk_under_its_digest_when_it_is_there(
    site: Site, tmp_path: Path
) -> None:
    site.page("/a.bin", body=BODY, type="application/octet-stream")
    async with opened(tmp_path) as fetch:
        one = await file(fetch, site.url("/a.bin"))
    digest = hashlib.sha256(BODY).hexdigest()
    assert (one.sha256, one.bytes, one.type) == (digest, len(BODY), "application/octet-stream")
    assert one.path == f"media/{digest[:2]}/{digest}.bin"
    assert there(tmp_path) == {one.path: BODY}
    assert parts(tmp_path) == []
    assert site.log[0].headers["Accept-Encoding"] == "identity"
    assert "Range" not in site.log[0].headers


async def test_the_same_bytes_of_two_urls_are_one_file(site: Site, tmp_path: Path) -> None:
    site.page("/a.pdf", body=PDF, type="application/pdf")
    site.page("/b", body=PDF, type="application/octet-stream")
    async with opened(tmp_path) as fetch:
        one, two = [await file(fetch, site.url(path)) for path in ("/a.pdf", "/b")]
    assert one.path == two.path
    assert one.path.endswith(".pdf")
    assert two.type == "application/pdf"
    assert len(there(tmp_path)) == 1


async def test_two_at_once_of_one_url_do_not_meet_in_one_part(site: Site, tmp_path: Path) -> None:
    both = asyncio.Barrier(2)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={**TAG, "Content-Length": str(len(BODY))})
        await response.prepare(request)
        await response.write(BODY[:70_000])
        async with asyncio.timeout(5):
            await both.wait()
        await response.write(BODY[70_000:])
        return response

    site.handle("/a", answer)
    async with opened(tmp_path) as fetch:
        one, two = await asyncio.gather(*(file(fetch, site.url("/a")) for _ in range(2)))
    assert one == two
    assert list(there(tmp_path).values()) == [BODY]
    assert parts(tmp_path) == []


async def test_what_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    async with Cut(most=400_000) as server, opened(tmp_path) as fetch:
        url = server.url("/a")
        assert isinstance(await refused(fetch, url), ConnectError)
        (first,) = parts(tmp_path)
        assert not there(tmp_path)
        error = await refused(fetch, url)
        assert error.went_on
        (second,) = parts(tmp_path)
        one = await file(fetch, url)
        assert [asked.get("Range") for asked in server.asked] == [
            None, f"bytes={first}-", f"bytes={second}-"
        ]  # fmt: skip
        assert server.asked[1]["If-Range"] == '"one"'
    assert 0 < first <= 400_000 < second <= 800_000
    assert one.sha256 == hashlib.sha256(BODY).hexdigest()
    assert there(tmp_path) == {one.path: BODY}
    assert parts(tmp_path) == []


async def test_another_process_goes_on_as_well(tmp_path: Path) -> None:
    async with Cut(most=400_000) as server:
        for _ in range(2):
            async with opened(tmp_path) as fetch:
                await refused(fetch, server.url("/a"))
        async with opened(tmp_path) as fetch:
            one = await file(fetch, server.url("/a"))
    assert one.sha256 == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize("most", [0, len(BODY)])
async def test_of_a_part_without_bytes_or_with_all_at_least_one_is_asked_for(
    tmp_path: Path, most: int
) -> None:
    async with Cut(most=1_000) as server, opened(tmp_path) as fetch:
        await refused(fetch, server.url("/a"))
        (part,) = (p for p in (tmp_path / "media" / PARTS).iterdir() if p.suffix != ".json")
        part.write_bytes(BODY[:most])
        server.most = len(BODY)
        one = await file(fetch, server.url("/a"))
    asked = f"bytes={most - 1}-" if most else None
    assert server.asked[1].get("Range") == asked
    assert one.sha256 == hashlib.sha256(BODY).hexdigest()


async def test_two_contents_are_never_mixed(tmp_path: Path) -> None:
    async with Cut(most=400_000) as server, opened(tmp_path) as fetch:
        await refused(fetch, server.url("/a"))
        server.body, server.head = BODY[::-1], {"ETag": '"two"'}
        error = await refused(fetch, server.url("/a"))
        assert not error.went_on
        server.most = len(BODY)
        one = await file(fetch, server.url("/a"))
    assert one.sha256 == hashlib.sha256(BODY[::-1]).hexdigest()
    assert server.asked[2]["If-Range"] == '"two"'


NOW = "Thu, 26 Nov 2026 10:00:00 GMT"
BEFORE = "Thu, 26 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("head", "validator"),
    [
        ({"Last-Modified": BEFORE, "Date": NOW}, BEFORE),
        ({"Last-Modified": BEFORE, "Date": NOW, **TAG}, '"one"'),
        ({"Last-Modified": NOW, "Date": NOW}, None),
        ({"Last-Modified": BEFORE}, None),
        ({"Last-Modified": "yesterday", "Date": NOW}, None),
        ({"Last-Modified": "Thu, 26 Nov 99999999999 09:00:00 GMT", "Date": NOW}, None),
        ({"Last-Modified": BEFORE + " \xe9", "Date": NOW}, None),
        ({"ETag": 'W/"one"', "Last-Modified": BEFORE, "Date": NOW}, None),
        ({}, None),
    ],
)
async def test_only_what_has_a_strong_validator_goes_on(
    tmp_path: Path, head: dict[str, str], validator: str | None
) -> None:
    async with Cut(most=100_000, head=head) as server, opened(tmp_path) as fetch:
        await refused(fetch, server.url("/a"))
        assert len(parts(tmp_path)) == (validator is not None)
        await refused(fetch, server.url("/a"))
        assert server.asked[1].get("If-Range") == validator


@pytest.mark.parametrize(
    "wrong",
    [
        {"Content-Range": "bytes 0-{last}/{size}"},
        {"Content-Range": "bytes {start}-{last}/{more}"},
        {"Content-Range": "bytes {start}-{less}/{size}"},
        {"Content-Range": "bytes */{size}"},
        {"Content-Range": "lines 1-2/3"},
        {"Content-Range": f"bytes {'9' * 5_000}-1/2"},
        {},
        {"Content-Range": "bytes {start}-{last}/{size}", "ETag": '"two"'},
        {"Content-Range": "bytes {start}-{last}/{size}", "Content-Encoding": "gzip"},
    ],
)
async def test_a_wrong_range_is_refused_and_then_asked_for_from_the_start(
    site: Site, tmp_path: Path, wrong: dict[str, str]
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if not found:
            return web.Response(body=BODY, headers=TAG)
        values = {
            "start": found[1], "last": len(BODY) - 1, "size": len(BODY),
            "more": len(BODY) + 1, "less": len(BODY) - 2,
        }  # fmt: skip
        head = {**TAG, **{name: value.format(**values) for name, value in wrong.items()}}
        return web.Response(body=BODY[int(found[1]) :], status=206, headers=head)

    await _left_over(tmp_path, site.url("/a"))
    site.handle("/a", answer)
    async with opened(tmp_path) as fetch:
        error = await refused(fetch, site.url("/a"))
        assert isinstance(error, ProtocolError)
        assert error.transient
        one = await file(fetch, site.url("/a"))
    assert one.sha256 == hashlib.sha256(BODY).hexdigest()
    assert "Range" not in site.log[1].headers


async def _left_over(folder: Path, url: str, *, content: bytes = BODY[:5_000]) -> None:
    """Leave a part, as a life of the crawl that was interrupted does."""
    async with MediaFiles(folder / "media") as store, store.part(url, Wanted()) as part:
        await part.begin(validator='"one"', total=len(BODY))
        await part.write(content)


async def test_416_has_it_asked_for_from_the_start(site: Site, tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        ranged = "Range" in request.headers
        return web.Response(body=b"" if ranged else BODY, status=416 if ranged else 200)

    await _left_over(tmp_path, site.url("/a"))
    site.handle("/a", answer)
    async with opened(tmp_path) as fetch:
        assert isinstance(await refused(fetch, site.url("/a")), ProtocolError)
        assert parts(tmp_path) == []
        assert (await file(fetch, site.url("/a"))).bytes == len(BODY)


async def test_a_206_that_nobody_asked_for_is_refused(site: Site, tmp_path: Path) -> None:
    head = {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}
    site.page("/a", body=BODY, status=206, headers=head)
    async with opened(tmp_path) as fetch:
        assert isinstance(await refused(fetch, site.url("/a")), ProtocolError)


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_what_is_no_file_leaves_the_part_as_it_is(
    site: Site, tmp_path: Path, status: int
) -> None:
    site.page("/a", body=b"sorry", status=status)
    await _left_over(tmp_path, site.url("/a"))
    async with opened(tmp_path) as fetch:
        page: Response = await fetch(media(site.url("/a")))
        assert (page.status, page.body, page.media) == (status, b"sorry", None)
        page.release()
        assert parts(tmp_path) == [5_000]


async def test_a_coded_body_is_decoded_and_not_gone_on_with(site: Site, tmp_path: Path) -> None:
    coded = {**TAG, "Content-Encoding": "gzip"}
    site.page("/a", body=gzip.compress(BODY), headers=coded)
    site.page("/cut", body=gzip.compress(BODY)[:-100], headers=coded)
    site.page("/no", body=BODY, headers={"Content-Encoding": "rot13"})
    async with opened(tmp_path) as fetch:
        assert (await file(fetch, site.url("/a"))).sha256 == hashlib.sha256(BODY).hexdigest()
        assert isinstance(await refused(fetch, site.url("/cut")), ConnectError)
        assert isinstance(await refused(fetch, site.url("/no")), BodyError)
        assert parts(tmp_path) == []


async def test_a_bomb_is_not_written_beyond_the_limit(site: Site, tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(5_000_000))
    site.page("/a", body=bomb, headers={"Content-Encoding": "gzip"})
    async with opened(tmp_path, media_bytes=1_000_000) as fetch:
        assert isinstance(await refused(fetch, site.url("/a")), BodyTooLarge)
    assert parts(tmp_path) == []


@pytest.mark.parametrize("limit", [UNSET, 2_000_000, None])
async def test_a_file_may_be_as_large_as_was_said(site: Site, tmp_path: Path, limit: Any) -> None:
    site.page("/a", body=BODY)
    async with opened(tmp_path, media_bytes=1_000_000, body_bytes=10) as fetch:
        if limit is UNSET:
            error = await refused(fetch, site.url("/a"), limit=limit)
            assert (type(error), str(error)) == (BodyTooLarge, "more than 1,000,000 bytes")
        else:
            assert (await file(fetch, site.url("/a"), limit=limit)).bytes == len(BODY)


async def test_an_endless_body_ends_at_the_limit(site: Site, tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not site.closing.is_set():
            await response.write(bytes(100_000))
        return response

    site.handle("/a", answer)
    async with opened(tmp_path, media_bytes=1_000_000) as fetch:
        assert isinstance(await refused(fetch, site.url("/a")), BodyTooLarge)
    assert parts(tmp_path) == []


async def test_a_body_shorter_than_it_says_is_no_file(site: Site, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    site.raw("/short", head, b"x" * 99)
    site.raw("/long", head, b"x" * 101)
    async with opened(tmp_path) as fetch:
        assert isinstance(await refused(fetch, site.url("/short")), ConnectError)
        assert (await file(fetch, site.url("/long"))).bytes == 100
    assert [len(body) for body in there(tmp_path).values()] == [100]


IMAGES = ("image/*",)
PAGE = "<!doctype html><title>Not here</title><p>Sorry"


@pytest.mark.parametrize(
    ("path", "said", "types", "expected"),
    [
        ("/a", "text/html", IMAGES, "expected image/*, got text/html"),
        ("/a", "image/png", IMAGES, "expected image/*, got text/html"),
        ("/a", "", IMAGES, "expected image/*, got text/html"),
        ("/a.pdf", "text/html", (), "expected application/pdf, got text/html"),
        ("/a.jpeg?x=1", "application/pdf", (), "expected image/jpeg, got text/html"),
    ],
)
async def test_a_page_in_the_place_of_a_file_is_refused(
    site: Site, tmp_path: Path, path: str, said: str, types: tuple[str, ...], expected: str
) -> None:
    site.page(path, body=PAGE, type=said)
    async with opened(tmp_path) as fetch:
        error = await refused(fetch, site.url(path), types=types)
    assert (error.__class__, str(error)) == (UnwantedType, expected)
    assert not there(tmp_path)
    assert parts(tmp_path) == []


async def test_a_page_is_a_file_where_nothing_else_is_asked_for(site: Site, tmp_path: Path) -> None:
    for path in ("/a", "/a.html", "/a.php"):
        site.page(path, body=PAGE)
    async with opened(tmp_path) as fetch:
        for path in ("/a", "/a.html", "/a.php"):
            assert (await file(fetch, site.url(path))).path.endswith(".html")


async def test_the_body_of_an_unwanted_type_is_not_waited_for(site: Site, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: 9999999\r\n\r\n"
    site.raw("/said", head % b"text/html", b"", rest=3600)
    site.raw("/shown", head % b"image/png" + b"<html>" + b" " * 2_000, b"", rest=3600)
    async with opened(tmp_path) as fetch:
        for path in ("/said", "/shown"):
            async with asyncio.timeout(5):
                error = await refused(fetch, site.url(path), types=IMAGES)
            assert isinstance(error, UnwantedType)


async def test_a_file_may_take_longer_than_a_request(site: Site, tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    site.raw("/a", head, *[b"x"] * 5, rest=0.1)
    site.raw("/late", b"", head, b"xxxxx", rest=1.0)
    async with opened(tmp_path, timeout=0.3) as fetch:
        page = await fetch(media(site.url("/a")))
        assert page.media is not None
        assert page.seconds < 0.3  # what a host is judged by: files may be as large as they are
        assert isinstance(await refused(fetch, site.url("/late")), TimedOut)
        with pytest.raises(TimedOut):  # said of this very one
            await fetch(structs.replace(media(site.url("/a")), timeout=0.2))


async def test_silence_and_a_drip_end_a_file_but_keep_what_came(site: Site, tmp_path: Path) -> None:
    head = b'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: 9999999\r\n\r\n'
    site.raw("/silent", head + b"x" * 1_000, b"", rest=3600)
    async with opened(tmp_path, read_timeout=0.2) as fetch:
        error = await refused(fetch, site.url("/silent"))
    assert str(error) == "the server was silent for longer than read_timeout"
    assert parts(tmp_path) == [1_000]
    seconds = iter(range(0, 1_000, 11))
    site.raw("/drip", head, *[b"x"] * 100, rest=0.01)
    async with opened(tmp_path, clock=lambda: float(next(seconds))) as fetch:
        error = await refused(fetch, site.url("/drip"))
    assert "min_rate_bytes" in str(error)


async def test_a_file_that_is_cancelled_keeps_what_came(site: Site, tmp_path: Path) -> None:
    head = b'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: 9999999\r\n\r\n'
    site.raw("/a", head + b"x" * 1_000, b"", rest=3600)
    async with opened(tmp_path) as fetch:
        task = asyncio.create_task(fetch(media(site.url("/a"))))
        async with asyncio.timeout(5):
            while parts(tmp_path) != [1_000]:  # noqa: ASYNC110  # the disk tells nobody
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert parts(tmp_path) == [1_000]


async def test_the_guard_judges_the_address_of_a_file(tmp_path: Path) -> None:
    guard = Guard((), is_public=lambda address: address == "127.0.0.1")
    async with Site(["127.0.0.1", "127.0.0.2"]) as site, opened(tmp_path, guard) as fetch:
        site.page("/a", body=BODY)
        assert (await file(fetch, site.url("/a"))).bytes == len(BODY)
        error = await refused(fetch, site.url("/a", host="127.0.0.2"))
        assert isinstance(error, AddressRefused)
        assert len(site.log) == 1
    assert parts(tmp_path) == []


async def test_without_a_folder_there_are_no_files(site: Site) -> None:
    settings = Settings(allow_private=("127.0.0.1",))
    async with HttpFetch(
        settings,
        sent=lambda _: None,
        room=Room(1_000),
        guard=Guard(settings.allow_private),
        credentials=Credentials(settings),
    ) as fetch:
        assert isinstance(await refused(fetch, site.url("/a")), MediaError)
    assert site.log == []


async def test_a_port_that_nobody_serves_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with opened(tmp_path) as fetch:
        assert isinstance(await refused(fetch, f"http://127.0.0.1:{port}/a"), ConnectError)
    assert parts(tmp_path) == []
