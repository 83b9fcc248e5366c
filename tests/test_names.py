"""Names that resolve to something else later, in a whole crawl on real sockets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from crawler import Failure, Out, Response, Spider
from crawler.fetch.chain import open_fetch
from crawler.fetch.jars import Jars
from crawler.frontier.alone import UNHEARD
from crawler.protocols import Fetch
from crawler.rules.book import RobotsBook
from crawler.rules.credentials import Credentials
from crawler.rules.guard import Guard
from crawler.settings import Settings
from tests.harness import crawl_here
from tests.names import Names
from tests.site import Site

FIRST, LATER = "127.0.0.1", "127.0.0.2"


class Follows(Spider[Any]):
    allowed_domains = ("*",)

    def __init__(self, *seeds: str) -> None:
        self.start_urls = seeds
        self.pages: list[tuple[str, int]] = []
        self.failed: list[tuple[str, str]] = []

    async def parse(self, page: Response) -> Out[Any]:
        self.pages.append((page.url, page.request.attempt))
        yield page.follow_all()

    def on_error(self, failure: Failure) -> None:
        self.failed.append((failure.kind, failure.url))


@asynccontextmanager
async def opened(
    names: Names, *seeds: str, public: str = "", kept: Mapping[str, bytes] | None = None
) -> AsyncIterator[tuple[Fetch, Guard]]:
    """The whole fetch of a crawl; `kept` is what the guard of an earlier life left."""
    settings = Settings(obey_robots=False)
    guard = Guard(is_public=lambda address: address == public)
    for name, value in (kept or {}).items():
        guard.learn(name, value)
    for seed in seeds:
        guard.add_seed(seed)
    async with open_fetch(
        settings,
        guard=guard,
        credentials=Credentials(settings),
        book=RobotsBook("me"),
        jars=Jars(),
        sent=lambda _: None,
        note=lambda _: UNHEARD,
        resolver=names,
    ) as fetch:
        yield fetch, guard


@pytest.mark.parametrize("public", ["", FIRST])
async def test_a_seed_that_resolves_to_another_address_scans_nothing(public: str) -> None:
    async with Site([FIRST, LATER]) as site, Site([FIRST, LATER]) as inside:
        seed = f"http://rebinds.example:{site.port}/"
        elsewhere = f"http://rebinds.example:{inside.port}/"
        site.page("/", links=["/deep", elsewhere, f"http://other.example:{site.port}/"])
        site.page("/deep")
        inside.page("/")
        spider = Follows(seed)
        async with opened(Names(rebinds=[FIRST], other=[LATER]), seed, public=public) as fetching:
            fetch, guard = fetching
            await crawl_here(spider, fetch, delay=0.0)
            kept = guard.changes()
        assert (seed, 1) in spider.pages
        assert (f"{seed}deep", 1) in spider.pages
        refused = {f"http://other.example:{site.port}/", *([] if public else [elsewhere])}
        assert set(spider.failed) == {("private_address", url) for url in refused}
        assert len(inside.log) == (1 if public else 0)
        asked = len(site.log)

        resumed = Follows(seed, f"{seed}deep")
        async with opened(Names(rebinds=[LATER]), seed, public=public, kept=kept) as fetching:
            await crawl_here(resumed, fetching[0], delay=0.0)
        assert resumed.pages == []
        assert sorted(resumed.failed) == [("private_address", url) for url in resumed.start_urls]
        assert len(site.log) == asked


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_name_that_does_not_resolve_at_first_is_delivered_on_its_retry(
    site: Site, failures: int
) -> None:
    site.page("/")
    seed = f"http://late.example:{site.port}/"
    names = Names(late=[FIRST])
    names.failures = failures
    spider = Follows(seed)
    async with opened(names, seed) as fetching:
        await crawl_here(spider, fetching[0], retries=2, backoff=0.001, delay=0.0)
    assert spider.pages == [(seed, failures + 1)]
    assert spider.failed == []
    assert len(names.asked) == failures + 1


async def test_a_name_that_never_resolves_fails_after_its_retries(site: Site) -> None:
    seed = f"http://never.example:{site.port}/"
    names = Names()
    names.failures = 100
    spider = Follows(seed)
    async with opened(names, seed) as fetching:
        await crawl_here(spider, fetching[0], retries=2, backoff=0.001, delay=0.0)
    assert spider.failed == [("dns", seed)]
    assert len(names.asked) == 3
    assert site.log == []
