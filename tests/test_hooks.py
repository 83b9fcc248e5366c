"""opened(), closed(), and what else a spider has of its own."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec import Struct

from crawler import Report, Response, Spider, Stop, crawl
from crawler.app import open_run, settings_of
from crawler.errors import SpiderError
from crawler.jobs import begin
from crawler.settings import Layer
from tests.site import Site


class Tells(Spider[dict[str, str]], delay=0, min_free_bytes=0):
    """Follows every link; writes down which hooks were called."""

    def __init__(self, site: Site) -> None:
        site.page("/", links=["/a", "/b"])
        site.page("/a")
        site.page("/b")
        self.start_urls = [site.url("/")]
        self.told: list[Any] = []

    def opened(self) -> Any:
        self.told.append("opened")

    def parse(self, page: Response) -> Any:
        self.told.append("parse")
        return [{"url": page.url}, *page.follow_all()]

    def closed(self, report: Report) -> Any:
        self.told.append(report)


class TellsLater(Tells):
    async def opened(self) -> None:
        await asyncio.sleep(0)
        self.told.append("opened")

    async def closed(self, report: Report) -> None:
        await asyncio.sleep(0)
        self.told.append(report)


@pytest.mark.parametrize("kind", [Tells, TellsLater])
async def test_hooks_are_called_once_round_the_crawl(
    kind: type[Tells], site: Site, tmp_path: Path
) -> None:
    spider = kind(site)
    report = await crawl(spider, output_dir=str(tmp_path))
    assert spider.told == ["opened", "parse", "parse", "parse", report]
    assert (report.pages, report.exit_status) == (3, 0)


def fail() -> Any:
    raise ValueError("no database")


async def fail_later() -> Any:
    raise ValueError("no database")


@pytest.mark.parametrize("failing", [fail, fail_later])
async def test_a_spider_that_does_not_open_crawls_nothing(
    failing: Any, site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Tells):
        def opened(self) -> Any:
            return failing()

    spider = Broken(site)
    report = await crawl(spider, output_dir=str(tmp_path))
    assert report.reason.startswith("opened() failed: ValueError: no database (test_hooks.py:")
    assert (report.exit_status, site.log, spider.told) == (1, [], [report])
    assert "opened() failed: ValueError: no database" in caplog.text


async def test_a_spider_may_decide_not_to_crawl(site: Site, tmp_path: Path) -> None:
    class Idle(Tells):
        async def opened(self) -> None:
            raise Stop("nothing new today")

    report = await crawl(Idle(site), output_dir=str(tmp_path))
    assert (report.reason, report.exit_status, site.log) == ("nothing new today", 0, [])


@pytest.mark.parametrize("failing", [fail, fail_later])
async def test_a_closed_that_raises_loses_no_data(
    failing: Any, site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Tells):
        def closed(self, report: Report) -> Any:
            return failing()

    report = await crawl(Broken(site), output_dir=str(tmp_path))
    assert report.exit_status == 1  # nobody reads a log every night
    assert report.reason.startswith("closed() failed: ValueError: no database")
    assert report.folder is not None
    lines = (Path(report.folder) / "items.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert "closed() failed: ValueError: no database" in caplog.text


async def test_a_crawl_that_is_cancelled_is_closed_and_leaves_its_report(
    site: Site, tmp_path: Path
) -> None:
    spider, asked, over = Tells(site), asyncio.Event(), asyncio.Event()

    async def hang(request: object) -> web.StreamResponse:
        asked.set()
        await over.wait()
        return web.Response()

    site.handle("/a", hang)

    async def run() -> None:
        await crawl(spider, output_dir=str(tmp_path))

    task = asyncio.create_task(run())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    over.set()
    report = spider.told[-1]
    assert (report.reason, report.exit_status) == ("ended at once", 1)
    assert json.loads((Path(report.folder) / "stats.json").read_text())["reason"] == "ended at once"


async def test_a_crawl_that_a_bug_ends_is_closed(site: Site, tmp_path: Path) -> None:
    class Buggy(Tells):
        layers = (lambda fetch: lambda request: fail_later(),)

    spider = Buggy(site)
    with pytest.raises(ValueError, match="no database"):
        await crawl(spider, output_dir=str(tmp_path))
    assert spider.told[-1].exit_status == 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_an_opened_that_does_not_end_is_left_when_the_crawl_is_stopped(
    site: Site, tmp_path: Path, at_once: bool
) -> None:
    opening = asyncio.Event()

    class Stuck(Tells):
        async def opened(self) -> None:
            opening.set()
            await asyncio.Event().wait()

    spider = Stuck(site)
    above = Layer("test", {"output_dir": str(tmp_path), "stop_seconds": 3600 if at_once else 0})
    settings = settings_of(spider, above=[above])
    async with open_run(spider, settings=settings, job=begin(spider, settings)) as run:
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(run.finish())
            await opening.wait()
            run.stop("SIGINT", at_once=at_once)
        assert (ending.result().reason, ending.result().exit_status) == ("SIGINT", 0)
    assert (site.log, spider.told[-1].reason) == ([], "SIGINT")


async def test_a_stop_while_the_spider_opens_is_heard(site: Site, tmp_path: Path) -> None:
    opening, opened = asyncio.Event(), asyncio.Event()

    class Slow(Tells):
        async def opened(self) -> None:
            opening.set()
            await opened.wait()

    spider = Slow(site)
    above = Layer("test", {"output_dir": str(tmp_path)})
    settings = settings_of(spider, above=[above])
    async with open_run(spider, settings=settings, job=begin(spider, settings)) as run:
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(run.finish())
            await opening.wait()
            run.stop("SIGINT")
            opened.set()
        assert ending.result().reason == "SIGINT"
    assert site.log == []


class Totals(Struct):
    pages: int = 0


async def test_state_log_and_counters_are_there_without_super_init(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Own(Tells):
        state: Totals

        def parse(self, page: Response) -> None:
            self.state.pages += 1
            self.count("pages")
            self.log.warning("page %d", self.state.pages)

    spider = Own(site)
    report = await crawl(spider, output_dir=str(tmp_path))
    assert (spider.state.pages, report.counts["user.pages"]) == (1, 1)
    assert [(record.name, record.message) for record in caplog.records] == [
        ("spiders.own", "page 1")
    ]


def test_a_counter_without_a_page_is_refused(site: Site) -> None:
    with pytest.raises(SpiderError, match=r"self\.count works inside callbacks"):
        Tells(site).count("nothing")


async def test_nothing_is_logged_below_a_warning_by_a_crawl_that_goes_well(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await crawl(Tells(site), output_dir=str(tmp_path))
    assert caplog.records == []


async def test_what_was_kept_is_not_held_once_it_is_known(site: Site, tmp_path: Path) -> None:
    spider = Tells(site)
    above = Layer("test", {"output_dir": str(tmp_path), "frontier": "sqlite"})
    settings = settings_of(spider, above=[above])
    job = begin(spider, settings)
    async with open_run(spider, settings=settings, job=job) as run:
        before = await run.finish()
    async with open_run(spider, settings=settings, job=job) as run:
        assert before.seconds > 0 < run.stats.seconds
        assert run.restart.queued == 0
        assert run.restart.kept == {}
