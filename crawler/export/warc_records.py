"""Exchanges as WARC records, each a gzip member."""

import base64
import hashlib
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from isal import isal_zlib
from msgspec import Struct

from crawler.exchange import Exchange
from crawler.records.page_index import Place
from crawler.response import Response

# ISO 28500:2017, which is WARC 1.1.
_VERSION: Final = b"WARC/1.1"
_SAME_PAYLOAD: Final = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_FIELDS: Final = "application/warc-fields"
# The payload is stored without its chunks, so no reader may look for them. Archives made by
# browsers call such a line so.
_CHUNKED: Final = re.compile(rb"^transfer-encoding(?=[ \t]*:)", re.IGNORECASE | re.MULTILINE)
_RENAMED: Final = b"X-Orig-Transfer-Encoding"
_BREAKS: Final = re.compile(r"\s+")
_GZIP: Final = 16 + isal_zlib.MAX_WBITS
_LEVEL: Final = 2

Headers = Iterable[tuple[str, str]]


class Seen(Struct, frozen=True):
    """A payload that is stored already: of which URL, at what time, and where."""

    url: str
    date: str
    place: Place


class Member(Struct, frozen=True):
    """One record, compressed; of a capture what an index says of it (`status` None: of no other).

    `digest` is that of the payload.
    """

    data: bytes
    url: str = ""
    date: str = ""
    mime: str = ""
    status: int | None = None
    digest: str = ""


def digest_of(payload: bytes) -> str:
    """Return a payload's digest as WARC writes it.

    SHA-256: two payloads of one SHA-1 can be made, and one would take the other's place.
    """
    return "sha256:" + base64.b32encode(hashlib.sha256(payload).digest()).decode()


def date_of(at: float) -> str:
    """Return a time (seconds since the epoch) as WARC 1.1 writes it, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def warcinfo(filename: str, fields: Headers, *, at: float) -> Member:
    """Return the record that a file begins with."""
    headers = [("WARC-Filename", filename)]
    return Member(_record("warcinfo", _new_id(), headers, _FIELDS, _lines(fields), date_of(at)))


def members_of(
    exchange: Exchange, *, digest: str, via: str, hops: str, seen: Seen | None
) -> list[Member]:
    """Return an exchange's records: response or revisit, request, metadata.

    It is a revisit if its payload was `seen`. `via` is the URL that led here, `hops` by which
    steps from a seed: L a link, R a redirect, P robots.txt or a sitemap.
    """
    date, identity = date_of(exchange.at), _new_id()
    head = _CHUNKED.sub(_RENAMED, exchange.head)
    about = [("WARC-Target-URI", exchange.url)]
    about += [("WARC-IP-Address", exchange.address)] if exchange.address else []
    about += [("WARC-Protocol", name) for name in exchange.protocols]
    main = [*about, ("WARC-Payload-Digest", digest)]
    if exchange.truncated:
        main.append(("WARC-Truncated", exchange.truncated))
    kind, block = "response", head + exchange.body
    if seen is not None:
        kind, block = "revisit", head
        main += [
            ("WARC-Profile", _SAME_PAYLOAD),
            ("WARC-Refers-To-Target-URI", seen.url),
            ("WARC-Refers-To-Date", seen.date),
        ]
    fields = [("via", via), ("hopsFromSeed", hops)]
    fields.append(("fetchTimeMs", str(round(exchange.seconds * 1000))))
    beside = [("WARC-Concurrent-To", identity)]
    http = "application/http;msgtype="
    capture = Member(
        _record(kind, identity, main, f"{http}response", block, date),
        url=exchange.url,
        date=date,
        mime=_mime(head) if seen is None else "warc/revisit",
        status=exchange.status,
        digest=digest,
    )
    asked = _record(
        "request", _new_id(), [*about, *beside], f"{http}request", exchange.request, date
    )
    target = [("WARC-Target-URI", exchange.url), *beside]
    told = _record("metadata", _new_id(), target, _FIELDS, _lines(fields), date)
    return [capture, Member(asked), Member(told)]


def resource_of(page: Response, *, digest: str, at: float) -> Member:
    """Return the record of a page that came over no wire of ours: a layer of the user's made it."""
    date, mime = date_of(at), page.mime or "application/octet-stream"
    headers = [("WARC-Target-URI", page.url), ("WARC-Payload-Digest", digest)]
    data = _record("resource", _new_id(), headers, mime, page.body, date)
    return Member(data, url=page.url, date=date, mime=mime, status=page.status, digest=digest)


def _record(
    kind: str, identity: str, headers: Headers, content_type: str, block: bytes, date: str
) -> bytes:
    named = [
        ("WARC-Type", kind),
        ("WARC-Record-ID", identity),
        ("WARC-Date", date),
        *headers,
        ("WARC-Block-Digest", digest_of(block)),
        ("Content-Type", content_type),
        ("Content-Length", str(len(block))),
    ]
    lines = _lines(named)
    return isal_zlib.compress(
        b"".join((_VERSION, b"\r\n", lines, b"\r\n", block, b"\r\n\r\n")), _LEVEL, _GZIP
    )


def _lines(fields: Headers) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in fields if value]
    text = "".join(lines)
    if text.count("\r") + text.count("\n") != 2 * len(lines):  # a layer's page has any URL it likes
        text = "".join(f"{_BREAKS.sub(' ', line)}\r\n" for line in lines)
    return text.encode(errors="replace")


def _new_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def _mime(head: bytes) -> str:
    """Return the type that an answer's head names, as an index has it."""
    for line in head.split(b"\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-type":
            return re.split(r"[;\s]", value.decode("latin-1").strip(), maxsplit=1)[0]
    return ""
