"""A line for each page."""

import time
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from crawler.response import Response

_encoder = msgspec.json.Encoder()


class _PageLine(Struct, omit_defaults=True):
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
    encoding: str | None = None
    parent: str = ""


def index_line(page: Response, name: str, *, at: float | None = None) -> bytes:
    """Return a page's line for `pages.jsonl`; `at` is when it came (seconds since the epoch; now).

    `name` is what the page store called it. There only if there is something to say: `final` (the
    URL after redirects), `file`, `encoding` (of text), `parent` (the page that linked here).
    """
    asked = page.request.url
    is_text = page.is_html or page.mime.startswith("text/")
    return _encoder.encode(
        _PageLine(
            url=asked,
            status=page.status,
            type=page.mime,
            bytes=len(page.body),
            depth=page.depth,
            seconds=round(page.seconds, 3),
            fetched=datetime.fromtimestamp(time.time() if at is None else at, UTC),
            final=page.url if page.url != asked else None,
            file=name or None,
            encoding=page.encoding if is_text else None,
            parent=page.request.parent,
        )
    )
