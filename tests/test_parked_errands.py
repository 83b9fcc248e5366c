"""What `page.fetch` does about a host that is left alone, on a clock that is a value."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from crawler.errors import ConnectError, FetchError, HostGivenUp
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Spider
from tests.harness import Crawl, crawl, html

WELL, BROKEN = "a.example", "b.example"


class Fetches(Spider[Any]):
    """Each page of a host that is well fetches one of a host that is not."""

    allowed_domains = ("*",)

    def __init__(self, pages: int = 60, *, others: Sequence[str] = ()) -> None:
        self.start_urls = (*others, *(f"http://{WELL}/{n}" for n in range(pages)))
        self.errors: list[FetchError] = []

    async def parse(self, page: Response) -> None:
        if page.url.startswith(f"http://{WELL}/"):
            try:
                await page.fetch(f"http://{BROKEN}{page.url.rpartition(WELL)[2]}")
            except FetchError as error:
                self.errors.append(error)


async def broken(request: Request) -> Response:
    return html(request, status=500 if request.host == BROKEN else 200)


def gap(left: Crawl, host: str) -> float:
    times = [time for time, name, _ in left.sent if name == host]
    return max(b - a for a, b in itertools.pairwise(times))


@pytest.mark.parametrize("retries", [0, 3])
def test_a_fetch_from_a_host_that_is_left_alone_holds_nobody_up(retries: int) -> None:
    spider = Fetches()
    left = crawl(spider, broken, retries=retries)
    assert left.stats.pages == 60
    assert left.seconds < 60
    assert len(spider.errors) == 60
    alone = [error for error in spider.errors if isinstance(error, HostGivenUp)]
    assert len(alone) > 20
    why = "left alone for 30 s: 10 failures in a row, the last: HTTP 500"
    assert {str(error).partition(" on ")[0] for error in alone} == {why}


def test_fetches_that_wait_already_are_failed_when_the_rest_begins() -> None:
    spider = Fetches(32)
    left = crawl(spider, broken, delay=0.0, per_host=1, host_failures=3, concurrency=32)
    assert len([host for _, host, _ in left.sent if host == BROKEN]) == 3
    assert left.seconds < 10
    assert len(spider.errors) == 32


def test_a_stop_does_not_wait_for_fetches_from_a_host_that_is_left_alone() -> None:
    left = crawl(Fetches(500), broken, max_seconds=20.0, stop_seconds=60.0)
    assert left.seconds < 22


def test_after_its_rest_a_host_is_asked_again() -> None:
    asked = itertools.count(1)

    async def answer(request: Request) -> Response:
        if request.host == BROKEN and next(asked) <= 10:
            raise ConnectError("connection refused")
        return html(request)

    spider = Fetches(120)
    left = crawl(spider, answer, delay=0.5)
    times = [time for time, host, _ in left.sent if host == BROKEN]
    assert 30 < gap(left, BROKEN) < 32
    assert len(times) > 20
    assert gap(left, WELL) < 1


def test_a_host_at_rest_whose_robots_txt_is_unknown_keeps_no_fetch_waiting() -> None:
    async def answer(request: Request) -> Response:
        if request.host == BROKEN:
            raise ConnectError("connection reset")
        return html(request)

    spider = Fetches()
    left = crawl(spider, answer, obey_robots=True, retries=3, host_failures=1)
    assert left.stats.pages == 60
    assert gap(left, WELL) < 2
    assert len(spider.errors) == 60
