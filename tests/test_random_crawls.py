"""Whole crawls of random sites, with errands, errors, redirects and stops: what always holds."""

import asyncio
import itertools
import json
from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.engine import Engine
from crawler.errors import ConnectError, FetchError
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Out, Spider
from tests.harness import Crawl, crawl, html

_PAGES = 40
_LONG = 1e6


class Site:
    """Pages 0 to 39 on a few hosts; what each answers and links to is drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.hosts = self.draw.randint(1, 6)
        self.kinds = self.draw.choices(["page", "moved", "gone", "flaky"], [8, 1, 1, 1], k=_PAGES)
        self.links = [self.draw.sample(range(_PAGES), self.draw.randint(0, 6)) for _ in self.kinds]
        self.errands = [self.draw.randint(0, 2) * (self.draw.random() < 0.4) for _ in self.kinds]

    def url(self, number: int) -> str:
        return f"http://h{number % self.hosts}.example/{number}"

    async def answer(self, request: Request) -> Response:
        await asyncio.sleep(self.draw.random() * 2)
        if request.kind == "robots":
            return html(request, self.draw.choice(["", "User-agent: *\nCrawl-delay: 3"]))
        number = int(request.url.rpartition("/")[2])
        kind = self.kinds[number]
        if kind == "flaky" and self.draw.random() < 0.5:
            raise ConnectError("reset")
        if kind == "gone":
            return html(request, status=404)
        if kind == "moved":
            return html(request, status=302, Location=self.url((number * 7 + 1) % _PAGES))
        links = "".join(f"<a href='{self.url(n)}'>n</a>" for n in self.links[number])
        return html(request, links)


class Walker(Spider[dict[str, str]]):
    """Follows every link; some pages fetch others on their way."""

    allowed_domains = ("*",)

    def __init__(self, site: Site) -> None:
        self.site = site
        self.start_urls = [site.url(n) for n in range(3)]

    async def parse(self, page: Response) -> Out[dict[str, str]]:
        number = int(page.url.rpartition("/")[2])
        for errand in range(self.site.errands[number]):
            try:
                await page.fetch(self.site.url((number * 3 + errand) % _PAGES))
            except FetchError:
                self.count("refused")
        yield {"url": page.url}
        yield page.follow_all()


def walk(seed: int, *, stop_at: float | None = None, **given: Any) -> tuple[Site, Crawl]:
    site = Site(seed)

    async def stop(engine: Engine) -> None:
        if stop_at is not None:
            await asyncio.sleep(stop_at)
            engine.stop("SIGINT")

    left = crawl(Walker(site), site.answer, during=stop, max_seconds=_LONG, retries=2, **given)
    return site, left


crawls = given(
    seed=st.integers(0, 2**32),
    concurrency=st.sampled_from([1, 2, 5, 32]),
    per_host=st.integers(1, 3),
    delay=st.sampled_from([0.0, 0.5, 2.0]),
    obey_robots=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@crawls
def test_every_crawl_ends_politely_and_gives_each_page_once(
    seed: int, concurrency: int, per_host: int, delay: float, obey_robots: bool
) -> None:
    site, left = walk(
        seed, concurrency=concurrency, per_host=per_host, delay=delay, obey_robots=obey_robots
    )
    assert left.reason == "finished"
    items = Counter(json.loads(line)["url"] for line in left.spool.lines["items"])
    assert set(items.values()) <= {1}
    assert items.total() == left.stats.pages == len(left.spool.lines["pages"])
    reached = {json.loads(line)["url"] for line in left.spool.lines["failures"]} | set(items)
    for number, links in enumerate(site.links):
        if site.url(number) in items:
            unreached = {site.url(n) for n in links if site.kinds[n] == "page"} - reached
            assert not unreached
    assert max(left.most_in_flight.values()) <= per_host
    by_host: dict[str, list[float]] = {}
    for time, host, _ in left.sent:
        by_host.setdefault(host, []).append(time)
    gaps = [b - a for times in by_host.values() for a, b in itertools.pairwise(times)]
    assert all(gap >= delay - 1e-6 for gap in gaps)


@settings(max_examples=40, deadline=None)
@crawls
def test_a_stop_at_any_moment_ends_the_crawl_in_time_with_whole_pages(
    seed: int, concurrency: int, per_host: int, delay: float, obey_robots: bool
) -> None:
    _, left = walk(
        seed,
        stop_at=Random(seed).random() * 20,
        concurrency=concurrency,
        per_host=per_host,
        delay=delay,
        obey_robots=obey_robots,
        stop_seconds=5.0,
    )
    assert left.reason in ("SIGINT", "finished")
    assert left.seconds < (20 + 5 + 1 if left.reason == "SIGINT" else _LONG)
    items = [json.loads(line)["url"] for line in left.spool.lines["items"]]
    assert len(items) == len(set(items)) == left.stats.pages
