"""The aiohttp session, and what every request sends."""

import re
from types import SimpleNamespace

import aiohttp
from multidict import CIMultiDict

from crawler.errors import SettingError
from crawler.fetch.dns import Resolver
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


def merged(headers: CIMultiDict[str], own: Headers) -> CIMultiDict[str]:
    """Return `headers` with those replaced that a request has of its own."""
    if not own:
        return headers
    whole = headers.copy()
    spelled: dict[str, str] = {}  # one spelling a name: aiohttp keeps only the last of several
    for name, value in own:
        if name.lower() not in spelled:
            whole.popall(name, None)
        whole.add(spelled.setdefault(name.lower(), name), value)
    return whole


def open_session(settings: Settings, *, resolver: Resolver) -> aiohttp.ClientSession:
    """Return a session that neither decodes, redirects, keeps cookies nor bounds concurrency.

    A request's `trace_request_ctx` hears `headers_sent()`, and has `reused` set when it travels on
    a kept connection.
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
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(
            total=None, connect=settings.connect_timeout, sock_read=settings.read_timeout
        ),
        trace_configs=[_tracing()],
        read_bufsize=_READ_AHEAD,
        max_line_size=_LINE_BYTES,
        max_field_size=_LINE_BYTES,
        max_headers=_HEADERS,
    )


def _tracing() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(_reused)
    tracing.on_request_headers_sent.append(_headers_sent)
    return tracing


async def _reused(_: object, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.reused = True


async def _headers_sent(_: object, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.headers_sent()
