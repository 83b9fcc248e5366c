"""A line for each page."""

import hashlib
import time
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from crawler.response import Response

_encoder = msgspec.json.Encoder()


class Place(Struct, frozen=True, omit_defaults=True):
    """Where a page is kept: a file in the run's folder; in an archive, which bytes of it.

    `same_as` is where its body is, if that is the one of a page kept before. No `file`: nowhere.
    """

    file: str = ""
    offset: int | None = None
    length: int | None = None
    same_as: "Place | None" = None


class PageLine(Struct, omit_defaults=True):
    """The members of a line of `pages.jsonl`, in their order."""

    url: str
    status: int
    type: str
    bytes: int
    depth: int
    seconds: float
    fetched: datetime
    final: str | None = None
    file: str | None = None
    offset: int | None = None
    length: int | None = None
    same_as: Place | None = None
    encoding: str | None = None
    parent: str = ""
    redirects: tuple[str, ...] = ()
    method: str = "GET"
    sent: str | None = None


def index_line(page: Response, place: Place, *, at: float | None = None) -> bytes:
    """Return a page's line for `pages.jsonl`; `at` is when it came (seconds since the epoch; now).

    `place` is where the page store has it. There only if there is something to say: `final` (the
    URL after redirects), `file`, `encoding` (of text), `parent` (the page that linked here),
    `redirects` (the URLs that led here, if `url` was not the only one), `method` (other than GET)
    and `sent`, the digest of a body that was sent.
    """
    request, asked = page.request, page.request.url
    is_text = page.is_html or page.is_text
    return _encoder.encode(
        PageLine(
            url=asked,
            status=page.status,
            type=page.mime,
            bytes=len(page.body),
            depth=page.depth,
            seconds=round(page.seconds, 3),
            fetched=datetime.fromtimestamp(time.time() if at is None else at, UTC),
            final=page.url if page.url != asked else None,
            file=place.file or None,
            offset=place.offset,
            length=place.length,
            same_as=place.same_as,
            encoding=page.encoding if is_text else None,
            parent=request.parent,
            redirects=page.redirects if page.redirects != (asked,) else (),
            method=request.method,
            sent=digest_of(request.body),
        )
    )


def digest_of(body: bytes | None) -> str | None:
    """Return what tells the bodies of two requests apart; None if there is none."""
    return None if body is None else hashlib.blake2b(body, digest_size=8).hexdigest()
