"""Hosts of one address are asked as one (`per_ip`), on a clock that is a value."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from crawler import crawl as library_crawl
from crawler.fetch.dns import Resolver
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Spider
from tests.harness import Crawl, crawl, html
from tests.site import Site

ADDRESSES = {"one": "1.1.1.1", "two": "1.1.1.1", "far": "2.2.2.2"}


async def look_up(host: str) -> str | None:
    await asyncio.sleep(0.5)
    return ADDRESSES[host.split(".")[1]] if host.count(".") > 1 else None


async def plain(request: Request) -> Response:
    return html(request)


class Hosts(Spider[Any]):
    """Five hosts at one address, five at another, two pages each."""

    start_urls = tuple(
        f"http://h{n}.{place}.example:80{n}/{page}"
        for page in range(2)
        for n in range(5)
        for place in ("one", "far")
    )
    allowed_domains = ("*",)

    def parse(self, page: Response) -> Any:
        return None


def starts(left: Crawl, place: str) -> list[float]:
    return [time for time, host, _ in left.sent if f".{place}." in host]


def closest(times: list[float]) -> float:
    return min(b - a for a, b in itertools.pairwise(times))


@pytest.mark.parametrize("obey_robots", [False, True])
def test_the_delay_counts_for_all_hosts_of_an_address(obey_robots: bool) -> None:
    options: dict[str, Any] = {"delay": 1.0, "obey_robots": obey_robots}
    left = crawl(Hosts(), plain, per_ip=4, look_up=look_up, **options)
    for place in ("one", "far"):
        times = starts(left, place)
        assert len(times) == (15 if obey_robots else 10)
        assert closest(times) > 0.999
        assert times[-1] - times[0] < len(times) * 1.2
    assert left.stats.pages == 20
    assert closest(starts(crawl(Hosts(), plain, look_up=look_up, **options), "one")) < 0.1


def test_no_more_than_per_ip_are_in_flight_to_an_address() -> None:
    most = 0
    flying: list[str] = []

    async def answer(request: Request) -> Response:
        nonlocal most
        flying.append(request.host.split(".")[1])
        most = max(most, flying.count("one"))
        await asyncio.sleep(1.0)
        flying.remove(request.host.split(".")[1])
        return html(request)

    left = crawl(Hosts(), answer, per_ip=3, delay=0.0, look_up=look_up)
    assert (most, left.stats.pages) == (3, 20)


def test_hosts_whose_address_is_slow_to_find_hold_nobody_up() -> None:
    async def slow(host: str) -> str | None:
        await asyncio.sleep(60.0 if ".one." in host else 0.0)
        return host.split(".")[1]

    left = crawl(Hosts(), plain, per_ip=1, delay=1.0, look_up=slow)
    began = starts(left, "far")[0]
    assert starts(left, "far")[-1] - began < 12
    assert starts(left, "one")[0] - began > 59


def test_page_fetch_keeps_to_it_and_comes_through() -> None:
    class Fetches(Hosts):
        async def parse(self, page: Response) -> None:
            await page.fetch(f"http://h{page.url[-1]}.two.example/extra")

    for concurrency in (1, 2, 16):
        left = crawl(
            Fetches(), plain, per_ip=1, delay=1.0, look_up=look_up, concurrency=concurrency
        )
        assert left.stats.pages == 20
        both = sorted(starts(left, "one") + starts(left, "two"))
        assert len(both) == 10 + 20
        assert closest(both) > 0.999


def test_a_host_without_an_address_is_asked_all_the_same() -> None:
    class Nowhere(Hosts):
        start_urls = ("http://nowhere.example/1", "http://nowhere.example/2")

    left = crawl(Nowhere(), plain, per_ip=1, look_up=look_up)
    assert left.stats.pages == 2


async def test_the_first_address_is_the_one_that_comes_first_and_is_none_for_no_host() -> None:
    resolver = Resolver()
    assert await resolver.first_address("127.0.0.1") == "127.0.0.1"
    assert await resolver.first_address("::1") == "::1"
    assert await resolver.first_address("no-such-host.invalid") is None
    assert await resolver.first_address("a" * 300) is None
    await resolver.close()


async def test_ports_of_one_address_are_asked_one_after_the_other(tmp_path: Path) -> None:
    async with Site() as one, Site() as two:
        sites = one, two
        for site, number in itertools.product(sites, range(4)):
            site.slow(f"/{number}", 0.05)

        class Both(Hosts, delay=0, per_ip=1, obey_robots=False):
            start_urls = tuple(site.url(f"/{n}") for n in range(4) for site in sites)

        report = await library_crawl(Both, output_dir=str(tmp_path), min_free_bytes=0)
        assert report.pages == 8
        assert closest(sorted(hit.time for site in sites for hit in site.log)) > 0.049
