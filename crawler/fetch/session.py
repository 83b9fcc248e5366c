"""The aiohttp session."""

import socket
from typing import Any, ClassVar
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType, Connection
from multidict import CIMultiDict

from crawler.descriptors import most_connections
from crawler.fetch.connection import Connection as Answering
from crawler.fetch.connection import Connector
from crawler.fetch.failures import FOREIGN
from crawler.fetch.tape import TapedConnection
from crawler.fetch.trip import Trip, trip
from crawler.settings import Settings

# Real sites send policies and cookies far beyond aiohttp's 8 KB a line and 128 headers.
_LINE_BYTES = 65_536
_HEADERS = 256
# aiohttp reads ahead up to twice this per connection, before `memory_bytes` counts it.
_READ_AHEAD = 65_536
# Idle connections cost files, and a broad crawl has a new host every few milliseconds; servers
# (Apache) close theirs after 5 s as well.
_KEEPALIVE_SECONDS = 5.0
_DNS_SECONDS = 300


class _Request(aiohttp.ClientRequest):
    """Tells the trip that it goes out.

    aiohttp's tracing would tell as well, at 10 µs a request.
    """

    _used: ClassVar[WeakSet[object]] = WeakSet()

    def update_headers(self, headers: Any) -> None:
        """Take those of session and request as they are, behind the host."""
        host = self.url.host_port_subcomponent
        if host is None or "Host" in headers:
            super().update_headers(headers)
        else:
            self.headers = CIMultiDict([("Host", host), *headers.items()])

    def update_auto_headers(self, skip_auto_headers: Any) -> None:
        """Fill in nothing: `Outgoing` has all that aiohttp would."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request on a connection."""
        current = trip.get()
        current.reused = conn.protocol in self._used
        if not current.reused:
            self._used.add(conn.protocol)
        current.headers_sent()
        try:
            return await super().send(conn)
        except FOREIGN as error:
            raise _judged(error, current) from error


class _Response(aiohttp.ClientResponse):
    """Lets aiohttp ask again at once only where a kept connection was closed meanwhile.

    Then the server has not seen the request (RFC 9112 9.3.1). On a new connection it has, and
    asking twice would break the delay.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read the answer's head."""
        try:
            return await super().start(connection)
        except FOREIGN as error:
            raise _judged(error, trip.get()) from error


class _TapedRequest(_Request):
    """Lets the trip have what goes over a `TapedConnection`."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Send the request on a connection."""
        taped: Any = conn.protocol
        trip.get().tape = taped.tape
        taped.tape.goes_over(taped.transport)
        return await super().send(conn)


def _judged(error: Exception, current: Trip) -> Exception:
    return error if current.reused else current.judged(error)


def _socket(info: AddrInfoType) -> socket.socket:
    """Return a socket for an address that may be connected to.

    aiohttp connects to nothing but by this, also where no name was resolved and where several
    addresses are tried at once (in tasks, to which the context is handed down).
    """
    family, kind, protocol, _, address = info
    trip.get().connecting(address[0], address[1])
    return socket.socket(family, kind, protocol)


def open_session(
    settings: Settings, *, headers: CIMultiDict[str], resolver: AbstractResolver, tapes: bool
) -> aiohttp.ClientSession:
    """Return a session that neither decodes, redirects, keeps cookies nor bounds concurrency.

    Every request sends `headers`. Whoever makes one sets `trip` before; if it `tapes`, there is a
    `tape` in it when the answer begins.
    """
    connector = Connector(
        kind=TapedConnection if tapes else Answering,
        most=most_connections(),
        per_host=settings.per_host,
        limit=0,  # the engine bounds what is under way
        resolver=resolver,
        ttl_dns_cache=_DNS_SECONDS,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        ssl=settings.verify_tls,
        socket_factory=_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(
            total=None, connect=settings.connect_timeout, sock_read=settings.read_timeout
        ),
        request_class=_TapedRequest if tapes else _Request,
        response_class=_Response,
        read_bufsize=_READ_AHEAD,
        max_line_size=_LINE_BYTES,
        max_field_size=_LINE_BYTES,
        max_headers=_HEADERS,
    )
