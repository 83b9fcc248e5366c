import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from yarl import URL

from crawler.errors import ConnectError, ProxyError, SettingError
from crawler.fetch.http import HttpFetch
from crawler.fetch.proxies import Proxies
from crawler.fetch.room import Room
from crawler.request import Request
from crawler.settings import Settings
from tests.site import Site

CERTIFICATE = Path(__file__).with_name("self_signed.pem")
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy:
    """A small HTTP proxy: absolute targets and CONNECT, one request a connection."""

    def __init__(self, *, secret: str | None = None) -> None:
        self.lines: list[str] = []
        self.url = ""
        self._secret = secret
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._exchange(reader, writer)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, fields = head.partition(b"\r\n")
            self.lines.append(line.decode())
            if self._secret and base64.b64encode(self._secret.encode()) not in fields:
                writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
                return
            method, target, _ = line.decode().split()
            url = URL(f"http://{target}" if method == "CONNECT" else target)
            source, upstream = await asyncio.open_connection(url.host, url.port)
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                upstream.write(f"{method} {url.raw_path_qs} HTTP/1.1\r\n".encode() + fields)
            await asyncio.gather(_pipe(reader, upstream), _pipe(source, writer))
        finally:
            for end in filter(None, (writer, upstream)):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def opened(**settings: Any) -> AsyncIterator[tuple[HttpFetch, list[str]]]:
    sent: list[str] = []
    room = Room(10_000_000)
    async with HttpFetch(
        Settings(**settings), sent=lambda request: sent.append(request.host), room=room
    ) as fetch:
        yield fetch, sent


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def test_a_proxy_is_asked_for_the_page(site: Site) -> None:
    site.page("/", body="hello")
    async with Proxy() as proxy, opened(proxy=proxy.url) as (fetch, sent):
        page = await fetch(Request(site.url()))
        assert page.body == b"hello"
        assert proxy.lines == [f"GET {site.url()} HTTP/1.1"]
        assert sent == [site.host()]


async def test_tls_goes_through_a_tunnel() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    async with Site(tls=tls) as site, Proxy() as proxy:
        site.page("/", body="hello")
        async with opened(proxy=proxy.url, verify_tls=False) as (fetch, sent):
            assert (await fetch(Request(site.url()))).body == b"hello"
        assert proxy.lines == [f"CONNECT {site.host()} HTTP/1.1"]
        assert sent == [site.host()]


async def test_names_are_left_to_the_proxy() -> None:
    async with Proxy() as proxy, opened(proxy=proxy.url) as (fetch, _):
        with pytest.raises(ConnectError):
            await fetch(Request("http://does-not-exist.invalid/"))
        assert proxy.lines == ["GET http://does-not-exist.invalid/ HTTP/1.1"]


async def test_a_secret_of_the_proxy_is_in_its_url(site: Site) -> None:
    site.page("/")
    async with Proxy(secret="me:pass") as proxy:
        secret = str(URL(proxy.url).with_user("me").with_password("pass"))
        async with opened(proxy=secret) as (fetch, _):
            assert (await fetch(Request(site.url()))).status == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_secret_fails(site: Site, scheme: str) -> None:
    async with Proxy(secret="me:pass") as proxy, opened(proxy=proxy.url) as (fetch, _):
        with pytest.raises(ProxyError, match="407"):
            await fetch(Request(f"{scheme}://{site.host()}/"))


async def test_a_proxy_that_is_not_there_fails(site: Site) -> None:
    async with opened(proxy="http://127.0.0.1:1") as (fetch, _):
        with pytest.raises(ProxyError, match="connection refused"):
            await fetch(Request(site.url()))


async def test_the_environment_is_trusted_only_when_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.page("/")
    async with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        async with opened() as (fetch, _):
            await fetch(Request(site.url()))
        assert proxy.lines == []
        async with opened(trust_env=True) as (fetch, _):
            await fetch(Request(site.url()))
        assert len(proxy.lines) == 1


def test_variables_of_the_environment_are_read_by_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "http://all.example")
    monkeypatch.setenv("NO_PROXY", "inside.example,127.0.0.1")
    proxies = Proxies(Settings(trust_env=True))
    assert proxies.proxy_of(URL("https://a.example/")) == URL("http://proxy.example:3128")
    assert proxies.proxy_of(URL("http://a.example/")) == URL("http://all.example")
    assert proxies.proxy_of(URL("https://deep.inside.example/")) is None
    assert proxies.proxy_of(URL("http://127.0.0.1/")) is None


def test_the_setting_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://env.example")
    proxies = Proxies(Settings(trust_env=True, proxy="http://set.example"))
    assert proxies.proxy_of(URL("http://a.example/")) == URL("http://set.example")


@pytest.mark.parametrize("proxy", ["socks5://a.example", "http://", "http://[", ""])
def test_a_proxy_that_is_none_is_an_error(proxy: str) -> None:
    with pytest.raises(SettingError, match="proxy must be"):
        Proxies(Settings(proxy=proxy))
