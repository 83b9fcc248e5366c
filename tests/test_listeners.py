"""Listeners hear what happened; layers are around every fetch."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from crawler import Request, Response, Spider, crawl, stream
from crawler.errors import ConnectError, SpiderError
from crawler.events import (
    CrawlEnded,
    CrawlStarted,
    Event,
    Listener,
    PageDone,
    RequestFailed,
    RequestRetried,
)
from crawler.protocols import Fetch
from tests import harness
from tests.site import Site


class Listened(Spider[dict[str, str]], delay=0, min_free_bytes=0):
    def __init__(self, *listeners: Listener, start: str = "http://a.example/1") -> None:
        self.start_urls = [start]
        self.listeners: Sequence[Listener] = listeners

    def parse(self, page: Response) -> Any:
        return [{"url": page.url}, {"url": page.url}, *page.follow_all()]


async def answer(request: Request) -> Response:
    if request.url.endswith("/2") and request.attempt < 3:
        raise ConnectError("refused")
    return harness.html(
        request, "<a href=/2>2</a><a href=/3>3</a>", status=200 + 204 * request.url.endswith("/3")
    )


def told(event: Event) -> str:
    match event:
        case PageDone(page, items):
            return f"done {page.url[-1]}, {items} items"
        case RequestRetried(request, at):
            return f"retry {request.url[-1]} {request.attempt} {at > 0}"
        case RequestFailed(failure):
            return f"failed {failure.url[-1]} {failure.kind}"
    return type(event).__name__


def test_listeners_hear_of_every_request_once_it_is_settled() -> None:
    heard: list[str] = []
    harness.crawl(Listened(lambda event: heard.append(told(event))), answer, retries=2)
    assert heard[0] == "done 1, 2 items"
    assert sorted(heard) == [
        "done 1, 2 items",
        "done 2, 2 items",
        "failed 3 status",
        "retry 2 1 True",
        "retry 2 2 True",
    ]


async def test_the_first_and_the_last_event_are_the_crawls_own(site: Site, tmp_path: Any) -> None:
    site.page("/1")
    heard: list[Event] = []
    report = await crawl(Listened(heard.append, start=site.url("/1")), output_dir=str(tmp_path))
    assert heard[0] == CrawlStarted("listened", report.folder)
    assert heard[-1] == CrawlEnded(report)
    assert len(heard) == 3


def test_a_listener_that_raises_is_reported_and_disturbs_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(event: Event) -> None:
        raise ValueError("deaf")

    heard: list[Event] = []
    with caplog.at_level(logging.ERROR):
        left = harness.crawl(Listened(broken, heard.append), answer, retries=2)
    assert (left.stats.pages, len(heard)) == (2, 5)
    assert caplog.text.count("listener failed: ValueError: deaf (test_listeners.py:") == 5


async def never(event: Event) -> None: ...


@pytest.mark.parametrize(
    ("listeners", "words"),
    [
        ([never], "a listener must be a plain function, got <function never"),
        (never, "listeners must be a list of functions"),
        (["print"], "listeners must be a list of functions"),
    ],
)
def test_listeners_that_could_not_be_called_are_refused(listeners: Any, words: str) -> None:
    spider = Listened()
    spider.listeners = listeners
    with pytest.raises(SpiderError, match=words):
        harness.crawl(spider, answer)


class Marks:
    """A layer that notes what goes out and what comes in."""

    def __init__(self, name: str, seen: list[str]) -> None:
        self.name = name
        self.seen = seen

    def __call__(self, fetch: Fetch) -> Fetch:
        async def marked(request: Request) -> Response:
            self.seen.append(f"{self.name} > {request.url[-2:]}")
            page = await fetch(request)
            self.seen.append(f"{self.name} < {page.status}")
            return page

        return marked


async def urls_of(spider: Listened, **settings: Any) -> list[str]:
    async with stream(spider, **settings) as items:
        return [item["url"] async for item in items]


def layered(site: Site, *layers: Callable[[Fetch], Fetch]) -> Listened:
    spider = Listened(start=site.url("/1"))
    spider.layers = layers
    return spider


async def test_layers_are_around_every_fetch_the_first_outermost(site: Site) -> None:
    site.page("/1")
    seen: list[str] = []
    spider = layered(site, Marks("one", seen), Marks("two", seen))
    assert await urls_of(spider, obey_robots=False) == [site.url("/1")] * 2
    assert seen == ["one > /1", "two > /1", "two < 200", "one < 200"]


async def test_a_layer_may_refuse_with_an_error_of_the_house(site: Site) -> None:
    def refuses(fetch: Fetch) -> Fetch:
        async def refuse(request: Request) -> Response:
            raise ConnectError("not today", url=request.url)

        return refuse

    heard: list[Event] = []
    spider = layered(site, refuses)
    spider.listeners = (heard.append,)
    assert await urls_of(spider, retries=0, obey_robots=False) == []
    assert [told(event) for event in heard if isinstance(event, RequestFailed)] == [
        "failed 1 connect"
    ]
    assert site.log == []


async def test_a_bug_in_a_layer_comes_out_as_it_was_raised(site: Site) -> None:
    def buggy(fetch: Fetch) -> Fetch:
        async def bug(request: Request) -> Response:
            raise ZeroDivisionError("a bug of the layer's")

        return bug

    with pytest.raises(ZeroDivisionError, match="a bug of the layer's"):
        await urls_of(layered(site, buggy))
