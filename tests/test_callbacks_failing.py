"""What a spider hears of failures, and what it may do then."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from crawler import Out, Request, Response, Retry, Spider, Stop
from crawler.errors import ConnectError
from crawler.outcome import Failure
from tests.harness import Crawl, crawl, html


class Hears(Spider[dict[str, Any]], delay=0):
    """Keeps what on_error hears, and does what a test wants then."""

    start_urls = ["http://a.example/"]

    def __init__(
        self, does: Callable[["Hears", Failure], Any] = lambda spider, failure: None
    ) -> None:
        self.heard: list[Failure] = []
        self.does = does

    def parse(self, page: Response) -> Any:
        return {"page": page.url}

    def on_error(self, failure: Failure) -> Any:
        self.heard.append(failure)
        return self.does(self, failure)


async def gone(request: Request) -> Response:
    if request.url.endswith("/"):
        return html(request, "<h1>gone</h1>", status=410)
    return html(request)


def items(left: Crawl) -> list[Any]:
    return [json.loads(line) for line in left.spool.lines["items"]]


def failures(left: Crawl) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in left.spool.lines["failures"]]
    return [(line["kind"], line["reason"]) for line in lines]


def test_on_error_hears_what_failed_for_good_and_only_that() -> None:
    async def answer(request: Request) -> Response:
        if request.url.endswith("/refused"):
            raise ConnectError("connection refused")
        return html(request, status=int(request.url[-3:]))

    class Several(Hears):
        start_urls = [f"http://a.example/{end}" for end in ("200", "404", "503", "refused")]

        def parse(self, page: Response) -> None:
            raise ValueError("a bug is no failure of a request")

    spider = Several()
    crawl(spider, answer, retries=1)
    heard = {(failure.kind, failure.status, failure.request.attempt) for failure in spider.heard}
    assert heard == {("status", 404, 1), ("status", 503, 2), ("connect", None, 2)}


def test_statuses_that_are_wanted_are_no_failures() -> None:
    spider = Hears()
    left = crawl(spider, gone, statuses=(410,))
    assert (items(left), spider.heard) == ([{"page": "http://a.example/"}], [])


def test_on_error_may_read_the_answer_and_go_on_from_it() -> None:
    async def read(spider: Hears, failure: Failure) -> Out[dict[str, Any]]:
        assert failure.response is not None
        yield {"title": failure.response.text("h1")}
        yield failure.response.follow("/2")
        yield [Request("http://a.example/3"), Request("http://off.example/")]

    left = crawl(Hears(read), gone)
    assert items(left)[0] == {"title": "gone"}
    assert sorted(left.urls()) == [f"http://a.example/{end}" for end in ("", "2", "3")]
    assert left.stats.counts["offsite"] == 1
    assert failures(left) == [("status", "HTTP 410 Gone")]


def test_on_error_may_ask_again_and_the_first_failure_stays_its_reason() -> None:
    def again(spider: Hears, failure: Failure) -> None:
        raise Retry("once more", after=5.0)

    spider = Hears(again)
    left = crawl(spider, gone, retries=2)
    assert len(left.sent) == len(spider.heard) == 3
    assert left.sent[2][0] - left.sent[0][0] >= 10.0
    assert failures(left) == [("status", "HTTP 410 Gone")]


def test_on_error_may_stop_the_crawl() -> None:
    def stop(spider: Hears, failure: Failure) -> Any:
        yield {"last": 1}
        raise Stop("the site is closed")

    left = crawl(Hears(stop), gone)
    assert (left.reason, items(left)) == ("the site is closed", [{"last": 1}])


def test_an_on_error_that_raises_is_reported_under_its_own_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def bug(spider: Hears, failure: Failure) -> Any:
        yield {"lost": 1}
        raise ValueError("a bug")

    with caplog.at_level(logging.ERROR):
        left = crawl(Hears(bug), gone)
    assert items(left) == []
    assert [kind for kind, _ in failures(left)] == ["status", "callback"]
    assert "on_error failed: ValueError: a bug" in caplog.text


def test_an_on_error_that_takes_too_long_is_cut_off() -> None:
    async def sleep(spider: Hears, failure: Failure) -> None:
        await asyncio.sleep(1e5)

    left = crawl(Hears(sleep), gone, callback_timeout=2.0)
    assert left.seconds < 10
    assert "took longer than callback_timeout, 2 s" in failures(left)[1][1]


def test_a_page_that_was_asked_for_again_too_often_is_a_failure_that_on_error_hears() -> None:
    class Never(Hears):
        def parse(self, page: Response) -> None:
            raise Retry("not yet")

    spider = Never(lambda spider, failure: {"gave up": failure.reason})
    left = crawl(spider, gone, statuses=(410,), retries=1)
    assert items(left) == [{"gave up": "not yet"}]
    assert failures(left) == [("retry", "not yet")]


def test_a_chain_of_redirects_over_hosts_ends_though_on_error_asks_again() -> None:
    async def on_and_on(request: Request) -> Response:
        number = int(request.host.partition(".")[0][1:])
        return html(request, status=302, Location=f"http://h{number + 1}.example/")

    class Everywhere(Hears):
        start_urls = ["http://h0.example/"]
        allowed_domains = ["*"]

    def again(spider: Hears, failure: Failure) -> None:
        raise Retry

    left = crawl(Everywhere(again), on_and_on, retries=1, max_redirects=3)
    assert failures(left) == [("redirect", "more than 3 redirects")]
    assert len(left.sent) == 5
