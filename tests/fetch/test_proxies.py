import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from yarl import URL

from crawler.errors import AddressRefused, ConnectError, ProxyError, SettingError, TlsError
from crawler.fetch.http import HttpFetch
from crawler.fetch.proxies import Proxies
from crawler.fetch.redirects import RedirectLayer
from crawler.fetch.room import Room
from crawler.request import Request
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.loopback import Loopback, Streams
from tests.site import Site

CERTIFICATE = Path(__file__).with_name("self_signed.pem")
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy(Loopback):
    """A small HTTP proxy: absolute targets and CONNECT, one request a connection."""

    def __init__(self, *, secret: str | None = None) -> None:
        super().__init__(Streams(self._serve))
        self.lines: list[str] = []
        self.heads: list[bytes] = []
        self._secret = secret

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # also: whom it is asked for is not there
            await self._exchange(reader, writer)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: asyncio.StreamWriter | None = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, fields = head.partition(b"\r\n")
            self.lines.append(line.decode())
            self.heads.append(fields.lower())
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
async def opened(
    seeds: Sequence[str] = (), **settings: Any
) -> AsyncIterator[tuple[HttpFetch, list[str]]]:
    sent: list[str] = []
    room = Room(10_000_000)
    merged = Settings(**{"allow_private": ("127.0.0.0/8",), **settings})
    guard, credentials = Guard(merged.allow_private), Credentials(merged)
    for seed in seeds:
        guard.add_seed(seed)
        credentials.add_seed(seed)
    async with HttpFetch(
        merged,
        sent=lambda request: sent.append(request.host),
        room=room,
        guard=guard,
        credentials=credentials,
    ) as fetch:
        yield fetch, sent


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def test_a_proxy_is_asked_for_the_page(site: Site) -> None:
    site.page("/", body="hello")
    async with Proxy() as proxy, opened(proxy=proxy.url()) as (fetch, sent):
        page = await fetch(Request(site.url()))
        assert page.body == b"hello"
        assert proxy.lines == [f"GET {site.url()} HTTP/1.1"]
        assert sent == [site.host()]


async def test_tls_goes_through_a_tunnel() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    async with Site(tls=tls) as site, Proxy() as proxy:
        site.page("/", body="hello")
        async with opened(proxy=proxy.url(), verify_tls=False) as (fetch, sent):
            assert (await fetch(Request(site.url()))).body == b"hello"
        assert proxy.lines == [f"CONNECT {site.host()} HTTP/1.1"]
        assert sent == [site.host()]


async def test_names_are_left_to_the_proxy() -> None:
    async with Proxy() as proxy, opened(proxy=proxy.url()) as (fetch, _):
        with pytest.raises(ConnectError):
            await fetch(Request("http://does-not-exist.invalid/"))
        assert proxy.lines == ["GET http://does-not-exist.invalid/ HTTP/1.1"]


async def test_a_secret_of_the_proxy_is_in_its_url(site: Site) -> None:
    site.page("/")
    async with Proxy(secret="me:pass") as proxy:
        secret = str(URL(proxy.url()).with_user("me").with_password("pass"))
        async with opened(proxy=secret) as (fetch, _):
            assert (await fetch(Request(site.url()))).status == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_secret_fails(site: Site, scheme: str) -> None:
    async with Proxy(secret="me:pass") as proxy, opened(proxy=proxy.url()) as (fetch, _):
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
        monkeypatch.setenv("http_proxy", proxy.url())
        async with opened() as (fetch, _):
            await fetch(Request(site.url()))
        assert proxy.lines == []
        async with opened(trust_env=True) as (fetch, _):
            await fetch(Request(site.url()))
        assert len(proxy.lines) == 1


LOCAL = [
    "127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]",
    "intranet", "printer.local", "metadata.google.internal",
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LOCAL)
async def test_a_proxy_is_not_asked_for_what_is_private(scheme: str, host: str) -> None:
    async with Proxy() as proxy, opened(proxy=proxy.url(), allow_private=()) as (fetch, sent):
        with pytest.raises(AddressRefused):
            await fetch(Request(f"{scheme}://{host}:81/"))
        assert (proxy.lines, sent) == ([], [])


async def test_a_proxy_may_be_private_and_is_asked_for_private_seeds(site: Site) -> None:
    site.page("/", body="hello")
    async with (
        Proxy() as proxy,
        opened([site.url()], proxy=proxy.url(), allow_private=()) as (fetch, _),
    ):
        assert (await fetch(Request(site.url()))).body == b"hello"
        with pytest.raises(AddressRefused):
            await fetch(Request(proxy.url()))


async def test_the_proxys_secret_is_told_the_proxy_alone() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    own = [("Proxy-Authorization", "Basic bWluZTptaW5l"), ("Authorization", "Bearer mine")]
    async with Site(tls=tls) as safe, Site() as plain, Proxy(secret="me:pass") as proxy:
        safe.page("/")
        plain.page("/")
        secret = str(URL(proxy.url()).with_user("me").with_password("pass"))
        async with opened(proxy=secret, verify_tls=False) as (fetch, _):
            await fetch(Request(safe.url(), headers=own))
        async with opened() as (fetch, _):
            await fetch(Request(plain.url(), headers=own))
        (tunnel,) = proxy.heads
        assert b"proxy-authorization: basic bwu6cgfzcw==" in tunnel
        assert b"mine" not in tunnel
        for hit in (*safe.log, *plain.log):
            assert "Proxy-Authorization" not in hit.headers
            assert hit.headers["Authorization"] == "Bearer mine"


async def test_a_secret_header_of_the_settings_is_not_told_a_proxy_that_tunnels() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    headers = {"Authorization": "Bearer mine", "Cookie": "mine"}
    async with Site(tls=tls) as site, Proxy() as proxy:
        site.page("/")
        settings = {"proxy": proxy.url(), "headers": headers, "verify_tls": False}
        async with opened([site.url()], **settings) as (fetch, _):
            await fetch(Request(site.url()))
        assert site.log[0].headers["Authorization"] == "Bearer mine"
        assert b"mine" not in proxy.heads[0]


async def test_each_hop_has_the_proxy_that_is_for_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Site(["127.0.0.2"]) as direct, Proxy(secret="me:pass") as proxy:
        direct.redirect("/", site.url("/there"))
        site.redirect("/there", direct.url("/back"))
        direct.page("/back")
        secret = str(URL(proxy.url()).with_user("me").with_password("pass"))
        monkeypatch.setenv("http_proxy", secret)
        monkeypatch.setenv("no_proxy", "127.0.0.2")
        async with opened(trust_env=True) as (fetch, _):
            robots = structs.replace(Request(direct.url()), kind="robots")  # follows to any host
            page = await RedirectLayer(fetch, max_redirects=5)(robots)
        assert page.url == direct.url("/back")
        assert proxy.lines == [f"GET {site.url('/there')} HTTP/1.1"]
        for hit in direct.log:
            assert "Proxy-Authorization" not in hit.headers


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_certificates_are_checked_unless_the_user_says_not_to(scheme: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    async with Site(tls=tls) as site, Proxy() as proxy:
        site.page("/")
        through = {"proxy": proxy.url()} if scheme == "http" else {}
        async with opened(**through) as (fetch, _):
            with pytest.raises(TlsError, match="certificate does not check out"):
                await fetch(Request(site.url()))
        assert site.log == []
        async with opened(verify_tls=False, **through) as (fetch, _):
            assert (await fetch(Request(site.url()))).status == 200


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


@pytest.mark.parametrize("proxy", ["socks5://me:hunter2@a.example", "http://me:hunter2@["])
def test_an_error_does_not_show_a_proxys_secret(proxy: str) -> None:
    with pytest.raises(SettingError, match=r"proxy must be .*\*\*\*@") as error:
        Proxies(Settings(proxy=proxy))
    assert "hunter2" not in str(error.value)
