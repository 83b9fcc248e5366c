"""Status lines and headers that are none, too many, too long."""

from tests.mockserver.table import DELIVERED, Expected, Theme, failed
from tests.mockserver.wire import END, HTML, OK, Wire, body_of

theme = Theme("heads")
NOT_HTTP = failed("protocol")
BODY = body_of("x")
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


def _answers(path: str, answer: bytes, expected: Expected) -> None:
    """Serve bytes, then close."""

    async def send(wire: Wire) -> None:
        await wire.send(answer)

    theme.add(path, expected, send)


def _head(path: str, lines: bytes, expected: Expected, first: bytes = OK) -> None:
    """Serve a page with these header lines besides."""
    _answers(path, first + HTML + lines + LENGTH + END + BODY, expected)


_answers("garbage", b"\x00\x01\x02\xff" * 500, NOT_HTTP)
_answers("http-0.9", BODY, NOT_HTTP)
_answers("ssh-banner", b"SSH-2.0-OpenSSH_9.6\r\n", NOT_HTTP)
_answers(
    "http-2-frames",
    b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x00\x00\x64" * 3,
    NOT_HTTP,
)
_answers("http-2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NOT_HTTP)
_answers(
    "tls-on-a-plain-port", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(111), NOT_HTTP
)
_answers("tls-alert", b"\x15\x03\x01\x00\x02\x02\x0a", NOT_HTTP)
_answers("status-of-letters", b"HTTP/1.1 abc OK\r\n\r\n", NOT_HTTP)
_answers("status-of-one-digit", b"HTTP/1.1 2 OK\r\n\r\n", NOT_HTTP)
_answers("status-of-four-digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", NOT_HTTP)
_answers("status-99", b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", failed("status") | NOT_HTTP)
_answers("status-999", b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n", failed("status"))
_answers("status-without-space", b"HTTP/1.1200 OK\r\n\r\n", NOT_HTTP)
_answers("version-9.9", b"HTTP/9.9 200 OK\r\n\r\n", NOT_HTTP)
_answers("shoutcast", b"ICY 200 OK\r\n" + LENGTH + END + BODY, NOT_HTTP)
_head("no-reason", b"", DELIVERED, first=b"HTTP/1.1 200\r\n")
_head("reason-of-1-mb", b"", NOT_HTTP, first=b"HTTP/1.1 200 " + b"y" * 1_000_000 + END)
_head("odd-reason", b"", DELIVERED, first=b"HTTP/1.1 200 \x1b[31m\xff\xfe\r\n")
_head("bare-line-feeds", b"", DELIVERED)
_answers("only-line-feeds", (OK + HTML + LENGTH + END).replace(b"\r\n", b"\n") + BODY, DELIVERED)
_head("folded-header", b"X-Folded: one\r\n two\r\n\tthree\r\n", DELIVERED)
_head("nul-in-header", b"X-Nul: a\x00b\r\n", NOT_HTTP)
_head("control-bytes-in-header", b"X-Odd: \x01\x1b[31m\x7f\x08\r\n", DELIVERED)
_head("latin-header", b"X-Old: caf\xe9 \xff\xfe\r\n", DELIVERED)
_head("header-without-colon", b"X-Nothing\r\n", NOT_HTTP)
_head("header-without-name", b": value\r\n", NOT_HTTP)
_head("space-before-colon", b"X-Space : value\r\n", DELIVERED | NOT_HTTP)
_head("name-of-odd-bytes", b"X-\xe9\x00: value\r\n", NOT_HTTP)
_head("10,000-headers", b"".join(b"X-%d: y\r\n" % n for n in range(10_000)), NOT_HTTP)
_head("header-line-of-1-mb", b"X-Long: " + b"y" * 1_000_000 + END, NOT_HTTP)
_head("head-of-8-mb", b"".join(b"X-%d: " % n + b"y" * 40_000 + END for n in range(200)), NOT_HTTP)
_head("200-headers", b"".join(b"X-%d: y\r\n" % n for n in range(200)), DELIVERED)
_answers("no-header-at-all", OK + END + BODY, DELIVERED)
_answers(
    "unasked-101",
    b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" + bytes(50),
    NOT_HTTP,
)
_head("early-hints", b"", DELIVERED, first=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
_head("continued-thrice", b"", DELIVERED, first=b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK)
_head("continued-10,000-times", b"", NOT_HTTP, first=b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000 + OK)
_answers("204-with-body", b"HTTP/1.1 204 None\r\n" + LENGTH + END + BODY, DELIVERED | NOT_HTTP)
_answers("304-unasked", b"HTTP/1.1 304 Not Modified\r\n\r\n", failed("status"))
_answers(
    "304-with-body", b"HTTP/1.1 304 Not\r\n" + LENGTH + END + BODY, failed("status") | NOT_HTTP
)
_answers("205-with-body", b"HTTP/1.1 205 Reset\r\n" + HTML + LENGTH + END + BODY, DELIVERED)
_answers("head-twice", OK + HTML + OK + LENGTH + END + BODY, NOT_HTTP)
_answers("empty-lines-first", b"\r\n\r\n" + OK + HTML + LENGTH + END + BODY, DELIVERED | NOT_HTTP)
_head("type-of-60-kb", b"Content-Type: text/html; " + b"a=b; " * 12_000 + END, DELIVERED)
_head("link-of-60-kb", b"Link: " + b"<x>; rel=next, " * 4_000 + END, DELIVERED)


@theme("endless-continues", NOT_HTTP)
async def endless_continues(wire: Wire) -> None:
    while True:
        await wire.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000)


@theme("endless-head", NOT_HTTP)
async def endless_head(wire: Wire) -> None:
    await wire.send(OK)
    while True:
        await wire.send(b"X-More: y\r\n" * 1_000)


@theme("endless-header-line", NOT_HTTP)
async def endless_line(wire: Wire) -> None:
    await wire.send(OK + b"X-More: ")
    while True:
        await wire.send(b"y" * 65_536)


for number in range(5):

    @theme(f"stale-{number}", DELIVERED)
    async def stale(wire: Wire) -> None:
        """Says it keeps the connection, and closes it when the next request is on its way."""
        if not wire.served:
            await wire.page()
