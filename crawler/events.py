"""What listeners hear."""

from collections.abc import Callable

from msgspec import Struct

from crawler.outcome import Failure, Report
from crawler.request import Request
from crawler.response import Response


class Event(Struct, frozen=True):
    """Something that happened; listeners get it once it is committed."""


class CrawlStarted(Event, frozen=True):
    """The crawl is open; `folder` is where its run goes, if it has one."""

    spider: str
    folder: str | None


class PageDone(Event, frozen=True):
    """A page was delivered, with this many items."""

    page: Response
    items: int


class RequestRetried(Event, frozen=True):
    """A request failed and is queued again, for the time `at` (seconds since the epoch)."""

    request: Request
    at: float


class RequestFailed(Event, frozen=True):
    """A request, or the callback on its page, failed for good."""

    failure: Failure


class CrawlEnded(Event, frozen=True):
    """The crawl is over."""

    report: Report


Listener = Callable[[Event], None]
"""Hears what happened; cannot veto."""
