"""Items and pages as they come."""

import asyncio
from collections import Counter
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar, Unpack

from yarl import URL

from crawler.app import open_run, settings_of
from crawler.errors import CrawlerError, InvalidUrl, UsageError
from crawler.outcome import Failure, Position, Report
from crawler.promises import delivered_nothing
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.settings import Layer, SettingsDict
from crawler.spider import Out, Spider

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  # as in Spider[I]

Urls = Iterable[str | URL] | AsyncIterable[str | URL]

_ITEMS = 100
_PAGES = 10
"""Items or pages, which are larger, that may wait for whoever takes them; then the crawl waits."""

_AHEAD = 1_000
"""URLs of `fetch_all` that are taken before they are answered: the list may be without end."""


class _Channel(Generic[T]):
    """A bounded queue with an end, which may be an error."""

    def __init__(self, room: int) -> None:
        self._queue: asyncio.Queue[tuple[T] | None] = asyncio.Queue(room)
        self._error: CrawlerError | None = None

    async def put(self, value: T) -> None:
        await self._queue.put((value,))

    async def end(self, error: CrawlerError | None = None) -> None:
        self._error = error
        await self._queue.put(None)

    async def __aiter__(self) -> AsyncIterator[T]:
        while (entry := await self._queue.get()) is not None:
            yield entry[0]
        if self._error is not None:
            raise self._error


class _Heard:
    """A spool that keeps nothing: `hear` gets the items of each commit."""

    def __init__(self, hear: Callable[[Sequence[Any]], Coroutine[Any, Any, None]]) -> None:
        self._hear = hear

    async def append(self, lines: Mapping[str, Sequence[bytes]]) -> Position:  # noqa: ARG002
        return {}

    async def committed(self, position: Position, items: Sequence[object]) -> None:  # noqa: ARG002
        await self._hear(items)

    async def aclose(self) -> None:
        """There is nothing to close."""


@asynccontextmanager
async def stream(
    spider: type[Spider[I]] | Spider[I], **settings: Unpack[SettingsDict]
) -> AsyncIterator[AsyncIterator[I]]:
    """Run a spider and give its items as they are committed; nothing is written to disk.

    `async with stream(Quotes) as items: async for item in items: ...`. The crawl waits when the
    items are not taken; leaving the block ends it. Raises `CrawlerError` after the last item if the
    crawl could not go on, or broke a promise on its items.
    """
    merged = settings_of(spider, above=[Layer("stream()", settings)])
    channel: _Channel[I] = _Channel(_ITEMS)

    async def give(items: Sequence[I]) -> None:
        for item in items:
            await channel.put(item)

    async with open_run(spider, settings=merged, spool=_Heard(give)) as run:

        async def finish() -> None:
            report = await run.finish()
            await channel.end(_error_of(report))

        async with _beside(finish()):
            yield aiter(channel)


def _error_of(report: Report) -> CrawlerError | None:
    if report.broken_promises:
        return CrawlerError(f"broken promise: {'; '.join(report.broken_promises)}")
    if report.exit_status and not delivered_nothing(report):
        return CrawlerError(f"the crawl could not go on: {report.reason}")
    return None


class _Pages(Spider[Any]):
    """Fetches URLs as they are wanted; what comes of each goes to a channel."""

    allowed_domains = ("*",)

    def __init__(self, results: _Channel[Response | Failure]) -> None:
        self.wanted: _Channel[str] = _Channel(1)
        self.left_out: Callable[[], int] = int
        self._results = results
        self._open: Counter[str] = Counter()  # URLs asked for that gave nothing yet
        self._settled_some = asyncio.Event()

    async def start(self) -> Out[Any]:
        async for url in self.wanted:
            # What was left out of the queue is answered at the end, and in nobody's way.
            while self._open.total() - self.left_out() >= _AHEAD:
                self._settled_some.clear()
                await self._settled_some.wait()
            yield await self._request(url)

    async def parse(self, page: Response) -> None:
        self._answered(page.request)
        await self._results.put(page)

    async def on_error(self, failure: Failure) -> None:
        self._answered(failure.request)
        await self._results.put(failure)

    async def hear(self, items: Sequence[object]) -> None:  # noqa: ARG002  # there are none
        """Hear of a commit."""
        self._settled_some.set()

    async def take(self, urls: Urls) -> None:
        """Take what is to be fetched, no faster than it is."""
        if isinstance(urls, AsyncIterable):
            async for url in urls:
                await self.wanted.put(str(url))
        else:
            for url in urls:
                await self.wanted.put(str(url))
        await self.wanted.end()

    async def answer_the_rest(self, report: Report) -> None:
        """Answer for the URLs that were dropped from the queue, by `max_wait` or a limit."""
        for url in self._open.elements():
            request = Request(url, data=url)
            given_up = report.given_up.get(request.host)
            kind = "host_given_up" if given_up else "left_out"
            reason = given_up or f"not asked for: {report.reason}, or a limit of its host"
            await self._results.put(Failure(request, kind, reason))

    def _answered(self, request: Request) -> None:
        self._open[request.data] -= 1
        if not self._open[request.data]:
            del self._open[request.data]

    async def _request(self, url: str) -> Request | None:
        try:
            request = Request(url, data=url, again=True)
            self._open[url] += 1
            return request
        except InvalidUrl as error:
            bad = link_request(url=error.url, data=url)
            await self._results.put(Failure(bad, "invalid_url", str(error)))
            return None


@asynccontextmanager
async def fetch_all(
    urls: Urls, **settings: Unpack[SettingsDict]
) -> AsyncIterator[AsyncIterator[Response | Failure]]:
    """Fetch a plain list of URLs over one session; give each result as it comes.

    `async with fetch_all(urls) as pages: async for page in pages: ...`. Every URL gives one result:
    a Response, or a Failure (`url`, `kind`, `reason`, `status`). `page.request.data` is the URL as
    it was given. Politeness, robots.txt and retries are those of a crawl; any type of body comes.
    `urls` may be without end: it is read as results are taken, and no further once a limit is
    reached. What it raises comes out of the block.
    """
    if isinstance(urls, str | URL):
        raise UsageError(f"fetch_all(): expected several URLs, got one: {str(urls)!r}")
    above = [Layer("fetch_all()", {"accept": "*", **settings})]
    channel: _Channel[Response | Failure] = _Channel(_PAGES)
    spider = _Pages(channel)
    merged = settings_of(spider, above=above)
    async with open_run(spider, settings=merged, spool=_Heard(spider.hear)) as run:
        spider.left_out = lambda: sum(run.stats.part("left_out").values())

        async def finish() -> None:
            report = await run.finish()
            await spider.answer_the_rest(report)
            await channel.end()

        async with _beside(finish(), spider.take(urls)):
            yield aiter(channel)


@asynccontextmanager
async def _beside(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these beside the block; the block's end is theirs, an error of theirs the block's."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in parts]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise
