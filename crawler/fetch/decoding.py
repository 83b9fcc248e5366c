"""Undo Content-Encoding, a bounded piece at a time."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

import brotli  # type: ignore[import-untyped]  # it has no stubs
from isal import isal_zlib
from isal.igzip_lib import IsalError

from crawler.errors import BodyError, BodyTooLarge, ConnectError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_STEP = 65_536
_MOST_CODINGS = 2
# Files made for random access have a frame each 64 KB; more of them are an attack on our time.
_MOST_FRAMES = 1_000
# RFC 9659: a zstd window of a response is at most 8 MB; without a limit it may ask for 2 GB.
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
_ZSTD_SKIPPABLE = range(0x50, 0x60)
_BROKEN: tuple[type[Exception], ...] = (
    IsalError,  # type: ignore[assignment]  # its stubs take the class for an instance
    brotli.error,
    zstd.ZstdError,
)


class Decoder:
    """Decodes one body, chunk by chunk.

    `codings` are the Content-Encoding headers (RFC 9110 8.4: lists, in the order applied). No stage
    may give more than `limit` bytes. Raises `BodyError` for unknown codings and broken data,
    `BodyTooLarge`, and `ConnectError` from `finish` if the end is missing.
    """

    def __init__(self, codings: Iterable[str], *, limit: int) -> None:
        names = [name.strip().lower() for header in codings for name in header.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > _MOST_CODINGS:
            raise BodyError(f"more than {_MOST_CODINGS} content encodings")
        for name in names:
            if name not in _CODINGS:
                raise BodyError(f"unknown content encoding {name[:40]!r}")
        # What comes in counts as well: junk behind a compressed stream gives no bytes, but is read.
        self._wire = _Budget(limit)
        self._stages = [_Stage(name, limit=limit) for name in reversed(names)]

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what `chunk` decodes to; what fits in the limit comes before `BodyTooLarge`."""
        pieces = self._wire.spend(chunk)
        for stage in self._stages:
            pieces = stage.feed_all(pieces)
        return pieces

    def finish(self) -> None:
        """Hear that there is no more; raises `ConnectError` if there should be."""
        for stage in self._stages:
            stage.finish()


class _Frame(Protocol):
    """A decompressor of one frame, as bz2, lzma and zstd have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Inflater:
    """zlib, of ISA-L, as a `_Frame`: it takes half the time."""

    def __init__(self, wbits: int) -> None:
        self._zlib = isal_zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zlib.decompress(data or self._zlib.unconsumed_tail, max_length)
        self.needs_input = not self._zlib.unconsumed_tail and len(out) < max_length
        return out


class _Brotli:
    """Brotli as a `_Frame`."""

    unused_data = b""

    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._brotli.is_finished())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        # Its buffer grows in steps, so up to half as much again as `max_length` may come.
        out: bytes = self._brotli.process(data, output_buffer_limit=max_length)
        # With all input taken it says it can accept more, though output may still be inside.
        self.needs_input = self._brotli.can_accept_more_data() and len(out) < max_length
        return out


class _Coding(NamedTuple):
    """How to open a frame by its first `head` bytes; None: it is not one."""

    head: int
    open: Callable[[bytes], _Frame | None]


def _open_gzip(head: bytes) -> _Frame | None:
    return _Inflater(16 + isal_zlib.MAX_WBITS) if head.startswith(b"\x1f\x8b") else None


def _open_deflate(head: bytes) -> _Frame | None:
    # RFC 9110 8.4.1.2: zlib's format; but some servers always sent raw deflate.
    is_zlib = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    return _Inflater(isal_zlib.MAX_WBITS if is_zlib else -isal_zlib.MAX_WBITS)


def _open_zstd(head: bytes) -> _Frame | None:
    skippable = head[0] in _ZSTD_SKIPPABLE and head[1:4] == b"\x2a\x4d\x18"
    if skippable or head.startswith(b"\x28\xb5\x2f\xfd"):
        return zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
    return None


_GZIP = _Coding(2, _open_gzip)
_CODINGS = {
    "gzip": _GZIP,
    "x-gzip": _GZIP,
    "deflate": _Coding(2, _open_deflate),
    "br": _Coding(1, lambda _: _Brotli()),
    "zstd": _Coding(4, _open_zstd),
}


class _Budget:
    """Counts bytes; past `limit` it yields what still fits, then raises."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def spend(self, piece: bytes) -> Iterator[bytes]:
        left, self._left = self._left, self._left - len(piece)
        if self._left < 0:
            if left > 0:
                yield piece[:left]
            raise BodyTooLarge(f"more than {self._limit:,} bytes")
        yield piece


class _Stage:
    """One coding: its frames one after another, until something else follows."""

    def __init__(self, name: str, *, limit: int) -> None:
        self._name = name
        self._coding = _CODINGS[name]
        self._budget = _Budget(limit)
        self._frame: _Frame | None = None
        self._frames = 0
        self._head = b""
        self._over = False

    def feed_all(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self._feed(piece)

    def finish(self) -> None:
        # A frame is dropped once it has ended; a short head is junk, unless it is all there is.
        if self._frame is not None or (self._head and not self._frames):
            raise ConnectError(f"the body ended before its {self._name} data did")

    def _feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._over:
            if self._frame is None:
                data = self._head + data
                self._head = b""
                if len(data) < self._coding.head:
                    self._head = data
                    return
                self._open(data)
            if self._frame is not None:
                yield from self._decompress(self._frame, data)
                data = self._rest(self._frame)

    def _open(self, data: bytes) -> None:
        if self._frames == _MOST_FRAMES:
            raise BodyError(f"more than {_MOST_FRAMES:,} {self._name} frames")
        self._frame = self._coding.open(data)
        self._frames += 1
        if self._frame is None and self._frames == 1:
            raise BodyError(f"the body is not {self._name}")
        # Junk behind the last frame is left alone, as browsers do.
        self._over = self._frame is None

    def _decompress(self, frame: _Frame, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                out = frame.decompress(data, _STEP)
            except _BROKEN as error:
                raise BodyError(f"the {self._name} data is broken: {error}") from None
            if out:
                yield from self._budget.spend(out)
            if frame.eof or frame.needs_input:
                return
            data = b""

    def _rest(self, frame: _Frame) -> bytes:
        if not frame.eof:
            return b""
        self._frame = None
        self._over = self._name in ("deflate", "br")  # they have no second frame
        return frame.unused_data
