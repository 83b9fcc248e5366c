"""WARC files, looked through from beginning to end."""

import logging
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from crawler.archive.warc import BROKEN, Record, reader_of, record_of, words_of
from crawler.errors import RunError

log = logging.getLogger(__name__)

_PIECE = 65_536
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\3\4"
# What a record begins with: RFC 1952 2.3.1, WARC 1.1 4.
_MEMBER = b"\x1f\x8b\x08"
_LINE = b"WARC/1."
# Each may have what follows read twice.
_MOST_DAMAGES = 100


def check(path: Path) -> None:
    """Raise `RunError` if a file begins as no WARC file, or nothing can be found in it."""
    try:
        with open(path, "rb") as file:
            begin = file.read(len(_ZIP))
            if begin == _ZIP:
                raise RunError(f"{path}: is a WACZ file: `unzip` it, and name its folder archive/")
            compressed = begin.startswith(_GZIP)
            file.seek(0)
            records = iter(reader_of(file, path))
            first = int(next(records).stream_pos)
            with suppress(*BROKEN):  # damage costs no more than what is damaged
                second = next(records, None)
                if compressed and second is not None:
                    _check_found(path, int(second.stream_pos), after=first)
    except StopIteration:
        raise RunError(f"{path}: is an empty file, not a WARC file") from None
    except BROKEN as error:
        raise RunError(f"{path}: is no WARC file: {words_of(error)}") from None


def _check_found(path: Path, offset: int, *, after: int) -> None:
    """Raise `RunError` if a record begins nowhere: nothing is, in what is compressed as a whole."""
    if offset == after or offset >= path.stat().st_size:
        raise RunError(f"{path}: is compressed as a whole, not record by record; gunzip it first")


def scan(path: Path) -> Iterator[Record]:
    """Yield the records of a file that can be asked for, in their order.

    What is damaged is left out, which is logged. Raises `RunError` for a file that cannot be read
    at all, and one that is compressed as a whole, so that nothing can be found in it.
    """
    try:
        with open(path, "rb") as file:
            compressed = file.read(2) == _GZIP
            at = 0
            for _ in range(_MOST_DAMAGES):
                damage = yield from _run(file, path, at, compressed=compressed)
                mark = _MEMBER if compressed else _LINE
                begin = None if damage is None else _begin(file, damage, mark)
                if begin is None:
                    return
                at = begin
            log.warning("%s: is damaged too often; what follows byte %d is not read", path, at)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {words_of(error)}") from None


def _run(
    file: IO[bytes], path: Path, at: int, *, compressed: bool
) -> Generator[Record, None, int | None]:
    """Yield the records from a byte on; return where damage begins, None if there is none."""
    last = -1
    file.seek(at)
    records = iter(reader_of(file, path))
    while True:
        try:
            record = next(records, None)
            if record is None:
                return None
            offset = int(record.stream_pos)
            if compressed:
                _check_found(path, offset, after=last)
            last = offset
            found = record_of(record, offset)
            record.consume()
            is_whole = int(record.reader.tell()) >= int(record.content_length)
        except BROKEN as error:
            begin = max(last, at)
            log.warning("%s: is damaged after byte %d: %s", path, begin, words_of(error))
            return begin + 1
        if found is not None:
            yield found
        if not is_whole:  # it may have taken for its own what follows it
            log.warning("%s: the record at byte %d is cut off, or gives a wrong length", path, last)
            return last + 1


def _begin(file: IO[bytes], at: int, mark: bytes) -> int | None:
    """Return where a record may begin, at a byte or after it; None if none does."""
    file.seek(at)
    before = b""
    while piece := file.read(_PIECE):
        found = (before + piece).find(mark)
        if found >= 0:
            return at - len(before) + found
        at += len(piece)
        before = (before + piece)[1 - len(mark) :]
    return None
