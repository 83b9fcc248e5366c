"""Workers that let each other catch up, and what may come in between."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from msgspec import structs

from crawler.engine import Engine
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Out, Spider
from tests.harness import crawl, html


class Pages(Spider[dict[str, str]]):
    """Eight pages of eight hosts, whose answers come at the same time."""

    start_urls: Sequence[str] = tuple(f"http://{host}.example/" for host in "abcdefgh")

    def __init__(self) -> None:
        self.said = list[str]()
        self.engine: Engine | None = None

    def parse(self, page: Response) -> dict[str, str]:
        self.said.append("callback")
        if self.engine is not None and len(self.said) == 5:
            self.engine.stop("the fifth callback says so", at_once=True)
        return {"url": page.url}


async def blank(request: Request) -> Response:
    return html(request)


def test_answers_that_came_together_go_to_their_callbacks_together() -> None:
    spider = Pages()

    async def answer(request: Request) -> Response:
        spider.said.append("answer")
        return html(request)

    left = crawl(spider, answer, delay=0.0, concurrency=9)
    assert spider.said == ["answer"] * 8 + ["callback"] * 8
    assert left.stats.items == 8


def test_an_end_at_once_loses_no_callback_that_ended() -> None:
    spider = Pages()

    async def during(engine: Engine) -> None:
        spider.engine = engine

    left = crawl(spider, blank, during=during, delay=0.0, concurrency=8)
    assert left.reason == "the fifth callback says so"
    assert left.stats.items == len(spider.said) == 5


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_fetch_does_not_wait_for_workers_that_wait_for_a_suspect(attempts: int) -> None:
    # A callback waits for b's robots.txt, a suspect for the callback, and who is to ask for the
    # robots.txt once more for the suspect.
    class Fetches(Spider[dict[str, str]]):
        start_urls = ("http://a.example/", "http://a.example/fetches", "http://b.example/")

        async def parse(self, page: Response) -> Out[dict[str, str]]:
            if page.url == "http://a.example/":
                yield structs.replace(page.follow("/suspect"), suspect=True)
            elif page.url.endswith("fetches"):
                yield {"fetched": (await page.fetch("http://b.example/wanted")).url}

    asked = itertools.count(1)

    async def answer(request: Request) -> Response:
        if request.url == "http://b.example/robots.txt":
            await asyncio.sleep(1.0)
            return html(request, status=503 if next(asked) <= attempts else 404)
        return html(request, status=404 if request.kind == "robots" else 200)

    left = crawl(
        Fetches(), answer, delay=0.0, obey_robots=True, retries=3, backoff=2.0, concurrency=4
    )
    assert (left.stats.pages, left.stats.items) == (4, 1)
    times = [time for time, _, url in left.sent if url == "http://b.example/robots.txt"]
    assert len(times) == attempts + 1
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 1.5
