"""A robots.txt grows old while a crawl runs."""

import itertools
from typing import Any

from crawler.outcome import HostLease, HostNotes
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.rules.book import RobotsBook
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.turns import Turns
from tests.frontier.contract import Clock
from tests.harness import Crawl, crawl, html

DAY = 24 * 3600.0
LONG: dict[str, Any] = {"max_crawl_delay": 3000.0, "max_wait": 3000.0}
URL = "http://a.example/robots.txt"


class Pages(Spider[Any]):
    start_urls = tuple(f"http://a.example/{n}" for n in range(60))
    allowed_domains = ("*",)

    def parse(self, page: Response) -> Any:
        return None


def times_of(left: Crawl, *, robots: bool) -> list[float]:
    began = left.sent[0][0]
    return [round(time - began) for time, _, url in left.sent if (url == URL) is robots]


def test_it_is_asked_for_again_after_24_hours_and_holds_from_then_on() -> None:
    texts = itertools.chain(["User-agent: *\nCrawl-delay: 3000"], itertools.repeat(""))

    async def answer(request: Request) -> Response:
        return html(request, next(texts) if request.kind == "robots" else "")

    left = crawl(Pages(), answer, obey_robots=True, delay=2000.0, **LONG)
    _, second = times_of(left, robots=True)
    assert DAY <= second < DAY + 3000
    pages = times_of(left, robots=False)
    steps = {later - earlier for earlier, later in itertools.pairwise(pages) if later < DAY}
    assert steps == {3000}
    assert {b - a for a, b in itertools.pairwise(pages) if a > second} == {2000}
    assert left.stats.pages == 60


async def test_the_crawl_delay_holds_while_it_is_asked_for_again() -> None:
    clock = Clock()
    turns = Turns(Settings(delay=1.0), clock=clock, book=RobotsBook("test"))
    pages = [link_request(url=f"http://a.example/{n}", id=n) for n in (1, 2)]
    origin = "http://a.example"
    turns.admit([HostLease("a.example", origin, pages, HostNotes(crawl_delay=50.0))])
    turns.admit([HostLease("a.example", origin, (), None)])
    went = []
    for _ in range(120):
        if (request := turns.take()) is not None:
            went.append((clock.now - 1000, request.url.rpartition("/")[2]))
            assert turns.begins(request)
            turns.sent(request)
            turns.freed(request)
        clock.now += 1
    assert went == [(0, "1"), (50, "2"), (100, "robots.txt")]


def test_one_that_could_not_be_reached_is_asked_for_again_ten_minutes_later() -> None:
    async def answer(request: Request) -> Response:
        return html(request, status=500 if request.kind == "robots" else 200)

    left = crawl(Pages(), answer, obey_robots=True, delay=100.0)
    asked = times_of(left, robots=True)
    assert len(asked) > 5
    assert all(600 <= b - a <= 900 for a, b in itertools.pairwise(asked))
    assert left.stats.pages == 60


def test_page_fetch_waits_for_it_as_well() -> None:
    class Fetches(Pages):
        async def parse(self, page: Response) -> None:
            await page.fetch(f"{page.url}/more")

    async def answer(request: Request) -> Response:
        return html(request)

    left = crawl(Fetches(), answer, obey_robots=True, delay=1000.0, concurrency=1)
    assert len(times_of(left, robots=True)) == 2
    assert len(times_of(left, robots=False)) == 120
    assert left.reason == "finished"
