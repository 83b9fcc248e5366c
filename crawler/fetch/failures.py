"""Every foreign error becomes one of ours."""

import errno
import re
import socket
import ssl

import aiohttp
from aiohttp import http_exceptions

from crawler.errors import (
    ConnectError,
    DnsError,
    FetchError,
    ProtocolError,
    ProxyError,
    TimedOut,
    TlsError,
)

FOREIGN = (
    aiohttp.ClientError,
    http_exceptions.HttpProcessingError,
    OSError,  # sockets, TLS, DNS and timeouts
    ValueError,  # header values, and host names that IDNA refuses
)
"""What aiohttp and what is below it raise while a request is made."""

_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection aborted",
    errno.EPIPE: "connection closed while sending",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "network unreachable",
    errno.EADDRNOTAVAIL: "no local address or port left",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
    errno.EACCES: "connecting is not permitted",
    errno.EPERM: "connecting is not permitted",
}
_ERRNO = re.compile(r"\[Errno (\d+)\]")


def mapped(error: Exception, *, url: str) -> FetchError:
    """Return our error for what `FOREIGN` names, its reason in one line for people."""
    kind, reason = _judged(error)
    return kind(reason, url=url)


def _judged(error: Exception) -> tuple[type[FetchError], str]:
    match error:
        case aiohttp.ClientHttpProxyError():
            return ProxyError, f"the proxy refused: {error.status} {_detail(error.message)}"
        case aiohttp.ClientProxyConnectionError():
            return ProxyError, f"the proxy: {_words(error.os_error)}"
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            return DnsError, "the host name does not resolve"
        case ssl.SSLCertVerificationError() | aiohttp.ClientConnectorCertificateError():
            return TlsError, f"the certificate does not check out: {_verdict(error)}"
        case ssl.SSLError() | aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return TlsError, f"TLS failed: {_tls(error)}"
        case TimeoutError():
            return TimedOut, _timeout(error)
        case aiohttp.ClientPayloadError():
            return _payload(error)
        case aiohttp.ClientResponseError() | http_exceptions.HttpProcessingError():
            return ProtocolError, f"not HTTP: {_detail(error.message)}"
        case aiohttp.ServerDisconnectedError():
            return ConnectError, "the server closed the connection without an answer"
        case OSError() | aiohttp.ClientConnectionError() | aiohttp.UploadAbortedError():
            return _connection(error)
        case _:
            return FetchError, f"the request cannot be sent: {_detail(str(error))}"


def _timeout(error: Exception) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connecting took longer than connect_timeout"
    if isinstance(error, aiohttp.SocketTimeoutError):
        return "the server was silent for longer than read_timeout"
    if isinstance(error, OSError) and error.errno is not None:
        return "the host does not answer"
    return "the request took longer than timeout"


def _payload(error: aiohttp.ClientPayloadError) -> tuple[type[FetchError], str]:
    cause: object = error.__cause__
    if isinstance(cause, http_exceptions.ContentLengthError):
        return ConnectError, "the connection broke inside the body"
    cut = isinstance(cause, http_exceptions.PayloadEncodingError) and "Not enough" in cause.message
    if isinstance(cause, http_exceptions.HttpProcessingError) and not cut:
        return ProtocolError, f"not HTTP: {_detail(cause.message)}"
    return ConnectError, "the connection broke inside the body"


def _connection(error: Exception) -> tuple[type[FetchError], str]:
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(inner, TimeoutError) or getattr(inner, "errno", None) == errno.ETIMEDOUT:
        return TimedOut, "the host does not answer"
    if isinstance(inner.__cause__, ssl.SSLError):  # its own numbers would be taken for the system's
        return ConnectError, f"TLS broke off: {_tls(inner.__cause__)}"
    return ConnectError, _words(inner)


def _words(error: Exception) -> str:
    """Say what the system said, in our words where we have some."""
    numbers = {int(number) for number in _ERRNO.findall(str(error))}
    number = getattr(error, "errno", None)
    if number is None and len(numbers) == 1:
        number = numbers.pop()  # several addresses were tried, and all said the same
    if number in _WORDS:
        return _WORDS[number]
    text = _detail(getattr(error, "strerror", None) or str(error))
    return f"no connection: {text or 'the other side closed it'}"


def _verdict(error: Exception) -> str:
    inner = getattr(error, "certificate_error", error)
    return str(getattr(inner, "verify_message", None) or inner or "unknown reason")


def _tls(error: Exception) -> str:
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    reason = getattr(inner, "reason", None) or str(inner)
    return str(reason).replace("_", " ").lower()


def _detail(text: str) -> str:
    """Return a short first part; what a server sent may be long, and in several lines."""
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
