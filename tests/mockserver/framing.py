"""Where does the body end? Content-Length, chunks, close."""

from tests.mockserver.table import DELIVERED, Theme, failed
from tests.mockserver.wire import END, HTML, OK, Wire, body_of

theme = Theme("framing")
CHUNKED = OK + HTML + b"Transfer-Encoding: chunked\r\n"
NOT_HTTP = failed("protocol")
CUT = failed("connect")


def _answers(path: str, head: bytes, body: bytes, expected: object) -> None:
    """Serve one piece of bytes, after which the connection is closed."""

    async def answer(wire: Wire) -> None:
        await wire.send(head + END + body)

    theme.add(path, expected, answer)  # type: ignore[arg-type]  # an Expected


def _length(text: str) -> bytes:
    return OK + HTML + f"Content-Length: {text}\r\n".encode()


BODY = body_of("x") * 10
_answers("two-lengths", _length("5") + b"Content-Length: 6\r\n", BODY, NOT_HTTP)
_answers("two-lengths-alike", _length("500") + b"Content-Length: 500\r\n", BODY, NOT_HTTP)
_answers("negative-length", _length("-1"), BODY, NOT_HTTP)
_answers("length-of-40-digits", _length("1" * 40), BODY, NOT_HTTP)
_answers(
    "length-of-2-to-the-64",
    _length(str(2**64 - 1)) + b"Content-Encoding: gzip\r\n",
    BODY,
    NOT_HTTP,
)
_answers("listed-length", _length("500, 500"), BODY, NOT_HTTP)
_answers("plus-length", _length("+500"), BODY, NOT_HTTP)
_answers("hex-length", _length("0x1f4"), BODY, NOT_HTTP)
_answers("empty-length", _length(""), BODY, NOT_HTTP | DELIVERED)
_answers("length-too-large", _length("5000"), BODY, CUT)
_answers("length-too-small", _length("50"), BODY, NOT_HTTP)
_answers("length-of-a-terabyte", _length("1000000000000"), BODY, failed("too_large"))
_answers(
    "length-and-chunks", CHUNKED + b"Content-Length: 5\r\n", b"5\r\nhello\r\n0\r\n\r\n", NOT_HTTP
)
_answers(
    "gzip-as-transfer",
    OK + HTML + b"Transfer-Encoding: gzip, chunked\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    NOT_HTTP,
)
_answers(
    "unknown-transfer", OK + HTML + b"Transfer-Encoding: xchunked\r\n", b"5\r\nhello\r\n", NOT_HTTP
)
_answers(
    "odd-space-in-transfer",
    OK + HTML + b"Transfer-Encoding: \x0bchunked\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    NOT_HTTP,
)
_answers(
    "chunked-twice",
    CHUNKED + b"Transfer-Encoding: chunked\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    NOT_HTTP,
)
_answers("bad-chunk-size", CHUNKED, b"zz\r\nhello\r\n0\r\n\r\n", NOT_HTTP)
_answers("negative-chunk", CHUNKED, b"-5\r\nhello\r\n0\r\n\r\n", NOT_HTTP)
_answers("huge-chunk-size", CHUNKED, b"fffffffffffffffff1\r\nhello\r\n", NOT_HTTP)
_answers("chunk-of-a-terabyte", CHUNKED, b"e8d4a51000\r\nhello", CUT)
_answers("empty-chunk-size", CHUNKED, b"\r\nhello\r\n0\r\n\r\n", NOT_HTTP)
_answers("chunk-longer-than-said", CHUNKED, b"3\r\nhello\r\n0\r\n\r\n", NOT_HTTP)
_answers("truncated-chunk", CHUNKED, b"500\r\n" + BODY[:50], CUT)
_answers("no-last-chunk", CHUNKED, b"5\r\nhello\r\n", CUT)
_answers(
    "chunks-in-http-1.0", CHUNKED.replace(b"1.1", b"1.0"), b"5\r\nhello\r\n0\r\n\r\n", DELIVERED
)
_answers("closed-without-length", OK + HTML, BODY, DELIVERED)
_answers("http-1.0-without-length", b"HTTP/1.0 200 OK\r\n" + HTML, BODY, DELIVERED)
_answers("http-1.0-cut", _length("5000").replace(b"1.1", b"1.0"), BODY, CUT)
_answers("closed-in-the-head", OK + HTML[:9], b"", NOT_HTTP | CUT)


@theme("one-byte-chunks", DELIVERED)
async def one_byte_chunks(wire: Wire) -> None:
    await wire.send(CHUNKED + END)
    for start in range(0, 100_000, 1_000):
        text = body_of("x" * 1_000)[start % 100 :][:1]
        await wire.send((b"1\r\n" + text + b"\r\n") * 1_000)
    await wire.send(b"0\r\n\r\n")


@theme("chunk-extension-of-1-mb", DELIVERED)
async def chunk_extension(wire: Wire) -> None:
    await wire.send(CHUNKED + END + b"5;x=" + b"y" * 1_000_000 + b"\r\nhello\r\n0\r\n\r\n")


@theme("endless-chunk-extension", NOT_HTTP)
async def endless_extension(wire: Wire) -> None:
    await wire.send(CHUNKED + END + b"5;x=")
    while True:
        await wire.send(b"y" * 65_536)
        await wire.rest(0.01)


@theme("bad-chunk-size-in-a-later-packet", NOT_HTTP)
async def late_bad_size(wire: Wire) -> None:
    for piece in (CHUNKED + END, b"5\r\nhello", b"\r\nzz\r\n"):
        await wire.send(piece)
        await wire.rest(0.05)
    await wire.rest()


@theme("trailer-of-1-mb", NOT_HTTP)
async def trailer_of_1_mb(wire: Wire) -> None:
    tail = b"0\r\nX-Trailer: " + b"y" * 1_000_000 + b"\r\n\r\n"
    await wire.send(CHUNKED + END + b"5\r\nhello\r\n" + tail)


@theme("trailers-by-the-thousand", NOT_HTTP)
async def many_trailers(wire: Wire) -> None:
    tail = b"0\r\n" + b"X-Trailer: y\r\n" * 50_000 + b"\r\n"
    await wire.send(CHUNKED + END + b"5\r\nhello\r\n" + tail)


@theme("trailer-with-cookie", DELIVERED)
async def trailer_with_cookie(wire: Wire) -> None:
    tail = b"0\r\nSet-Cookie: trailed=1; Path=/\r\nLocation: /nowhere\r\n\r\n"
    await wire.send(CHUNKED + b"Trailer: Set-Cookie\r\n\r\n5\r\nhello\r\n" + tail)


@theme("reset-in-the-body", CUT)
async def reset_with_length(wire: Wire) -> None:
    await wire.send(_length("5000") + END + BODY)
    await wire.rest(0.05)
    wire.reset()


@theme("reset-without-length", CUT)
async def reset_without_length(wire: Wire) -> None:
    await wire.send(OK + HTML + END + BODY)
    await wire.rest(0.05)
    wire.reset()


@theme("reset-in-http-1.0", CUT)
async def reset_in_old(wire: Wire) -> None:
    await wire.send(b"HTTP/1.0 200 OK\r\n" + HTML + END + BODY)
    await wire.rest(0.05)
    wire.reset()


@theme("endless-body", failed("too_large"))
async def endless_body(wire: Wire) -> None:
    await wire.send(OK + HTML + END)
    while True:
        await wire.send(b"<p>more" * 10_000)


@theme("endless-chunks", failed("too_large"))
async def endless_chunks(wire: Wire) -> None:
    await wire.send(CHUNKED + END)
    while True:
        await wire.send(b"ffff\r\n" + b"y" * 0xFFFF + b"\r\n")


def _smuggled(path: str) -> bytes:
    body = body_of(path)
    first = _length(str(len(body))) + END + body
    return first + _length("8") + END + b"SMUGGLED"


for number in range(3):

    @theme(f"smuggled-{number}", DELIVERED)
    async def smuggled(wire: Wire) -> None:
        """A second answer rides behind the first."""
        await wire.send(_smuggled(wire.path))
        wire.keep = True


@Theme("late")("smuggled-late", DELIVERED)
async def smuggled_late(wire: Wire) -> None:
    """The second answer comes when the connection rests; on a host where nobody is beside it."""
    await wire.answer(body_of(wire.path))
    await wire.rest(0.05)
    await wire.send(_length("8") + END + b"SMUGGLED")
