"""The disk is full while callbacks call page.fetch."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from crawler.errors import FetchError, TargetError
from crawler.frontier.memory import MemoryFrontier
from crawler.outcome import HostLease
from crawler.request import Request
from crawler.response import Response
from crawler.run import target_error
from crawler.spider import Out, Spider
from tests.harness import Crawl, crawl, html

PAGES = 12


class Full(MemoryFrontier):
    """Has no room to write down that a host is held, for its first `seconds`."""

    seconds = 20.0
    all: list["Full"] = []  # each test looks at the last

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.all.append(self)
        self._full_until = asyncio.get_running_loop().time() + self.seconds

    async def lease(self, limit: int, *, host: str | None = None) -> Sequence[HostLease]:
        if host is not None and asyncio.get_running_loop().time() < self._full_until:
            raise TargetError("frontier.db: no space left on the disk")
        return await super().lease(limit, host=host)


class FullForGood(Full):
    """Has no room at all."""

    seconds = 1e9


class Fetches(Spider[dict[str, int]]):
    """Each page asks another host for more."""

    start_urls = tuple(f"http://a.example/{n}" for n in range(PAGES))
    allowed_domains = ("*",)

    async def parse(self, page: Response) -> Out[dict[str, int]]:
        more = await page.fetch("http://b.example/more")
        yield {"status": more.status}


class Careless(Fetches):
    """Does not mind what becomes of a fetch."""

    async def parse(self, page: Response) -> Out[dict[str, int]]:
        with suppress(Exception):
            await page.fetch("http://b.example/more")
        yield {"status": 0}


async def answer(request: Request) -> Response:
    return html(request)


def run(spider: Spider[Any], frontier: type[Full]) -> Crawl:
    return crawl(spider, answer, delay=0.0, frontier=frontier, target_pause=30.0)


def test_a_fetch_waits_until_the_disk_has_room_again() -> None:
    left = run(Fetches(), Full)
    assert left.seconds > 30
    assert (left.stats.pages, left.stats.items, left.stats.failures) == (PAGES, PAGES, 0)


@pytest.mark.parametrize("spider", [Fetches, Careless])
def test_a_disk_that_stays_full_ends_the_crawl_and_settles_no_page(
    spider: type[Fetches],
) -> None:
    with pytest.raises(BaseExceptionGroup) as raised:
        run(spider(), FullForGood)
    assert "no space left" in str(target_error(raised.value))
    totals = asyncio.run(Full.all[-1].totals())
    assert (totals.counts["pages"], totals.examples) == (0, ())


def test_a_fetch_that_fails_is_still_the_callbacks_to_catch() -> None:
    class Catches(Fetches):
        async def parse(self, page: Response) -> Out[dict[str, int]]:
            try:
                await page.fetch("http://b.example/gone")
            except FetchError:
                yield {"status": 404}

    async def gone(request: Request) -> Response:
        return html(request, status=404 if request.url.endswith("/gone") else 200)

    left = crawl(Catches(), gone, delay=0.0)
    assert left.stats.items == PAGES
