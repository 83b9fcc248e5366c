"""WARC files, record by record."""

import logging
import re
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

from msgspec import Struct

from crawler import urls
from crawler.archive.answer import HEAD_BYTES, Answer, date_of, head_of, without_chunks
from crawler.errors import (
    BodyError,
    BodyTooLarge,
    InvalidUrl,
    MissingExtra,
    NotStored,
    RunError,
)

log = logging.getLogger(__name__)

Kind = Literal["response", "revisit", "resource", "request"]

_PIECE = 65_536
# What a record is read from is read ahead so far: most are a few kB, and each is read by itself.
_AHEAD = 16_384
# RFC 9112 7.1: a chunk is two bytes at least, and the line before it four.
_FRAMING = 3
_BROKEN = (OSError, ValueError, EOFError)
_GZIP = b"\x1f\x8b"
# What a record begins with: RFC 1952 2.3.1, WARC 1.1 4.
_MEMBER = b"\x1f\x8b\x08"
_LINE = b"WARC/1."
# Each may have what follows read twice.
_MOST_DAMAGES = 100
_NOT_MODIFIED = "server-not-modified"


class Record(Struct, frozen=True):
    """What the index needs of one record; `beside` and `refers_to` name other records.

    `method` and `body` are those of a request.
    """

    kind: Kind
    url: str
    offset: int
    date: int
    name: str = ""
    beside: str = ""
    digest: str = ""
    method: str = "GET"
    body: bytes = b""


class Stored(Struct, frozen=True):
    """One record's response; of a revisit its body is elsewhere, where these lead."""

    url: str
    answer: Answer
    is_revisit: bool = False
    refers_to: str = ""
    refers_to_url: str = ""
    digest: str = ""
    not_modified: bool = False


def check(path: Path) -> None:
    """Raise `RunError` if a file is no WARC file, or cannot be read."""
    try:
        with open(path, "rb") as file:
            next(iter(_reader(file, path)))
    except StopIteration:
        raise RunError(f"{path}: is an empty file, not a WARC file") from None
    except _BROKEN as error:
        raise RunError(f"{path}: is no WARC file: {_words(error)}") from None


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
        raise RunError(f"{path}: cannot be read: {_words(error)}") from None


def _run(
    file: IO[bytes], path: Path, at: int, *, compressed: bool
) -> Generator[Record, None, int | None]:
    """Yield the records from a byte on; return where damage begins, None if there is none."""
    size, last = path.stat().st_size, -1
    file.seek(at)
    records = iter(_reader(file, path))
    while True:
        try:
            record = next(records, None)
            if record is None:
                return None
            offset = int(record.stream_pos)
            if compressed and (offset == last or offset >= size):
                raise RunError(
                    f"{path}: is compressed as a whole, not record by record; gunzip it first"
                )
            last = offset
            found = _record(record, offset)
            record.consume()
            is_whole = int(record.reader.tell()) >= int(record.content_length)
        except _BROKEN as error:
            begin = max(last, at)
            log.warning("%s: is damaged after byte %d: %s", path, begin, _words(error))
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


def read(file: IO[bytes], path: Path, offset: int, *, limit: int) -> Stored:
    """Return the response at `offset` of a file, its body no more than `limit` bytes.

    Raises `BodyTooLarge`, and `NotStored` or `BodyError` for what cannot be read.
    """
    try:
        file.seek(offset)
        record = next(iter(_reader(file, path)), None)
        if record is None:
            raise NotStored(f"{path.name} has no record at byte {offset}")
        return _stored(record, limit=limit)
    except _BROKEN as error:
        raise BodyError(f"the record at byte {offset} of {path.name}: {_words(error)}") from None


def _reader(file: IO[bytes], path: Path) -> Any:
    try:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
    except ImportError:
        raise MissingExtra(f"{path}: reading WARC files", "warc") from None
    kinds = (
        WarcRecordType.response
        | WarcRecordType.revisit
        | WarcRecordType.resource
        | WarcRecordType.request
        | WarcRecordType.warcinfo
    )
    return ArchiveIterator(file, kinds, parse_http=False, buffer_size=_AHEAD)


def _record(record: Any, offset: int) -> Record | None:
    """Return a record as the index takes it; None if nobody can ask for it."""
    kind, headers = str(record.record_type), record.headers
    if kind not in ("response", "revisit", "resource", "request"):
        return None
    url = _url_of(headers)
    if url is None:
        return None
    method, body = "GET", b""
    if kind == "request":
        method, body = _asked(record)
        if method == "GET":
            return None  # as every response is taken to answer one
    return Record(
        kind=kind,  # type: ignore[arg-type]  # one of those above
        url=url,
        offset=offset,
        date=_date(headers.get("WARC-Date") or ""),
        name=_name(headers.get("WARC-Record-ID")),
        beside=_name(headers.get("WARC-Concurrent-To")),
        digest=headers.get("WARC-Payload-Digest") or "",
        method=method,
        body=body,
    )


def _asked(record: Any) -> tuple[str, bytes]:
    """Return method and body of a request."""
    block = record.reader.read(8)
    method = block.split(b" ", 1)[0].decode("latin-1")
    if method == "GET" or not method.isalpha():
        return "GET", b""
    while len(block) < 2 * HEAD_BYTES and (piece := record.reader.read(_PIECE)):
        block += piece
    _, _, body = block.partition(b"\r\n\r\n")
    return method, body


def _stored(record: Any, *, limit: int) -> Stored:
    kind, headers = str(record.record_type), record.headers
    url = _url_of(headers)
    if url is None or kind not in ("response", "revisit", "resource"):
        raise NotStored("the archive has changed since it was indexed")
    block = b""
    while len(block) < HEAD_BYTES and (piece := record.reader.read(_PIECE)):
        block += piece
        if kind == "resource" or re.search(rb"\r?\n\r?\n", block):
            break
    if kind == "resource":
        mime = headers.get("Content-Type")
        fields = (("Content-Type", mime),) if mime else ()
        return Stored(url, Answer(200, fields, _rest(record, block, limit=limit)))
    head = head_of(block)
    if kind == "revisit":
        answer = Answer(head.status, head.headers) if head else Answer(200)
        return Stored(
            url,
            answer,
            is_revisit=True,
            refers_to=_name(headers.get("WARC-Refers-To")),
            refers_to_url=_url_of(headers, "WARC-Refers-To-Target-URI") or "",
            digest=headers.get("WARC-Payload-Digest") or "",
            not_modified=_NOT_MODIFIED in (headers.get("WARC-Profile") or "") or head is None,
        )
    if head is None:
        raise BodyError("the stored response is none of HTTP")
    chunked = any(
        name.lower() == "transfer-encoding" and "chunked" in value.lower()
        for name, value in head.headers
    )
    most = limit * _FRAMING if chunked else limit
    body = _rest(record, block[head.size :], limit=most, before=head.size)
    body = without_chunks(body) if chunked else body
    if len(body) > limit:
        raise _too_large(limit)
    return Stored(url, Answer(head.status, head.headers, body))


def _rest(record: Any, begin: bytes, *, limit: int, before: int = 0) -> bytes:
    """Return the rest of a record, which begins with what was read of it already."""
    pieces, size = [begin], len(begin)
    while size <= limit and (piece := record.reader.read(_PIECE)):
        pieces.append(piece)
        size += len(piece)
    if size > limit:
        raise _too_large(limit)
    if before + size < int(record.content_length):
        raise BodyError("the stored response is cut off")
    return b"".join(pieces)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"more than {limit:,} bytes")


def _url_of(headers: Any, name: str = "WARC-Target-URI") -> str | None:
    text = (headers.get(name) or "").strip("<> ")  # WARC 1.0 has them in brackets
    if not text.lower().startswith(urls.SCHEMES):
        return None
    try:
        return urls.without_credentials(urls.canonicalize(text))
    except InvalidUrl:
        return None


def _name(text: str | None) -> str:
    return (text or "").strip("<> ")


def _date(text: str) -> int:
    """Return a record's date in microseconds; 0 if it has none that can be read."""
    try:
        return date_of(datetime.fromisoformat(text))
    except ValueError:
        return 0


def _words(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
