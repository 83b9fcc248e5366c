"""What goes wrong within TLS, and who is trusted."""

import asyncio
import os
import socket
import ssl
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import pytest

from crawler.errors import ConnectError
from crawler.request import Request
from tests.fetch.test_cuts import way
from tests.fetch.test_http import opened
from tests.site import Site

# An authority of our own, until 2126; what it signed for localhost and 127.0.0.1, and the same
# that ended in 2021.
CERTIFICATES = Path(__file__).with_name("certificates")
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
UNTRUSTED = Path(__file__).with_name("self_signed.pem")

End = Literal["said", "unsaid", "reset", "plain", "open"]


def tls(certificate: Path = UNTRUSTED) -> ssl.SSLContext:
    """Return a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Secure:
    """Answers once over TLS, in a thread, and ends the connection in one way of several.

    It says within TLS that it closes, or does not, or resets; or goes on in plain text; or leaves
    its side open, until the other side has closed.
    """

    def __init__(self, answer: bytes, end: End, *, more: bytes = b"") -> None:
        self._answer = answer
        self._end = end
        self._more = more
        self.wanted = threading.Event()
        """Set to let `more` of the answer come."""
        self.ended = threading.Event()

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.served = asyncio.create_task(asyncio.to_thread(self._serve))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.served
        self._listener.close()

    def _serve(self) -> None:
        plain, _ = self._listener.accept()
        with tls().wrap_socket(plain, server_side=True) as secure:
            secure.recv(65_536)
            secure.sendall(self._answer)
            if self._more:
                self.wanted.wait()
                secure.sendall(self._more)
            with suppress(OSError):
                if self._end == "said":
                    secure.settimeout(0.1)
                    secure.unwrap()  # which waits for the other side to say so as well
                elif self._end == "reset":
                    linger = struct.pack("ii", 1, 0)
                    secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.ended.set()
            with socket.socket(fileno=secure.detach()) as rest, suppress(OSError):
                if self._end == "plain":
                    rest.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                while self._end in ("plain", "open") and rest.recv(65_536):
                    pass


@pytest.mark.parametrize("end", ["said", "unsaid", "reset", "plain"])
@pytest.mark.parametrize(
    "answer",
    [OK + b"Content-Length: 99\r\n\r\npage", CHUNKED + b"4\r\npage\r\n", OK + b"Content", b""],
    ids=["length", "chunks", "head", "nothing"],
)
async def test_what_tls_cuts_is_no_page(answer: bytes, end: End) -> None:
    async with Secure(answer, end) as server, opened(verify_tls=False) as fetch:
        assert await way(fetch, server.url) == ("connect", b"")


@pytest.mark.parametrize("end", ["said", "unsaid"])
async def test_a_body_without_length_ends_with_its_connection(end: End) -> None:
    async with Secure(OK + b"\r\npage", end) as server, opened(verify_tls=False) as fetch:
        assert await way(fetch, server.url) == ("page", b"page")


async def test_tls_that_breaks_off_is_called_so() -> None:
    async with Secure(b"", "plain") as server, opened(verify_tls=False) as fetch:
        with pytest.raises(ConnectError, match="TLS broke off: wrong version number"):
            await fetch(Request(server.url))


async def test_a_handshake_that_is_closed_says_so() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened() as fetch:
        with pytest.raises(ConnectError, match=r"^no connection: the other side closed it$"):
            await fetch(Request(f"https://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (OK + b"Connection: close\r\nContent-Length: 4\r\n\r\npage", "page"),
        (OK + b"Content-Length: 999999999\r\n\r\n", "too_large"),
        (CHUNKED + b"4\r\npage\r\nzz\r\n", "protocol"),
        (OK + b"Content-Length: 9\r\n\r\npage", "timeout"),
    ],
)
async def test_no_server_holds_a_connection_by_not_closing_it(answer: bytes, kind: str) -> None:
    async with (
        Secure(answer, "open") as server,
        opened(verify_tls=False, read_timeout=0.2) as fetch,
    ):
        assert (await way(fetch, server.url))[0] == kind
        async with asyncio.timeout(5):
            await server.served


@pytest.mark.parametrize(
    ("last", "kind"), [(b"0\r\n\r\n", "page"), (b"zz\r\n", "protocol"), (b"", "connect")]
)
async def test_a_body_that_waits_for_room_ends_the_same_though_tls_is_closed(
    last: bytes, kind: str
) -> None:
    chunk = b"3e80\r\n" + bytes(16_000) + b"\r\n"
    size = 11 * 16_000
    async with (
        Site() as site,
        Secure(CHUNKED + chunk, "said", more=chunk * 10 + last) as server,
        opened(memory_bytes=size, verify_tls=False) as fetch,
    ):
        site.page("/", body=bytes(size))
        first = await fetch(site.url())
        waiting = asyncio.create_task(way(fetch, server.url))
        while not fetch.room._waiting:  # noqa: ASYNC110  # the state is the point
            await asyncio.sleep(0)
        server.wanted.set()
        server.ended.wait()  # nothing more is read before all of it is there
        await asyncio.wait([waiting], timeout=0.1)
        first.release()
        assert await waiting == (kind, bytes(size) if kind == "page" else b"")


_ASK = """
import asyncio, sys
from crawler import Failure, fetch_all

async def main():
    async with fetch_all(sys.argv[1:], obey_robots=False, retries=0) as pages:
        async for page in pages:
            print(page.kind, page.reason) if isinstance(page, Failure) else print(page.body)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("certificate", "host", "end"),
    [
        (CERTIFICATES / "good.pem", "127.0.0.1", "hello"),
        (CERTIFICATES / "good.pem", "localhost", "hello"),
        (CERTIFICATES / "good.pem", "127.0.0.2", "tls the certificate does not check out: IP"),
        (CERTIFICATES / "expired.pem", "127.0.0.1", "certificate has expired"),
        (UNTRUSTED, "127.0.0.1", "self-signed certificate"),
    ],
)
async def test_an_authority_of_ones_own_is_named_by_the_environment(
    certificate: Path, host: str, end: str
) -> None:
    async with Site(["127.0.0.1", "127.0.0.2"], tls=tls(certificate)) as site:
        site.page("/", body="hello")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _ASK, site.url(host=host)),
            env={**os.environ, "SSL_CERT_FILE": str(CERTIFICATES / "ca.pem")},
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
    assert end in told.decode()
    assert len(site.log) == (end == "hello")
