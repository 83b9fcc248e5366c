"""Items and pages as they come."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar, Unpack

from crawler.app import open_run, settings_of
from crawler.errors import InvalidUrl
from crawler.outcome import Failure, Position, Report
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.run import Run
from crawler.settings import Layer, SettingsDict
from crawler.spider import Out, Spider

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  # as in Spider[I]

_ROOM = 100
"""Items or pages that may wait for whoever takes them; then the crawl waits."""


class _Channel(Generic[T]):
    """A bounded queue with an end."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[T] | None] = asyncio.Queue(_ROOM)

    async def put(self, value: T) -> None:
        await self._queue.put((value,))

    async def end(self) -> None:
        await self._queue.put(None)

    async def __aiter__(self) -> AsyncIterator[T]:
        while (entry := await self._queue.get()) is not None:
            yield entry[0]


class _ItemSpool:
    """A spool that keeps nothing: committed items go to a channel."""

    def __init__(self, channel: _Channel[Any]) -> None:
        self._channel = channel

    async def append(self, lines: Mapping[str, Sequence[bytes]]) -> Position:  # noqa: ARG002
        return {}

    async def committed(self, position: Position, items: Sequence[object]) -> None:  # noqa: ARG002
        for item in items:
            await self._channel.put(item)

    async def aclose(self) -> None:
        """There is nothing to close."""


@asynccontextmanager
async def stream(
    spider: type[Spider[I]] | Spider[I], **settings: Unpack[SettingsDict]
) -> AsyncIterator[AsyncIterator[I]]:
    """Run a spider and give its items as they are committed; nothing is written to disk.

    `async with stream(Quotes) as items: async for item in items: ...`. The crawl waits when the
    items are not taken; leaving the block ends it.
    """
    merged = settings_of(spider, above=[Layer("stream()", settings)])
    channel: _Channel[I] = _Channel()
    async with open_run(spider, settings=merged, spool=_ItemSpool(channel)) as run:
        async with _running(run, channel):
            yield aiter(channel)


class _Pages(Spider[Any]):
    """Fetches a list of URLs; what comes of each goes to a channel."""

    allowed_domains = ("*",)

    def __init__(
        self, wanted: Iterable[str] | AsyncIterable[str], channel: _Channel[Response | Failure]
    ) -> None:
        self._wanted = wanted
        self._channel = channel
        self._open: Counter[str] = Counter()  # URLs asked for that gave nothing yet

    async def start(self) -> Out[Any]:
        if isinstance(self._wanted, AsyncIterable):
            async for url in self._wanted:
                yield await self._request(url)
        else:
            for url in self._wanted:
                yield await self._request(url)

    async def parse(self, page: Response) -> None:
        self._answered(page.request)
        await self._channel.put(page)

    async def on_error(self, failure: Failure) -> None:
        self._answered(failure.request)
        await self._channel.put(failure)

    async def closed(self, report: Report) -> None:
        """Answer for the URLs that were dropped from the queue, by `max_wait` or a limit."""
        for url in self._open.elements():
            request = Request(url, data=url)
            given_up = report.given_up.get(request.host)
            kind = "host_given_up" if given_up else "left_out"
            reason = given_up or f"not asked for: {report.reason}, or a limit of its host"
            await self._channel.put(Failure(request, kind, reason))

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
            bad = link_request(url=url, data=url)
            await self._channel.put(Failure(bad, "invalid_url", str(error)))
            return None


@asynccontextmanager
async def fetch_all(
    urls: Iterable[str] | AsyncIterable[str], **settings: Unpack[SettingsDict]
) -> AsyncIterator[AsyncIterator[Response | Failure]]:
    """Fetch a plain list of URLs over one session; give each result as it comes.

    `async with fetch_all(urls) as pages: async for page in pages: ...`. Every URL gives one result:
    a Response, or a Failure (`url`, `kind`, `reason`, `status`). `page.request.data` is the URL as
    it was given. Politeness, robots.txt and retries are those of a crawl; any type of body comes.
    """
    above = [Layer("fetch_all()", {"accept": "*", **settings})]
    channel: _Channel[Response | Failure] = _Channel()
    spider = _Pages(urls, channel)
    async with (
        open_run(
            spider, settings=settings_of(spider, above=above), spool=_ItemSpool(channel)
        ) as run,
        _running(run, channel),
    ):
        yield aiter(channel)


@asynccontextmanager
async def _running(run: Run, channel: _Channel[Any]) -> AsyncIterator[None]:
    """Run a crawl beside the block; the block's end is the crawl's end."""

    async def finish() -> None:
        await run.finish()
        await channel.end()

    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(finish())
            yield
            task.cancel()
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise
