"""start(): the first requests of a crawl."""

import asyncio
import itertools
import json
from typing import Any

import pytest

from crawler import Drop, Out, Request, Response, Retry, Spider, Stop
from crawler.engine import Engine
from crawler.outcome import Outcome
from crawler.seeding import Chunks
from tests.harness import Crawl, crawl, html


class Seeds(Spider[dict[str, Any]], delay=0):
    def parse(self, page: Response) -> dict[str, Any]:
        return {"url": page.url}


async def plain(request: Request) -> Response:
    return html(request)


def paths(left: Crawl) -> list[str]:
    return [url.removeprefix("http://a.example/") for url in left.urls()]


def items(left: Crawl) -> list[Any]:
    return [json.loads(line) for line in left.spool.lines["items"]]


def at(path: object) -> Request:
    return Request(f"http://a.example/{path}")


def test_start_gives_requests_lists_items_and_nothing() -> None:
    class Mixed(Seeds):
        async def start(self) -> Out[Any]:
            yield at(1)
            yield {"from": "start"}
            yield None
            yield [at(2), at(1)]
            self.count("seeded")

    left = crawl(Mixed(), plain)
    assert paths(left) == ["1", "2"]
    assert {"from": "start"} in items(left)
    assert left.stats.counts["user.seeded"] == 1


@pytest.mark.parametrize("as_async", [True, False])
def test_start_may_return_a_list(as_async: bool) -> None:
    class Plain(Seeds):
        def start(self) -> Any:
            return [at(1), at(2)]

    class Later(Seeds):
        async def start(self) -> Any:  # type: ignore[override]  # typed users cannot
            return [at(1), at(2)]

    assert paths(crawl(Later() if as_async else Plain(), plain)) == ["1", "2"]


def test_a_start_that_raises_breaks_the_crawl_and_loses_what_it_gave_since_the_last_chunk() -> None:
    broken = []

    class Half(Seeds):
        async def start(self) -> Out[Any]:
            yield at(1)
            yield {"from": "start"}
            raise ValueError("half way")

    async def watch(engine: Engine) -> None:
        broken.append(engine)

    left = crawl(Half(), plain, during=watch)
    assert (items(left), paths(left)) == ([], [])
    assert "ValueError: half way (test_seeding.py:" in str(broken[0].broken)


@pytest.mark.parametrize("wrong", [at("x").url, at("y"), 3])
def test_what_start_may_not_give_breaks_the_crawl_too(wrong: Any) -> None:
    class Wrong(Seeds):
        async def start(self) -> Out[Any]:
            yield Request(wrong.url, callback="nowhere") if isinstance(wrong, Request) else wrong

    (line,) = crawl(Wrong(), plain).spool.lines["failures"]
    assert json.loads(line)["reason"].startswith("CallbackError: ")


def test_retry_runs_start_again_as_often_as_retries_allow() -> None:
    class Later(Seeds):
        runs = 0

        async def start(self) -> Out[Any]:
            self.runs += 1
            yield at(self.runs)
            raise Retry("the list is not there", after=3.0)

    spider = Later()
    left = crawl(spider, plain, retries=2)
    assert (spider.runs, left.reason, paths(left)) == (3, "finished", [])
    assert left.seconds >= 6.0
    assert b"the list is not there" in left.spool.lines["failures"][0]


def test_stop_and_drop_end_a_start() -> None:
    class Stops(Seeds):
        async def start(self) -> Out[Any]:
            yield {"n": 1}
            raise Stop("nothing to do")

    class Drops(Seeds):
        async def start(self) -> Out[Any]:
            yield {"n": 1}
            raise Drop("not today")

    stopped, dropped = crawl(Stops(), plain), crawl(Drops(), plain)
    assert (stopped.reason, items(stopped)) == ("nothing to do", [{"n": 1}])
    assert (dropped.stats.counts["dropped.not today"], items(dropped)) == (1, [])


def test_a_slow_start_keeps_no_request_back() -> None:
    class Slow(Seeds):
        async def start(self) -> Out[Any]:
            for n in range(3):
                yield at(n)
                await asyncio.sleep(100.0)

    left = crawl(Slow(), plain)
    first = left.sent[0][0]
    assert [round((time - first) / 100.0) for time, _, _ in left.sent] == [0, 1, 2]
    assert paths(left) == ["0", "1", "2"]


def test_requests_of_a_long_start_go_before_it_ends() -> None:
    class Long(Seeds):
        async def start(self) -> Out[Any]:
            for n in range(1_200):
                yield at(n)
            await asyncio.sleep(1e5)

    left = crawl(Long(), plain, max_pages=1_100)
    assert left.stats.pages == 1_100
    assert left.seconds < 1e4


def test_a_start_without_end_is_ended_by_a_limit() -> None:
    class Endless(Seeds):
        async def start(self) -> Out[Any]:
            for n in itertools.count():
                yield at(n)
                await asyncio.sleep(1.0)

    left = crawl(Endless(), plain, max_pages=3, stop_seconds=1e4)
    assert (left.stats.pages, left.reason) == (3, "max_pages")
    assert left.seconds < 100.0


def test_a_start_that_waits_for_ever_is_ended_by_a_stop_at_once() -> None:
    ended = []

    class Waits(Seeds):
        async def start(self) -> Out[Any]:
            yield at(1)
            try:
                await asyncio.sleep(1e6)
            finally:
                ended.append(True)

    left = crawl(Waits(), plain, max_seconds=10.0, stop_seconds=1e4)
    assert (left.reason, ended, paths(left)) == ("max_seconds", [True], ["1"])
    assert left.seconds < 100.0


async def test_what_a_start_gives_without_a_pause_is_put_in_chunks() -> None:
    put: list[int] = []

    async def take(outcome: Outcome) -> None:
        put.append(len(outcome.found))

    found: list[Request] = []
    chunks = Chunks(at("seed"), found, put=take)
    for n in range(1_200):
        found.append(at(n))
        await chunks.grown()
    assert (put, len(found)) == ([500, 500], 200)
