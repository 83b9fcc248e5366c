"""The aiohttp session, and what every request sends."""

import re
from contextvars import ContextVar
from typing import Any, ClassVar, Protocol
from weakref import WeakSet

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict

from crawler.errors import SettingError
from crawler.fetch.dns import Resolver
from crawler.fetch.failures import FOREIGN
from crawler.request import Headers
from crawler.settings import Settings

_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_ACCEPT_ENCODING = "gzip, deflate, br, zstd"
# Real sites send policies and cookies far beyond aiohttp's 8 KB a line and 128 headers.
_LINE_BYTES = 65_536
_HEADERS = 256
# aiohttp reads ahead up to twice this per connection, before `memory_bytes` counts it.
_READ_AHEAD = 65_536
# Idle connections cost files, and a broad crawl has a new host every few milliseconds; servers
# (Apache) close theirs after 5 s as well.
_KEEPALIVE_SECONDS = 5.0
_DNS_SECONDS = 300
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\0\r\n]")


def own_headers(settings: Settings) -> CIMultiDict[str]:
    """Return what every request sends. Raises `SettingError` for headers that cannot be."""
    headers = CIMultiDict({"Accept": _ACCEPT, "Accept-Encoding": _ACCEPT_ENCODING})
    for name, value in {"User-Agent": settings.user_agent, **settings.headers}.items():
        if not _FIELD_NAME.fullmatch(name) or _CONTROL.search(value):
            raise SettingError(f"headers: {name!r}: {value!r} is not a header that can be sent")
        headers[name] = value
    return headers


def headers_of(own: Headers) -> CIMultiDict[str] | None:
    """Return what a request sends in place of the session's headers of the same names."""
    if not own:
        return None
    headers: CIMultiDict[str] = CIMultiDict()
    spelled: dict[str, str] = {}  # one spelling a name: aiohttp keeps only the last of several
    for name, value in own:
        headers.add(spelled.setdefault(name.lower(), name), value)
    return headers


class Trip(Protocol):
    """Who makes a request, in its context as `trip`: hears how it travels."""

    reused: bool
    """True if the connection was kept from an earlier request."""

    def headers_sent(self) -> None:
        """Hear that the request goes out."""

    def fatal(self, error: Exception) -> Exception:
        """Return what to raise for a failure after which the request may not be made again."""


trip: ContextVar[Trip] = ContextVar("trip")


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
        """Fill in nothing: `own_headers` has all that aiohttp would."""

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


def _judged(error: Exception, current: Trip) -> Exception:
    return error if current.reused else current.fatal(error)


def open_session(settings: Settings, *, resolver: Resolver) -> aiohttp.ClientSession:
    """Return a session that neither decodes, redirects, keeps cookies nor bounds concurrency.

    Whoever makes a request sets `trip` before. Raises `SettingError` for headers that cannot be.
    """
    connector = aiohttp.TCPConnector(
        limit=0,  # the engine bounds what is under way
        resolver=resolver,
        ttl_dns_cache=_DNS_SECONDS,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        ssl=settings.verify_tls,
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers=own_headers(settings),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(
            total=None, connect=settings.connect_timeout, sock_read=settings.read_timeout
        ),
        request_class=_Request,
        response_class=_Response,
        read_bufsize=_READ_AHEAD,
        max_line_size=_LINE_BYTES,
        max_field_size=_LINE_BYTES,
        max_headers=_HEADERS,
    )
