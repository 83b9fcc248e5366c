import gzip
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import brotli  # type: ignore[import-untyped]  # it has no stubs
import pytest
from aiohttp import web

from crawler.exchange import Exchange
from crawler.fetch.http import HttpFetch
from crawler.fetch.redirects import RedirectLayer
from crawler.fetch.room import Room
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.fetch.test_proxies import CERTIFICATE, Proxy
from tests.site import Site

TEXT = b"<!doctype html><title>hello</title>" * 3_000


@asynccontextmanager
async def opened(room: Room | None = None, **given: Any) -> AsyncIterator[Fetch]:
    settings = Settings(**given)
    async with HttpFetch(
        settings,
        sent=lambda _: None,
        room=room or Room(50_000_000),
        guard=Guard(["127.0.0.0/8"]),
        credentials=Credentials(settings),
        tapes=True,
    ) as http:
        yield RedirectLayer(http, max_redirects=5)


async def taped(request: Request | str, **given: Any) -> tuple[Response, Exchange]:
    async with opened(**given) as fetch:
        page = await fetch(Request(request) if isinstance(request, str) else request)
    (exchange,) = page.exchanges
    return page, exchange


async def test_the_head_is_kept_byte_for_byte(site: Site) -> None:
    head = (
        b"HTTP/1.1 200 Quite  all right\r\nX-oDD:  two  blanks \r\nContent-TYPE: text/html\r\n"
        b"X-Latin: caf\xe9\r\nX-Twice: 1\r\nX-Twice: 2\r\nContent-Length: 5\r\n\r\n"
    )
    site.raw("/", head + b"hello")
    page, exchange = await taped(site.url())
    assert exchange.head == head
    assert exchange.body == page.body == b"hello"
    assert exchange.body is page.body, "a body that is delivered as it came is not there twice"


async def test_a_head_in_pieces_behind_interim_answers_is_the_final_one(site: Site) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n"
    site.raw("/", hints, hints + head[:30], head[30:-1], head[-1:] + b"hi", rest=0.02)
    _, exchange = await taped(site.url())
    assert exchange.head == head


async def test_the_request_is_what_the_server_got(site: Site) -> None:
    site.page("/x?y=1")
    before = time.time()
    _, exchange = await taped(Request(site.url("/x?y=1"), headers=(("X-Mine", "yes"),)))
    (hit,) = site.log
    first, *lines = exchange.request.decode().removesuffix("\r\n\r\n").split("\r\n")
    assert first == "GET /x?y=1 HTTP/1.1"
    assert [tuple(line.split(": ", 1)) for line in lines] == list(hit.headers.items())
    assert ("X-Mine", "yes") in hit.headers.items()
    assert exchange.url == site.url("/x?y=1")
    assert exchange.address == "127.0.0.1"
    assert exchange.protocols == ("http/1.1",)
    assert before <= exchange.at <= time.time()


@pytest.mark.parametrize("size", [7, 1_500_000])
async def test_what_is_posted_is_part_of_the_request(site: Site, size: int) -> None:
    site.page("/form")
    body = b"x" * size
    _, exchange = await taped(Request(site.url("/form"), method="POST", body=body))
    head, _, sent = exchange.request.partition(b"\r\n\r\n")
    assert sent == body
    assert f"Content-Length: {size}".encode() in head


async def test_no_secret_is_kept(site: Site) -> None:
    site.page("/")
    given = {"auth": {site.url(): "me:hunter2"}, "secret_headers": ("X-Key",)}
    own = (("Cookie", "id=hunter2"), ("X-Key", "hunter2"), ("X-Open", "key"))
    _, exchange = await taped(Request(site.url(), headers=own), **given)
    (hit,) = site.log
    assert hit.headers["Cookie"] == "id=hunter2"
    assert b"hunter2" not in exchange.request
    assert b"bWU6aHVudGVyMg==" not in exchange.request
    for line in (b"Cookie: ***", b"X-Key: ***", b"Authorization: ***", b"X-Open: key"):
        assert b"\r\n" + line + b"\r\n" in exchange.request


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("coding", ["gzip", "br"])
async def test_the_body_is_kept_as_it_was_coded_without_its_chunks(
    site: Site, coding: str, chunked: bool
) -> None:
    data = gzip.compress(TEXT) if coding == "gzip" else brotli.compress(TEXT)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        headers = {"Content-Type": "text/html", "Content-Encoding": coding}
        if not chunked:
            return web.Response(body=data, headers=headers)
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, len(data), 100):
            await response.write(data[start : start + 100])
        return response

    site.handle("/", answer)
    page, exchange = await taped(site.url())
    assert page.body == TEXT
    assert exchange.body == data
    assert (b"Transfer-Encoding: chunked" in exchange.head) == chunked


async def test_all_of_it_is_counted_until_the_page_is_released(site: Site) -> None:
    data = gzip.compress(TEXT)
    site.page("/", body=data, headers={"Content-Encoding": "gzip"})
    room = Room(50_000_000)
    async with opened(room) as fetch:
        page = await fetch(Request(site.url()))
        (exchange,) = page.exchanges
        held = len(TEXT) + len(data) + len(exchange.head) + len(exchange.request)
        assert room.used == held
        page.release()
        assert room.used == 0


async def test_redirects_are_kept_with_where_they_led(site: Site) -> None:
    site.redirect("/1", "/2", 301)
    site.page("/2", body=gzip.compress(b""), status=302, headers={
        "Location": "/3", "Content-Encoding": "gzip",
    })  # fmt: skip
    site.page("/3", body="here")
    room = Room(50_000_000)
    async with opened(room) as fetch:
        page = await fetch(Request(site.url("/1")))
        assert [exchange.url for exchange in page.exchanges] == [
            site.url(path) for path in ("/1", "/2", "/3")
        ]
        assert [exchange.status for exchange in page.exchanges] == [301, 302, 200]
        assert page.exchanges[1].body == gzip.compress(b"")
        assert room.used > sum(len(exchange.head) for exchange in page.exchanges)
        page.release()
        assert room.used == 0


async def test_redirects_into_nothing_give_their_room_back(site: Site) -> None:
    site.redirect("/1", "/1")
    room = Room(50_000_000)
    async with opened(room) as fetch:
        with pytest.raises(Exception, match="loop"):
            await fetch(Request(site.url("/1")))
        assert room.used == 0


async def test_a_body_that_is_cut_says_why(site: Site) -> None:
    site.page("/long", body=b"x" * 100_000, status=500)
    head = b"HTTP/1.1 404 No\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n"
    site.raw("/broken", head + b"half")
    bad = b"HTTP/1.1 404 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    site.raw("/garbled", bad)
    cut = {path: (await taped(site.url(path)))[1] for path in ("/long", "/broken", "/garbled")}
    assert {path: one.truncated for path, one in cut.items()} == {
        "/long": "length",
        "/broken": "disconnect",
        "/garbled": "unspecified",
    }
    assert cut["/long"].body == b"x" * 64_000
    assert cut["/broken"].body == b"half"
    assert cut["/garbled"].body == b"nope"


async def test_a_connection_that_is_kept_has_a_tape_of_each_exchange(site: Site) -> None:
    for path in ("/1", "/2"):
        site.page(path, body=path)
    async with opened() as fetch:
        pages = [await fetch(Request(site.url(path))) for path in ("/1", "/2")]
    exchanges = [page.exchanges[0] for page in pages]
    assert [one.request.split()[1] for one in exchanges] == [b"/1", b"/2"]
    assert [one.body for one in exchanges] == [b"/1", b"/2"]
    assert all(one.head.count(b"HTTP/1.1 200") == 1 for one in exchanges)


async def test_tls_is_named_with_its_version() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    async with Site(tls=context) as site:
        site.page("/")
        _, exchange = await taped(site.url(), verify_tls=False)
    assert exchange.protocols == ("http/1.1", "tls/1.3")
    assert exchange.head.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_without_tapes_there_are_no_exchanges(site: Site) -> None:
    site.redirect("/1", "/2")
    site.page("/2")
    settings = Settings()
    async with HttpFetch(
        settings,
        sent=lambda _: None,
        room=Room(1_000_000),
        guard=Guard(["127.0.0.0/8"]),
        credentials=Credentials(settings),
    ) as http:
        page = await RedirectLayer(http, max_redirects=5)(Request(site.url("/1")))
    assert page.exchanges == ()


async def test_behind_a_proxy_the_servers_address_is_not_known_nor_the_secret_kept(
    site: Site,
) -> None:
    site.page("/x")
    async with Proxy(secret="me:hunter2") as proxy:
        told = proxy.url("").replace("://", "://me:hunter2@")
        _, exchange = await taped(site.url("/x"), proxy=told)
    assert exchange.address is None
    assert exchange.request.startswith(f"GET {site.url('/x')} HTTP/1.1\r\n".encode())
    assert b"\r\nProxy-Authorization: ***\r\n" in exchange.request
    assert exchange.head.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_through_a_tunnel_it_is_the_server_that_is_heard() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    async with Proxy(secret="me:hunter2") as proxy, Site(tls=context) as site:
        site.page("/x", body="here")
        told = proxy.url("").replace("://", "://me:hunter2@")
        _, exchange = await taped(site.url("/x"), proxy=told, verify_tls=False)
    assert exchange.request.startswith(b"GET /x HTTP/1.1\r\n")
    assert b"roxy" not in exchange.request
    assert exchange.protocols == ("http/1.1", "tls/1.3")
    assert (exchange.address, exchange.body) == (None, b"here")
