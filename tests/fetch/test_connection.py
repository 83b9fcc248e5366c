"""What a server sends is one answer to one request, whole, or a failure."""

import asyncio
from asyncio import StreamReader, StreamWriter

import aiohttp
import pytest

from crawler.errors import ConnectError, FetchError, ProtocolError
from crawler.fetch.connection import Connector
from crawler.request import Request
from tests.fetch.test_http import Opened, opened
from tests.loopback import Loopback, Streams
from tests.site import Site

OK = b"HTTP/1.1 200 OK\r\n"
PAGE = OK + b"Content-Length: 4\r\n\r\npage"
OTHER = OK + b"Content-Length: 8\r\n\r\nSMUGGLED"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


async def failure(fetch: Opened, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetch(Request(url))
    return caught.value


async def test_a_second_answer_behind_the_first_is_nobodys() -> None:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(PAGE + OTHER)

    async with Loopback(Streams(serve)) as server, opened() as fetch:
        for _ in range(5):
            assert (await fetch(Request(server.url()))).body == b"page"


async def test_an_answer_on_a_connection_that_rests_ends_it() -> None:
    closed = asyncio.Event()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PAGE)
        if not closed.is_set():
            await answered.wait()
            writer.write(OTHER)
            assert await reader.read() == b""  # the other side closed it: nothing more was asked
            closed.set()

    answered = asyncio.Event()
    async with Loopback(Streams(serve)) as server, opened() as fetch:
        assert (await fetch(Request(server.url()))).body == b"page"
        answered.set()
        async with asyncio.timeout(5):
            await closed.wait()
        assert (await fetch(Request(server.url()))).body == b"page"


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
async def test_a_body_without_length_that_a_reset_ends_is_no_page(
    site: Site, version: bytes
) -> None:
    head = version + b" 200 OK\r\nContent-Type: text/html\r\n\r\n"
    site.raw("/cut", head + b"<p>half", b"", rest=0.01, reset=True)
    site.raw("/whole", head + b"<p>whole")
    async with opened() as fetch:
        assert isinstance(await failure(fetch, site.url("/cut")), ConnectError)
        assert (await fetch(Request(site.url("/whole")))).body == b"<p>whole"


@pytest.mark.parametrize(
    "coding", [b"gzip, chunked", b"identity", b"xchunked", b"chunked\r\nTransfer-Encoding: chunked"]
)
async def test_a_transfer_coding_that_nobody_undoes_is_no_page(site: Site, coding: bytes) -> None:
    site.raw("/", OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n4\r\npage\r\n0\r\n\r\n")
    async with opened() as fetch:
        assert isinstance(await failure(fetch, site.url()), ProtocolError)


async def test_chunked_is_read_in_any_case(site: Site) -> None:
    site.raw("/", OK + b"Transfer-Encoding:  Chunked \r\n\r\n4\r\npage\r\n0\r\n\r\n")
    async with opened() as fetch:
        assert (await fetch(Request(site.url()))).body == b"page"


async def test_interim_answers_are_passed_over_up_to_twenty(site: Site) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    site.raw("/few", hint * 20 + PAGE)
    site.raw("/many", hint * 21 + PAGE)
    async with opened() as fetch:
        assert (await fetch(Request(site.url("/few")))).body == b"page"
        error = await failure(fetch, site.url("/many"))
    assert isinstance(error, ProtocolError)
    assert str(error) == "not HTTP: more than 20 interim responses"


async def test_an_unasked_switch_of_protocols_is_no_answer(site: Site) -> None:
    site.raw("/", b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + PAGE)
    async with opened() as fetch:
        assert isinstance(await failure(fetch, site.url()), ProtocolError)


async def flooded(first: bytes, piece: bytes) -> tuple[FetchError, int]:
    """Return how a request ends whose answer never does, and how many bytes were sent."""
    sent = 0

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            sent += len(piece)

    async with Loopback(Streams(serve)) as server, opened(timeout=20) as fetch:
        return await failure(fetch, server.url()), sent


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (OK, b"".join(b"X-%d: " % n + b"y" * 30_000 + b"\r\n" for n in range(10))),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
        (CHUNKED + b"4;x=", b"y" * 100_000),
        (CHUNKED + b"0\r\nX-Trailer: ", b"y" * 100_000),
    ],
    ids=["head", "interim", "chunk-extension", "trailer"],
)
async def test_what_has_no_end_is_broken_off_after_megabytes(first: bytes, piece: bytes) -> None:
    error, sent = await flooded(first, piece)
    assert isinstance(error, ProtocolError)
    assert sent < 30_000_000  # with what the system's buffers took


@pytest.mark.parametrize(
    "pieces",
    [
        [CHUNKED + b"4\r\npage\r\n", b"zz\r\n"],
        [CHUNKED + b"4\r\npa", b"geX"],
        [CHUNKED + b"4\r\npage\r\n", b"0\r\nX-Trailer: ", b"y" * 70_000],
        [CHUNKED + b"4\r\npage\r\n", b"fffffffffffffffff1\r\n"],
    ],
    ids=["size", "end-of-chunk", "trailer", "huge"],
)
async def test_what_goes_wrong_in_a_later_packet_is_heard_at_once(pieces: list[bytes]) -> None:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.02)
        await reader.read()  # until the other side closes

    async with Loopback(Streams(serve)) as server, opened(timeout=20) as fetch:
        async with asyncio.timeout(10):
            assert isinstance(await failure(fetch, server.url()), ProtocolError)


async def test_connections_that_rest_make_room_for_new_ones() -> None:
    hosts = [f"127.0.0.{number}" for number in range(1, 9)]
    async with (
        Site(hosts) as site,
        aiohttp.ClientSession(connector=Connector(most=4, per_host=1)) as session,
    ):
        site.page("/")
        for host in hosts * 2:
            async with session.get(site.url(host=host)) as answer:
                assert answer.status == 200
            connector = session.connector
            assert connector is not None
            assert len(connector._conns) < 4


async def test_chunks_of_one_byte_are_a_page(site: Site) -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % letter for letter in b"page" * 50_000)
    site.raw("/", CHUNKED + chunks + b"0\r\n\r\n")
    async with opened() as fetch:
        assert (await fetch(Request(site.url()))).body == b"page" * 50_000


async def test_cookies_of_a_trailer_are_not_heard(site: Site) -> None:
    site.raw("/", CHUNKED + b"4\r\npage\r\n0\r\nSet-Cookie: a=b\r\n\r\n")
    async with opened() as fetch:
        page = await fetch(Request(site.url()))
    assert page.body == b"page"
    assert "Set-Cookie" not in page.headers
