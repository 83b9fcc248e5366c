"""WARC files, record by record."""

import re
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
)

Kind = Literal["response", "revisit", "resource", "request"]

_PIECE = 65_536
# What a record is read from is read ahead so far: most are a few kB, and each is read by itself.
_AHEAD = 16_384
# RFC 9112 7.1: a chunk is two bytes at least, and the line before it four.
_FRAMING = 3
BROKEN = (OSError, ValueError, EOFError)
"""What reading a file raises that is no sound WARC file."""

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


def read(file: IO[bytes], path: Path, offset: int, *, limit: int) -> Stored:
    """Return the response at `offset` of a file, its body no more than `limit` bytes.

    Raises `BodyTooLarge`, and `NotStored` or `BodyError` for what cannot be read.
    """
    try:
        file.seek(offset)
        record = next(iter(reader_of(file, path)), None)
        if record is None:
            raise NotStored(f"{path.name} has no record at byte {offset}")
        return _stored(record, limit=limit)
    except BROKEN as error:
        raise BodyError(f"the record at byte {offset} of {path.name}: {words_of(error)}") from None


def reader_of(file: IO[bytes], path: Path) -> Any:
    """Return an iterator over the records from where a file is. Raises `MissingExtra`."""
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


def record_of(record: Any, offset: int) -> Record | None:
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
    # A part of a body, or the first of several records of it, is no page.
    is_whole = not (headers.get("WARC-Truncated") or headers.get("WARC-Segment-Number"))
    return Stored(url, Answer(head.status, head.headers, body, is_whole=is_whole))


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


def words_of(error: Exception) -> str:
    """Return what is wrong, for whoever reads a log."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
