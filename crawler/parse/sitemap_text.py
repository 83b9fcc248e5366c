"""The text of a sitemap, a megabyte at a time."""

import codecs
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from isal import isal_zlib
from isal.igzip_lib import IsalError

from crawler.parse.encoding import decode, detect

_MAX_BYTES: Final = 50_000_000
_PIECE: Final = 1_000_000
_CHUNK: Final = 65_536
_GZIP: Final = b"\x1f\x8b"
_MOST_MEMBERS: Final = 1_000
_STREAMED: Final = {"utf-8": "utf-8", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}


def texts(body: bytes, *, cut: Callable[[], None]) -> Iterator[str]:
    """Yield the text of a body, unzipped and decoded by what it declares.

    `cut()` is called when something is missing at its end.
    """
    pieces = _unzipped(body, cut) if body.startswith(_GZIP) else _plain(body, cut)
    first = next(pieces, b"")
    name = detect(first, "application/xml")
    if name in _STREAMED:
        decoder = codecs.getincrementaldecoder(_STREAMED[name])("replace")
        for piece in chain([first], pieces):
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)
        return
    text = decode(b"".join(chain([first], pieces)), "application/xml")
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]


def _plain(body: bytes, cut: Callable[[], None]) -> Iterator[bytes]:
    for start in range(0, min(len(body), _MAX_BYTES), _PIECE):
        yield body[start : start + _PIECE]
    if len(body) > _MAX_BYTES:
        cut()


def _unzipped(body: bytes, cut: Callable[[], None]) -> Iterator[bytes]:
    """The body decompressed as far as it goes, one member of it after another."""
    room, at, members = _MAX_BYTES, 0, 0
    while members < _MOST_MEMBERS and body.startswith(_GZIP, at):
        members += 1
        gunzip = isal_zlib.decompressobj(wbits=31)
        is_full = False
        while True:
            data = gunzip.unconsumed_tail
            if not data and not is_full:
                data = body[at : at + _CHUNK]
                at += len(data)
                if not data:
                    return cut()
            most = min(room, _PIECE)
            try:
                piece = gunzip.decompress(data, most)
            except IsalError:  # type: ignore[misc]  # its stubs take the class for an instance
                return cut()
            is_full = len(piece) == most
            room -= len(piece)
            if piece:
                yield piece
            if gunzip.eof:
                break
            if room <= 0:
                return cut()
        at -= len(gunzip.unused_data)
    return None
