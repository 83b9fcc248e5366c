"""A line for each failure."""

import time
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from crawler.outcome import Failure

_encoder = msgspec.json.Encoder()


class _FailureLine(Struct, omit_defaults=True):
    """The members of a line of `failures.jsonl`, in their order."""

    url: str
    kind: str
    reason: str
    attempts: int
    callback: str
    depth: int
    time: datetime
    status: int | None = None
    method: str = "GET"
    parent: str = ""


def failure_line(failure: Failure, *, at: float | None = None) -> bytes:
    """Return a failure's line for `failures.jsonl`; `at` is when (seconds since the epoch; now).

    There only if there is something to say: `status`, `method` (other than GET), `parent`.
    """
    request = failure.request
    return _encoder.encode(
        _FailureLine(
            url=request.url,
            kind=failure.kind,
            reason=failure.reason,
            attempts=request.attempt,
            callback=request.callback,
            depth=request.depth,
            time=datetime.fromtimestamp(time.time() if at is None else at, UTC),
            status=failure.status,
            method=request.method,
            parent=request.parent,
        )
    )
