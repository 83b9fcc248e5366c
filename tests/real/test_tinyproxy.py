"""Through Debian's tinyproxy, where what a site sends has passed somebody else's hands."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from crawler.errors import ProxyError
from crawler.request import Request
from tests.fetch.test_cuts import way
from tests.fetch.test_http import opened
from tests.fetch.test_tls import CERTIFICATES, tls
from tests.site import Site

TINYPROXY = shutil.which("tinyproxy", path="/usr/bin:/usr/sbin:/usr/local/bin")
pytestmark = pytest.mark.skipif(
    TINYPROXY is None, reason="apt-get install -y --no-install-recommends tinyproxy-bin"
)
SECRETS = [("Authorization", "Bearer mine"), ("Proxy-Authorization", "Basic bWluZTptaW5l")]


class Running(NamedTuple):
    """A proxy that wants a password: its port, log and process."""

    port: int
    log: Path
    process: asyncio.subprocess.Process

    def url(self, password: str = "pass") -> str:
        """Return its URL."""
        return f"http://me:{password}@127.0.0.1:{self.port}"


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Running]:
    """Debian's, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log, settings = tmp_path / "log", tmp_path / "conf"
    settings.write_text(
        f'Port {port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Info\nLogFile "{log}"\n'
        "MaxClients 50\nBasicAuth me pass\n"
    )
    process = await asyncio.create_subprocess_exec(str(TINYPROXY), "-d", "-c", str(settings))
    try:
        await _listens(port)
        yield Running(port, log, process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _listens(port: int) -> None:
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise AssertionError("tinyproxy did not start")


@asynccontextmanager
async def site_of(scheme: str) -> AsyncIterator[Site]:
    async with Site(tls=tls(CERTIFICATES / "good.pem") if scheme == "https" else None) as site:
        yield site


both = pytest.mark.parametrize("scheme", ["http", "https"])


@both
async def test_pages_come_whole_and_no_secret_goes_astray(proxy: Running, scheme: str) -> None:
    body = bytes(range(256)) * 10_000
    async with site_of(scheme) as site, opened(proxy=proxy.url(), verify_tls=False) as fetch:
        site.page("/", body=body)
        for _ in range(3):
            page = await fetch(Request(site.url(), headers=SECRETS))
            assert page.body == body
        for hit in site.log:
            assert hit.headers["Authorization"] == "Bearer mine"
            assert "Proxy-Authorization" not in hit.headers
    told = proxy.log.read_text()
    line = f"CONNECT {site.host()} HTTP/1.1" if scheme == "https" else f"GET {site.url()} HTTP/1.1"
    assert line in told


@both
async def test_what_breaks_off_behind_it_is_no_page(proxy: Running, scheme: str) -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n4\r\npage\r\n"
    async with site_of(scheme) as site, opened(proxy=proxy.url(), verify_tls=False) as fetch:
        site.raw("/length", head + b"Content-Length: 99\r\n\r\npage")
        site.raw("/chunks", chunked, b"", rest=0.01)
        site.raw("/reset", chunked, b"", rest=0.01, reset=True)
        site.raw("/framing", chunked, b"zz\r\n", rest=0.01)
        site.raw("/nothing")
        for path in ("/length", "/chunks", "/reset", "/nothing"):
            assert await way(fetch, site.url(path)) == ("connect", b"")
        assert await way(fetch, site.url("/framing")) == ("protocol", b"")


@both
async def test_it_dies_within_a_body(proxy: Running, scheme: str) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    async with site_of(scheme) as site, opened(proxy=proxy.url(), verify_tls=False) as fetch:
        site.raw("/", head + b"<p>half", b"", rest=3600.0)
        asked = asyncio.create_task(way(fetch, site.url()))
        while not fetch.room.used:  # noqa: ASYNC110  # the state is the point
            await asyncio.sleep(0.01)
        proxy.process.kill()
        async with asyncio.timeout(5):
            assert await asked == ("connect", b"")
        await proxy.process.wait()  # till then a connection may wait for it
        with pytest.raises(ProxyError, match="the proxy: connection refused"):
            await fetch(site.url())


async def test_it_refuses_by_its_name(proxy: Running) -> None:
    async with site_of("https") as site:
        async with opened(proxy=proxy.url("wrong")) as fetch:
            with pytest.raises(ProxyError, match=r"the proxy refused: 40[17]"):
                await fetch(site.url())
        async with opened(proxy=proxy.url()) as fetch:
            with pytest.raises(ProxyError, match="the proxy refused: 500 Unable to connect"):
                await fetch("https://127.0.0.1:1/")
        assert site.log == []
