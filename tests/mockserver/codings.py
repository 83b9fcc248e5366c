"""Bodies that are packed: bombs, nests, broken ends."""

import gzip
import struct
import sys
import zlib
from collections.abc import Callable
from functools import cache

import brotli  # type: ignore[import-untyped]  # it has no stubs

from tests.mockserver.table import DELIVERED, Expected, Theme, failed
from tests.mockserver.wire import HTML, OK, Wire, body_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

theme = Theme("codings")
PLAIN = body_of("packed") * 100
BROKEN = failed("body")
BOMB = failed("too_large")


def _packed(path: str, coding: str, body: bytes, expected: Expected) -> None:
    async def answer(wire: Wire) -> None:
        await wire.answer(body, headers=[("Content-Encoding", coding)])

    theme.add(path, expected, answer)


@cache
def gzip_piece() -> bytes:
    """Return a deflate block of a megabyte of zeros that may stand again and again."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)


GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03"
ZSTD_HEAD = b"\x28\xb5\x2f\xfd\x00\x58"  # no size, a window of 2 MB
ZSTD_RUN = struct.pack("<I", (1 << 17) << 3 | 1 << 1)[:3] + b"\0"  # a block: 128 KB of one byte
BOMBS: dict[str, tuple[bytes, Callable[[], bytes], int]] = {
    # Ten gigabytes, of ten megabytes or less.
    "gzip": (GZIP_HEAD, gzip_piece, 10_000),
    "deflate": (b"\x78\x9c", gzip_piece, 10_000),
    "zstd": (ZSTD_HEAD, lambda: ZSTD_RUN * 8, 10_000),
}
for name in BOMBS:

    @theme(f"{name}-bomb", BOMB)
    async def bomb(wire: Wire) -> None:
        coding = wire.path[1:].partition("-")[0]
        head, piece, times = BOMBS[coding]
        await wire.send(OK + HTML + f"Content-Encoding: {coding}\r\n\r\n".encode() + head)
        for _ in range(times):
            await wire.send(piece())


@theme("br-bomb", BOMB)
async def brotli_bomb(wire: Wire) -> None:
    packer = brotli.Compressor(quality=5)
    await wire.send(OK + HTML + b"Content-Encoding: br\r\n\r\n")
    for _ in range(100):
        await wire.send(packer.process(bytes(1_000_000)))


@theme("gzip-bomb-in-gzip", BOMB)
async def bomb_in_gzip(wire: Wire) -> None:
    inner = GZIP_HEAD + gzip_piece() * 1_000
    await wire.send(OK + HTML + b"Content-Encoding: gzip, gzip\r\n\r\n" + gzip.compress(inner))


def _nest(times: int) -> bytes:
    body = PLAIN
    for _ in range(times):
        body = gzip.compress(body, 1)
    return body


_packed("gzip-twice", "gzip, gzip", _nest(2), DELIVERED)
_packed("gzip-thrice", "gzip, gzip, gzip", _nest(3), BROKEN)
_packed("gzip-tenfold", ",".join(["gzip"] * 10), _nest(10), BROKEN)
_packed("codings-by-the-thousand", ", ".join(["gzip"] * 1_000), PLAIN, BROKEN)
_packed("unknown-coding", "wat", PLAIN, BROKEN)
_packed("not-gzip-at-all", "gzip", PLAIN, BROKEN)
_packed("cut-gzip", "gzip", gzip.compress(PLAIN)[:-9], failed("connect"))
_packed("cut-gzip-trailer", "gzip", gzip.compress(PLAIN)[:-4], failed("connect"))
_packed("wrong-crc", "gzip", gzip.compress(PLAIN)[:-8] + bytes(8), BROKEN)
_packed("half-a-gzip-head", "gzip", b"\x1f", failed("connect"))
_packed("broken-deflate", "deflate", b"\x78\x9c" + b"\xff" * 100, BROKEN)
_packed("cut-br", "br", brotli.compress(PLAIN)[:-3], failed("connect"))
_packed("broken-br", "br", b"\xff" * 100, BROKEN)
_packed("cut-zstd", "zstd", zstd.compress(PLAIN)[:-3], failed("connect"))
_packed("members-by-the-hundred-thousand", "gzip", gzip.compress(b"") * 100_000, BROKEN)
_packed("zstd-huge-window", "zstd", b"\x28\xb5\x2f\xfd\x00\xa8" + ZSTD_RUN, BROKEN)
_packed("zstd-skippable-frames", "zstd", (b"\x50\x2a\x4d\x18" + bytes(4)) * 100_000, BROKEN)
_packed(
    "zstd-skippable-of-4-gb",
    "zstd",
    b"\x50\x2a\x4d\x18\xff\xff\xff\xff" + bytes(99),
    failed("connect"),
)
_packed("junk-behind-gzip", "gzip", gzip.compress(PLAIN) + b"<script>junk" * 9, DELIVERED)
_packed("gzip-of-nothing", "gzip", b"", DELIVERED)
_packed("coding-of-odd-bytes", "\xff\x01gzip", PLAIN, BROKEN)


@theme("bomb-on-a-redirect", DELIVERED)
async def bomb_on_a_redirect(wire: Wire) -> None:
    head = b"HTTP/1.1 301 Moved\r\nLocation: /gzip-twice?moved\r\nContent-Encoding: gzip\r\n\r\n"
    await wire.send(head + GZIP_HEAD)
    for _ in range(10_000):
        await wire.send(gzip_piece())


@theme("endless-body-on-a-redirect", DELIVERED)
async def body_on_a_redirect(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 302 Found\r\nLocation: /gzip-twice?found\r\n\r\n")
    while True:
        await wire.send(bytes(65_536))


@theme("bomb-on-a-404", failed("status"))
async def bomb_on_an_error(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 404 None\r\nContent-Encoding: gzip\r\n\r\n" + GZIP_HEAD)
    for _ in range(10_000):
        await wire.send(gzip_piece())
