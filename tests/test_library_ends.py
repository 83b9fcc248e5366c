"""How crawls inside a program begin and end: early, broken, cancelled, side by side."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from crawler import CrawlerError, Out, Report, Request, Response, Spider, crawl, fetch_all, stream
from crawler.errors import SettingError
from tests.site import Site


class Pages(Spider[dict[str, str]], delay=0, min_free_bytes=0):
    """Follows every link; slow enough to be left in the middle."""

    def __init__(self, site: Site) -> None:
        site.page("/", links=[f"/{n}" for n in range(50)])
        for n in range(50):
            site.page(f"/{n}")
        self.start_urls = [site.url("/")]
        self.reports: list[Report] = []

    def parse(self, page: Response) -> Any:
        return [{"url": page.url}, *page.follow_all()]

    def closed(self, report: Report) -> None:
        self.reports.append(report)


@asynccontextmanager
async def nothing_left() -> AsyncIterator[Site]:
    """Serve a site; fail if the block leaves a task or a descriptor behind."""
    tasks, descriptors = asyncio.all_tasks(), len(os.listdir("/dev/fd"))
    async with Site() as site:
        yield site
    assert asyncio.all_tasks() == tasks
    assert len(os.listdir("/dev/fd")) == descriptors


Opened = Callable[[Pages], AbstractAsyncContextManager[AsyncIterator[Any]]]


def streamed(spider: Pages) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
    return stream(spider, delay=0.1)


def fetched(spider: Pages) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
    return fetch_all([*spider.start_urls] * 50, delay=0.1)


async def leave(opened: Opened, spider: Pages) -> None:
    async with opened(spider) as found:
        async for _ in found:
            break


async def leave_untouched(opened: Opened, spider: Pages) -> None:
    async with opened(spider):
        pass


async def raise_at_once(opened: Opened, spider: Pages) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with opened(spider):
            raise KeyError("mine")


async def raise_later(opened: Opened, spider: Pages) -> None:
    async def raise_in_the_middle() -> None:
        async with opened(spider) as found:
            async for _ in found:
                raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await raise_in_the_middle()


async def be_cancelled(opened: Opened, spider: Pages) -> None:
    begun = asyncio.Event()

    async def take() -> None:
        async with opened(spider) as found:
            async for _ in found:
                begun.set()

    task = asyncio.create_task(take())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("opened", [streamed, fetched])
@pytest.mark.parametrize("way", [leave, leave_untouched, raise_at_once, raise_later, be_cancelled])
async def test_whatever_ends_the_block_ends_the_crawl(
    way: Callable[[Opened, Pages], Awaitable[None]], opened: Opened
) -> None:
    async with nothing_left() as site:
        await way(opened, Pages(site))
        assert len(site.log) < 10


async def test_leaving_a_stream_closes_the_spider(site: Site) -> None:
    spider = Pages(site)
    await leave(streamed, spider)
    (report,) = spider.reports
    assert (report.reason, report.pages >= 1) == ("ended at once", True)


async def test_a_stream_whose_start_raises_gives_its_items_and_then_the_error(site: Site) -> None:
    class Half(Pages):
        async def start(self) -> Out[dict[str, str]]:
            yield [Request(f"{self.start_urls[0]}{n}") for n in range(500)]
            raise ValueError("half way")

    found: list[dict[str, str]] = []

    async def take() -> None:
        async with stream(Half(site)) as items:
            async for item in items:
                found.append(item)  # noqa: PERF401  # what came before the error counts

    with pytest.raises(CrawlerError, match=r"could not go on: ValueError: half way \(test_lib"):
        await take()
    assert len(found) == 50


async def test_a_stream_that_passes_max_failures_says_so(site: Site) -> None:
    spider = Pages(site)
    site.page("/", links=[f"/no/{n}" for n in range(9)])
    with pytest.raises(CrawlerError, match="max_failures"):
        async with stream(spider, max_failures=2, retries=0) as items:
            assert [item async for item in items] == [{"url": site.url("/")}]


async def test_a_crawl_that_times_out_is_over(site: Site, tmp_path: Path) -> None:
    spider = Pages(site)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await crawl(spider, delay=0.1, output_dir=str(tmp_path))
    (report,) = spider.reports
    assert report.reason == "ended at once"


async def test_two_crawls_side_by_side_share_nothing(site: Site, tmp_path: Path) -> None:
    one, two = Pages(site), Pages(site)
    first, second = await asyncio.gather(
        crawl(one, output_dir=str(tmp_path)), crawl(two, output_dir=str(tmp_path))
    )
    assert first.pages == second.pages == 51
    assert first.folder != second.folder
    assert site.paths.count("/7") == 2


async def test_one_spider_can_be_crawled_again(site: Site, tmp_path: Path) -> None:
    spider = Pages(site)
    reports = [await crawl(spider, max_pages=3, output_dir=str(tmp_path)) for _ in range(2)]
    assert [report.pages for report in reports] == [3, 3]


def test_crawls_run_one_after_another_in_loops_of_their_own(tmp_path: Path) -> None:
    async def once() -> int:
        async with Site() as site:
            return (await crawl(Pages(site), max_pages=2, output_dir=str(tmp_path))).pages

    assert [asyncio.run(once()) for _ in range(2)] == [2, 2]


async def test_a_program_keeps_its_signals_and_its_logging(site: Site, tmp_path: Path) -> None:
    def state() -> object:
        loggers = [logging.getLogger(name) for name in (None, "crawler", "spiders", "asyncio")]
        return (
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
            [(logger.level, logger.propagate, *logger.handlers) for logger in loggers],
        )

    before, during = state(), []

    class Looks(Pages):
        def parse(self, page: Response) -> None:
            during.append(state())

    await crawl(Looks(site), output_dir=str(tmp_path))
    assert during == [before]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dealy": 1}, "unknown setting 'dealy'; did you mean 'delay'"),
        ({"delay": "fast"}, "delay must be a number, at least 0, got 'fast'"),
    ],
)
async def test_a_wrong_setting_names_the_call_it_was_given_to(
    settings: dict[str, Any], words: str, site: Site
) -> None:
    spider = Pages(site)
    with pytest.raises(SettingError, match=rf"^crawl\(\): {words}"):
        await crawl(spider, **settings)
    with pytest.raises(SettingError, match=rf"^stream\(\): {words}"):
        await leave(lambda spider: stream(spider, **settings), spider)
    with pytest.raises(SettingError, match=rf"^fetch_all\(\): {words}"):
        await leave(lambda spider: fetch_all([], **settings), spider)
    assert site.log == []
