"""A line for each file that was downloaded."""

import time
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from crawler.outcome import Saved

_encoder = msgspec.json.Encoder()


class _MediaLine(Struct, omit_defaults=True):
    """The members of a line of `media.jsonl`, in their order."""

    url: str
    path: str
    sha256: str
    bytes: int
    type: str
    page: str
    fetched: datetime
    final: str | None = None
    width: int | None = None
    height: int | None = None
    thumbnails: dict[str, str] | None = None


def media_line(saved: Saved, *, at: float | None = None) -> bytes:
    """Return a file's line for `media.jsonl`; `at` is when it came (seconds since the epoch; now).

    There only if there is something to say: `final` (the URL after redirects), `width`, `height`,
    `thumbnails`.
    """
    media = saved.media
    return _encoder.encode(
        _MediaLine(
            url=media.url,
            path=media.path,
            sha256=media.sha256,
            bytes=media.bytes,
            type=media.type,
            page=saved.page,
            fetched=datetime.fromtimestamp(time.time() if at is None else at, UTC),
            final=saved.final if saved.final != media.url else None,
            width=media.width,
            height=media.height,
            thumbnails=media.thumbnails or None,
        )
    )
