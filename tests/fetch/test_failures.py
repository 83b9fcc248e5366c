import errno
import inspect
import socket
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from crawler.errors import (
    ConnectError,
    DnsError,
    FetchError,
    ProtocolError,
    ProxyError,
    TimedOut,
    TlsError,
)
from crawler.fetch.failures import FOREIGN, mapped

URL_TEXT = "http://a.example/"
KEY = ConnectionKey("a.example", 80, False, True, None, None, None)
INFO = aiohttp.RequestInfo(URL(URL_TEXT), "GET", CIMultiDictProxy(CIMultiDict()), URL(URL_TEXT))
REFUSED = OSError(errno.ECONNREFUSED, "Connect call failed")
# What the constructors of aiohttp's errors want, by parameter.
VALUES: dict[str, Any] = {
    "request_info": INFO,
    "history": (),
    "status": 502,
    "connection_key": KEY,
    "os_error": REFUSED,
    "certificate_error": ssl.SSLCertVerificationError(1, "bad"),
    "path": "/x",
    "expected": b"a",
    "got": b"b",
    "host": "a.example",
    "port": 80,
    "url": "http://",
    "message": "first\nsecond",
    "line": "x" * 1_000,
    "hdr": "x",
}
# Raised by web sockets only, which nothing here opens.
NOT_OURS = {"WSMessageTypeError"}


def classes() -> list[type[Exception]]:
    found = {
        member
        for module in (client_exceptions, http_exceptions)
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Exception) and member.__module__ == module.__name__
    }
    return sorted(
        (kind for kind in found if kind.__name__ not in NOT_OURS), key=lambda kind: kind.__name__
    )


def built(kind: type[Exception]) -> Exception:
    try:
        wanted = inspect.signature(kind).parameters
    except ValueError:
        return kind("text")
    values = {
        name: VALUES[name]
        for name, parameter in wanted.items()
        if name in VALUES and parameter.kind is not parameter.VAR_POSITIONAL
    }
    try:
        return kind(**values)
    except TypeError:
        return kind("text")


@pytest.mark.parametrize("kind", classes())
def test_no_error_of_aiohttp_is_missed(kind: type[Exception]) -> None:
    error = built(kind)
    assert isinstance(error, FOREIGN)
    ours = mapped(error, url=URL_TEXT)
    assert ours.url == URL_TEXT
    assert str(ours)
    assert "\n" not in str(ours)
    assert len(str(ours)) < 200


def test_there_are_errors_to_walk_through() -> None:
    assert len(classes()) > 35


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (
            aiohttp.ClientConnectorError(KEY, REFUSED),
            ConnectError,
            "connection refused",
        ),
        (
            aiohttp.ClientConnectorError(
                KEY, OSError("Multiple exceptions: [Errno 111] Connect, [Errno 111] Connect")
            ),
            ConnectError,
            "connection refused",
        ),
        (ConnectionResetError(errno.ECONNRESET, "x"), ConnectError, "connection reset"),
        (aiohttp.ClientOSError(errno.EPIPE, "x"), ConnectError, "connection closed while sending"),
        (OSError(errno.EMFILE, "x"), ConnectError, "too many open files"),
        (OSError(9999, "something\nodd"), ConnectError, "no connection: something odd"),
        (socket.gaierror(socket.EAI_NONAME, "x"), DnsError, "the host name does not resolve"),
        (
            aiohttp.ClientConnectorError(KEY, OSError(errno.ETIMEDOUT, "x")),
            TimedOut,
            "the host does not answer",
        ),
        (OSError(errno.ETIMEDOUT, "x"), TimedOut, "the host does not answer"),
        (TimeoutError(), TimedOut, "the request took longer than timeout"),
        (
            aiohttp.ClientProxyConnectionError(KEY, REFUSED),
            ProxyError,
            "the proxy: connection refused",
        ),
        (
            aiohttp.ClientHttpProxyError(INFO, (), status=403, message="Forbidden\x1b[2J"),
            ProxyError,
            "the proxy refused: 403 Forbidden\ufffd[2J",
        ),
        (ssl.SSLError(1, "odd"), TlsError, "TLS failed: odd"),
        (
            http_exceptions.BadStatusLine("what"),
            ProtocolError,
            "not HTTP: Bad status line 'what'",
        ),
        (
            UnicodeError("label too long"),
            FetchError,
            "the request cannot be sent: label too long",
        ),
    ],
)
def test_reasons_are_for_people(error: Exception, kind: type[FetchError], reason: str) -> None:
    ours = mapped(error, url=URL_TEXT)
    assert (type(ours), str(ours)) == (kind, reason)


def test_what_the_network_does_may_pass_and_what_a_certificate_says_does_not() -> None:
    assert mapped(REFUSED, url=URL_TEXT).transient
    assert not mapped(ssl.SSLCertVerificationError(1, "x"), url=URL_TEXT).transient
