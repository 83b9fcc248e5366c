import asyncio
import gzip
import ssl
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # it has no stubs
import pytest
from aiohttp import web
from msgspec import structs

from crawler import settings as settings_module
from crawler.errors import (
    BodyError,
    BodyTooLarge,
    ConnectError,
    DnsError,
    FetchError,
    ProtocolError,
    SettingError,
    TimedOut,
    TlsError,
    UnwantedType,
)
from crawler.fetch.headers import Outgoing
from crawler.fetch.http import HttpFetch
from crawler.fetch.room import Room
from crawler.request import Request
from crawler.response import Response
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.loopback import Loopback, Streams
from tests.site import Site

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CERTIFICATE = Path(__file__).with_name("self_signed.pem")
TEXT = b"<!doctype html><title>hello</title>" * 3_000
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=4),
    "zstd": zstd.compress,
}


class Opened:
    """An `HttpFetch` with what it told, and its room."""

    def __init__(self, fetch: HttpFetch, room: Room, sent: list[str]) -> None:
        self.fetch = fetch
        self.room = room
        self.sent = sent

    async def __call__(self, url: str | Request, **fields: Any) -> Response:
        return await self.fetch(url if isinstance(url, Request) else Request(url, **fields))


@asynccontextmanager
async def opened(
    memory_bytes: int = 50_000_000,
    *,
    clock: Callable[[], float] = time.monotonic,
    **settings: Any,
) -> AsyncIterator[Opened]:
    sent: list[str] = []
    room = Room(memory_bytes)
    merged = Settings(**{"allow_private": ("127.0.0.0/8",), **settings})
    async with HttpFetch(
        merged,
        sent=lambda request: sent.append(request.host),
        room=room,
        guard=Guard(merged.allow_private),
        credentials=Credentials(merged),
        clock=clock,
    ) as fetch:
        yield Opened(fetch, room, sent)


@pytest.fixture
async def get() -> AsyncIterator[Opened]:
    async with opened() as one:
        yield one


async def refused(get: Opened, url: str | Request) -> FetchError:
    """Return the error of asking for `url`, after which nothing more may be held."""
    held = get.room.used
    with pytest.raises(FetchError) as caught:
        await get(url)
    assert get.room.used == held
    assert caught.value.url == (url if isinstance(url, str) else url.url)
    assert "\n" not in str(caught.value)
    return caught.value


async def test_a_page_comes_back_whole(site: Site, get: Opened) -> None:
    site.page("/a?b=c", body=TEXT, headers={"X-Thing": "1"})
    request = Request(site.url("/a?b=c"))
    page = await get(request)
    assert (page.status, page.body, page.url) == (200, TEXT, request.url)
    assert page.headers["x-thing"] == "1"
    assert page.request is request
    assert page.redirects == ()
    assert 0.0 < page.seconds < 5.0
    assert page.is_html


async def test_a_body_is_held_until_its_response_is_released(site: Site, get: Opened) -> None:
    site.page("/", body=TEXT)
    page = await get(site.url())
    assert get.room.used == len(TEXT)
    page.release()
    assert get.room.used == 0


async def test_each_request_says_when_it_goes_out(site: Site, get: Opened) -> None:
    site.page("/")
    for _ in range(2):
        await get(site.url())
    assert get.sent == [site.host(), site.host()]


async def test_a_host_that_is_not_reached_was_sent_nothing(get: Opened) -> None:
    await refused(get, "http://127.0.0.1:1/")
    assert get.sent == []


@pytest.mark.parametrize("coding", PACK)
async def test_compressed_bodies_are_decoded(site: Site, get: Opened, coding: str) -> None:
    site.page("/", body=PACK[coding](TEXT), headers={"Content-Encoding": coding})
    page = await get(site.url())
    assert page.body == TEXT
    assert coding in site.log[0].headers["Accept-Encoding"]


@pytest.mark.parametrize("coding", PACK)
async def test_a_bomb_is_dropped_at_the_cap_without_being_held(site: Site, coding: str) -> None:
    bomb = PACK[coding](bytes(100_000_000))
    site.page("/", body=bomb, headers={"Content-Encoding": coding})
    async with opened(body_bytes=5_000_000) as get:
        tracemalloc.start()
        try:
            error = await refused(get, site.url())
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert isinstance(error, BodyTooLarge)
    assert peak < 15_000_000


async def test_a_body_without_announced_size_stops_at_the_cap(site: Site) -> None:
    written = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal written
        answer = web.StreamResponse(headers={"Content-Type": "text/html"})
        await answer.prepare(request)
        while written < 50_000_000:
            await answer.write(bytes(50_000))
            written += 50_000
        return answer

    site.handle("/", endless)
    async with opened(body_bytes=100_000) as get:
        assert isinstance(await refused(get, site.url()), BodyTooLarge)
    assert written < 50_000_000


async def test_an_announced_size_beyond_the_cap_is_not_even_read(site: Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100001\r\n\r\n"
    site.raw("/", head, b"", rest=3600.0)
    async with opened(body_bytes=100_000, read_timeout=5.0) as get:
        assert isinstance(await refused(get, site.url()), BodyTooLarge)


async def test_a_body_of_exactly_the_cap_is_delivered(site: Site) -> None:
    site.page("/", body=TEXT)
    async with opened(body_bytes=len(TEXT)) as get:
        assert (await get(site.url())).body == TEXT


async def test_large_html_is_kept_but_not_parsed(site: Site) -> None:
    site.page("/", body=TEXT)
    async with opened(html_bytes=len(TEXT) - 1) as get:
        page = await get(site.url())
        assert page.body == TEXT
        assert not page.is_html


@pytest.mark.parametrize("status", [301, 403, 404, 500, 503])
async def test_every_status_is_a_response(site: Site, get: Opened, status: int) -> None:
    site.page("/", status=status, body=b"sorry", type="image/png")
    page = await get(site.url())
    assert (page.status, page.body) == (status, b"sorry")


async def test_the_body_of_an_error_is_cut_in_quiet(site: Site, get: Opened) -> None:
    site.page("/", status=404, body=TEXT)
    packed = gzip.compress(bytes(100_000_000))
    site.page("/bomb", status=500, body=packed, headers={"Content-Encoding": "gzip"})
    site.page("/odd", status=500, body=b"plain", headers={"Content-Encoding": "gzip"})
    assert (await get(site.url())).body == TEXT[:64_000]
    assert (await get(site.url("/bomb"))).body == bytes(64_000)
    assert (await get(site.url("/odd"))).body == b""


async def test_an_admitted_status_is_delivered_whole(site: Site) -> None:
    site.page("/", status=404, body=TEXT)
    site.page("/image", status=404, body=b"x", type="image/png")
    async with opened(statuses=(404,)) as get:
        assert (await get(site.url())).body == TEXT
        assert isinstance(await refused(get, site.url("/image")), UnwantedType)


async def test_an_unwanted_type_is_dropped_at_the_header(site: Site, get: Opened) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 9000000\r\n\r\n"
    site.raw("/film", head, b"", rest=3600.0)
    site.page("/")
    error = await refused(get, site.url("/film"))
    assert isinstance(error, UnwantedType)
    assert "video/mp4" in str(error)
    assert (await get(site.url())).status == 200


async def test_only_pages_are_judged_by_type(site: Site, get: Opened) -> None:
    site.page("/robots.txt", body=b"User-agent: *", type="application/octet-stream")
    site.page("/map.gz", body=b"gz", type="application/gzip")
    assert (await get(site.url("/robots.txt"), kind="robots")).body == b"User-agent: *"
    assert (await get(site.url("/map.gz"), kind="sitemap")).body == b"gz"


async def test_a_missing_type_is_accepted(site: Site, get: Opened) -> None:
    site.raw("/", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    page = await get(site.url())
    assert (page.body, page.mime) == (b"ok", "")


@pytest.mark.parametrize("status", ["301 Moved", "404 Not Found"])
async def test_a_status_counts_though_its_body_breaks_off(
    site: Site, get: Opened, status: str
) -> None:
    head = f"HTTP/1.1 {status}\r\nLocation: /b\r\nContent-Length: 100\r\n\r\nhal".encode()
    site.raw("/", head)
    page = await get(site.url())
    assert (page.status, page.body) == (int(status[:3]), b"hal")


@pytest.mark.parametrize("status", ["301 Moved", "404 Not Found"])
async def test_a_status_counts_though_its_body_drips(site: Site, status: str) -> None:
    head = f"HTTP/1.1 {status}\r\nLocation: /b\r\nContent-Length: 100\r\n\r\n".encode()
    site.raw("/", head, *[b"x"] * 100, rest=0.01)
    hours = count(0.0, 3_600.0)
    async with opened(clock=lambda: next(hours)) as get:
        page = await get(site.url())
    assert page.status == int(status[:3])
    assert len(page.body) < 10


async def test_the_body_of_a_redirect_is_not_decoded_nor_read_to_its_end(site: Site) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    headers = {"Location": "/b", "Content-Encoding": "gzip"}
    site.page("/bomb", status=301, body=bomb, headers=headers)
    site.page("/odd", status=302, body=b"plain", headers={**headers, "Content-Encoding": "wat"})
    site.page("/long", status=303, body=b"x" * 1_000_000, headers={"Location": "/b"})
    site.page("/", status=300, body=TEXT)
    async with opened(body_bytes=100_000) as get:
        assert (await get(site.url("/bomb"))).body == b""
        assert (await get(site.url("/odd"))).body == b""
        assert (await get(site.url("/long"))).body == b"x" * 4_096
        assert (await get(site.url())).body == TEXT[:64_000]  # leads nowhere: an error's body


async def test_a_long_robots_txt_is_cut(site: Site, get: Opened) -> None:
    site.robots("#" * 2_000_000)
    assert len((await get(site.url("/robots.txt"), kind="robots")).body) == 500 * 1024


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_body_have_none(site: Site, get: Opened, status: int) -> None:
    site.page("/", status=status, body=b"")
    page = await get(site.url())
    assert (page.status, page.body) == (status, b"")


async def test_head_has_headers_and_no_body(site: Site, get: Opened) -> None:
    site.page("/", body=gzip.compress(TEXT), headers={"Content-Encoding": "gzip"})
    page = await get(site.url(), method="HEAD")
    assert (page.status, page.body) == (200, b"")


@pytest.mark.parametrize("size", [10, 3_000_000])
async def test_a_body_is_posted(site: Site, get: Opened, size: int) -> None:
    site.page("/")
    await get(site.url(), body=b"x" * size, headers={"Content-Type": "text/plain"})
    hit = site.log[0]
    assert (hit.method, len(hit.body)) == ("POST", size)
    assert hit.headers["Content-Type"] == "text/plain"


async def test_headers_of_the_request_win_over_settings_over_ours(site: Site) -> None:
    site.page("/")
    headers = {"accept": "text/html", "X-One": "setting", "X-Two": "setting"}
    async with opened(user_agent="me/1", headers=headers) as get:
        await get(site.url(), headers=(("x-one", "request"), ("X-ONE", "twice")))
    sent = site.log[0].headers
    assert sent["User-Agent"] == "me/1"
    assert sent.getall("Accept") == ["text/html"]
    assert sent.getall("X-One") == ["request", "twice"]
    assert sent["X-Two"] == "setting"


async def test_we_say_who_we_are(site: Site, get: Opened) -> None:
    site.page("/")
    await get(site.url())
    assert site.log[0].headers["User-Agent"] == settings_module.USER_AGENT
    assert "text/html" in site.log[0].headers["Accept"]


@pytest.mark.parametrize("headers", [{"X-A": "b\nc"}, {"X A": "b"}, {"": "b"}])
def test_headers_that_cannot_be_sent_are_an_error_at_once(headers: dict[str, str]) -> None:
    settings = Settings(headers=headers)
    with pytest.raises(SettingError):
        Outgoing(settings, Credentials(settings))


async def test_a_header_of_a_layer_that_cannot_be_sent_is_a_failure(
    site: Site, get: Opened
) -> None:
    unchecked = structs.replace(Request(site.url()), headers=(("X-A", "b\r\nX-B: c"),))
    error = await refused(get, unchecked)
    assert not error.transient
    assert site.log == []


async def test_user_and_password_of_a_url_are_not_sent(site: Site, get: Opened) -> None:
    site.page("/")
    smuggled = structs.replace(Request(site.url()), url=f"http://me:pass@{site.host()}/")
    await get(smuggled)
    assert site.log[0].headers.keys() & {"Authorization"} == set()
    assert site.log[0].headers["Host"] == site.host()


async def test_a_url_goes_out_byte_for_byte(site: Site, get: Opened) -> None:
    target = "/a%2Fb/%7Ec;d='e'/%C3%A9?q=%20+&r=[x]|y"
    await get(site.url(target))
    assert site.paths == [target]


async def test_headers_with_odd_bytes_are_text_all_the_same(site: Site, get: Opened) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Old: caf\xe9\r\nX-New: caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n"
    site.raw("/", head)
    page = await get(site.url())
    assert (page.headers["X-Old"], page.headers["X-New"]) == ("café", "café")


async def test_headers_far_beyond_the_usual_are_read(site: Site, get: Opened) -> None:
    many = [("Set-Cookie", f"c{n}=v") for n in range(150)]
    site.page("/", headers=[("X-Policy", "x" * 30_000), *many])
    page = await get(site.url())
    assert len(page.headers["X-Policy"]) == 30_000
    assert len(page.headers.getall("Set-Cookie")) == 150


async def test_a_name_that_does_not_resolve(get: Opened) -> None:
    error = await refused(get, "http://does-not-exist.invalid/")
    assert isinstance(error, DnsError)


async def test_a_name_no_dns_can_carry(get: Opened) -> None:
    await refused(get, f"http://{'a' * 64}.example/")


async def test_an_address_needs_no_resolver(site: Site, get: Opened) -> None:
    site.page("/")
    before = set(threading.enumerate())
    await get(site.url())
    assert not set(threading.enumerate()) - before


async def test_a_name_is_resolved(site: Site, get: Opened) -> None:
    site.page("/")
    assert (await get(f"http://localhost:{site.port}/")).status == 200


async def test_nobody_listens(get: Opened) -> None:
    error = await refused(get, "http://127.0.0.1:1/")
    assert isinstance(error, ConnectError)
    assert str(error) == "connection refused"


async def test_tls_to_a_plain_port(site: Site, get: Opened) -> None:
    error = await refused(get, f"https://{site.host()}/")
    assert isinstance(error, TlsError)
    assert not error.transient


async def test_a_certificate_is_checked_unless_it_shall_not_be(get: Opened) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    async with Site(tls=tls) as site:
        site.page("/", body=TEXT)
        error = await refused(get, site.url())
        assert isinstance(error, TlsError)
        assert "self-signed" in str(error)
        async with opened(verify_tls=False) as lenient:
            assert (await lenient(site.url())).body == TEXT


async def test_a_silent_server(site: Site) -> None:
    site.silent("/")
    async with opened(read_timeout=0.05) as get:
        error = await refused(get, site.url())
    assert isinstance(error, TimedOut)
    assert "read_timeout" in str(error)


async def test_a_dripping_server(site: Site) -> None:
    site.drip("/", rest=0.01)
    async with opened(timeout=0.1) as get:
        error = await refused(get, site.url())
    assert isinstance(error, TimedOut)
    assert str(error) == "the request took longer than timeout"


async def test_a_server_may_take_its_time_if_it_is_never_silent(site: Site) -> None:
    head = [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"Content-Length: 8\r\n"]
    site.raw("/", *head, b"\r\n", *[b"x"] * 8, rest=0.05)
    async with opened(read_timeout=0.2) as get:
        page = await get(site.url())
    assert page.body == b"x" * 8
    assert page.seconds > 0.3


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
async def test_a_server_that_falls_silent_inside_a_body(site: Site, status: str) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\nabc"
    site.raw("/", head.encode(), b"", rest=3600.0)
    async with opened(read_timeout=0.05) as get:
        if status == "200 OK":
            error = await refused(get, site.url())
            assert isinstance(error, TimedOut)
            assert "read_timeout" in str(error)
        else:  # the status says enough
            page = await get(site.url())
            assert (page.status, page.body) == (404, b"abc")


async def test_a_server_that_falls_silent_behind_an_interim_answer(site: Site) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    site.raw("/hint", hint, b"", rest=3600.0)
    site.raw("/begun", hint + b"HTTP/1.1 200 OK\r\n", b"", rest=3600.0)
    async with opened(read_timeout=0.05) as get:
        for path in ("/hint", "/begun"):
            error = await refused(get, site.url(path))
            assert str(error) == "the server was silent for longer than read_timeout"


async def test_an_upload_may_take_longer_than_read_timeout() -> None:
    size = 20_000_000

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        await reader.readexactly(size)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmuch")

    async with Loopback(Streams(slow)) as server, opened(read_timeout=0.1) as get:
        page = await get(server.url(), body=bytes(size))
    assert page.body == b"much"


async def test_a_request_has_its_own_timeout(site: Site, get: Opened) -> None:
    site.silent("/")
    assert isinstance(await refused(get, Request(site.url(), timeout=0.05)), TimedOut)


async def test_a_server_that_never_shakes_hands() -> None:
    left = asyncio.Event()

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()
        await writer.wait_closed()
        left.set()

    async with Loopback(Streams(nothing)) as server, opened(connect_timeout=0.05) as get:
        error = await refused(get, f"https://{server.host()}/")
        await left.wait()
    assert isinstance(error, TimedOut)
    assert "connect_timeout" in str(error)


@pytest.mark.parametrize("size", [10_000, 3_000_000])
async def test_waiting_for_room_does_not_count_as_time(site: Site, size: int) -> None:
    site.page("/", body=bytes(size))
    async with opened(memory_bytes=size, timeout=0.2, read_timeout=0.2) as get:
        first = await get(site.url())
        waiting = asyncio.create_task(get(site.url()))
        await asyncio.wait([waiting], timeout=0.4)  # twice what the server would get
        assert not waiting.done()
        first.release()
        second = await waiting
        assert len(second.body) == size
        assert second.seconds < 0.3
        second.release()
        assert get.room.used == 0


async def test_an_empty_body_waits_for_no_room(site: Site) -> None:
    site.page("/", body=bytes(10_000))
    site.raw("/empty", b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
    async with opened(memory_bytes=10_000) as get:
        first = await get(site.url())
        waiting = asyncio.create_task(get(site.url()))
        while not get.room._waiting:  # noqa: ASYNC110  # the state is the point
            await asyncio.sleep(0)
        async with asyncio.timeout(2):  # the room lets somebody pass after 5 s only
            assert (await get(site.url("/empty"))).status == 301
        first.release()
        (await waiting).release()


async def test_a_cancelled_request_gives_its_room_back(site: Site, get: Opened) -> None:
    site.drip("/", rest=0.01)
    task = asyncio.create_task(get(site.url()))
    while not get.room.used:  # noqa: ASYNC110  # the state is the point
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert get.room.used == 0


async def test_a_connection_reset(site: Site, get: Opened) -> None:
    site.raw("/", reset=True)
    error = await refused(get, site.url())
    assert isinstance(error, ConnectError)
    assert error.transient


async def test_a_broken_new_connection_is_not_asked_again_behind_the_pacers_back(
    site: Site, get: Opened
) -> None:
    site.raw("/")
    error = await refused(get, site.url())
    assert str(error) == "the server closed the connection without an answer"
    assert site.paths == ["/"]
    assert get.sent == [site.host()]


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(
    site: Site, get: Opened
) -> None:
    site.page("/")
    await get(site.url())
    site.raw("/bye")
    with pytest.raises(ConnectError):
        await get(site.url("/bye"))
    # The kept connection was taken and closed; what came then was one try on a new one.
    assert site.paths == ["/", "/bye", "/bye"]
    assert get.sent == [site.host()] * 3


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\x01\x02\x03" * 100,
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 1_000 + b"\r\n",
    ],
)
async def test_what_is_not_http(site: Site, get: Opened, answer: bytes) -> None:
    site.raw("/", answer)
    error = await refused(get, site.url())
    assert isinstance(error, ProtocolError)
    assert error.transient
    assert len(str(error)) < 200


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(TEXT)[:-9],
    ],
)
async def test_a_body_that_ends_too_early(site: Site, get: Opened, answer: bytes) -> None:
    site.raw("/", answer)
    error = await refused(get, site.url())
    assert isinstance(error, ConnectError)
    assert error.transient


async def test_a_body_in_an_encoding_nobody_knows(site: Site, get: Opened) -> None:
    site.page("/", body=TEXT, headers={"Content-Encoding": "wat"})
    error = await refused(get, site.url())
    assert isinstance(error, BodyError)
    assert "wat" in str(error)


async def test_redirects_are_not_followed_here(site: Site, get: Opened) -> None:
    site.redirect("/", "/next", 302, headers={"Set-Cookie": "a=b"})
    assert (await get(site.url())).status == 302
    site.page("/next")
    await get(site.url("/next"))
    assert "Cookie" not in site.log[1].headers


async def test_many_requests_at_once_share_one_session(site: Site, get: Opened) -> None:
    for number in range(100):
        site.page(f"/{number}", body=str(number))
    async with asyncio.TaskGroup() as tasks:
        pages = [tasks.create_task(get(site.url(f"/{number}"))) for number in range(100)]
    assert [page.result().body for page in pages] == [b"%d" % number for number in range(100)]
