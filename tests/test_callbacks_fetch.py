"""page.fetch: a page that a callback needs at once."""

import asyncio
import itertools
import json
from typing import Any

import pytest

from crawler import FetchError, InvalidUrl, Out, Request, Response, Spider, stream
from crawler.errors import ConnectError, StatusError
from tests.harness import Crawl, crawl, html
from tests.site import Site


class Fetches(Spider[dict[str, Any]], delay=0):
    def __init__(self, *urls: str, start: str = "http://a.example/") -> None:
        self.start_urls = [start]
        self.urls = urls

    async def parse(self, page: Response) -> Out[dict[str, Any]]:
        for url in self.urls:
            try:
                fetched = await page.fetch(url)
            except (FetchError, InvalidUrl) as error:
                yield {"error": type(error).__name__}
            else:
                yield {"url": fetched.url, "depth": fetched.depth, "text": fetched.text()}


async def answer(request: Request) -> Response:
    if request.url.endswith("/refused"):
        raise ConnectError("connection refused", url=request.url)
    return html(request, "<a href=/2>two</a>", status=404 if request.url.endswith("/gone") else 200)


def items(left: Crawl) -> list[Any]:
    return [json.loads(line) for line in left.spool.lines["items"]]


def test_a_fetched_page_is_delivered_nowhere_else() -> None:
    left = crawl(Fetches("/2", "http://b.example/x", "/2"), answer)
    assert [item["url"] for item in items(left)] == [
        "http://a.example/2",
        "http://b.example/x",
        "http://a.example/2",
    ]
    assert {item["depth"] for item in items(left)} == {1}
    assert (left.stats.pages, len(left.spool.lines["pages"])) == (1, 1)


def test_a_fetch_that_fails_raises_in_the_callback() -> None:
    left = crawl(Fetches("/gone", "/refused", "mailto:x", "http://["), answer)
    assert [item["error"] for item in items(left)] == [
        "StatusError",
        "ConnectError",
        "InvalidUrl",
        "InvalidUrl",
    ]


def test_a_failed_fetch_that_nobody_caught_names_its_own_url() -> None:
    class Careless(Fetches):
        async def parse(self, page: Response) -> None:  # type: ignore[override]  # gives nothing
            await page.fetch("/gone")

    (line,) = crawl(Careless(), answer).spool.lines["failures"]
    failure = json.loads(line)
    assert failure["url"] == "http://a.example/"
    assert "StatusError: HTTP 404 Not Found" in failure["reason"]
    assert failure["reason"].endswith(": http://a.example/gone")


def test_links_elements_requests_and_fetched_pages_can_be_fetched_from() -> None:
    class Chain(Fetches):
        async def parse(self, page: Response) -> Out[dict[str, Any]]:
            node = page.css_first("a")
            assert node is not None
            first = await page.fetch(node)
            second = await first.fetch(page.links()[0], headers={"X-Y": "z"})
            third = await second.fetch(Request("http://a.example/3", method="POST", body="x"))
            yield {"urls": [first.url, second.url, third.url], "depth": third.depth}
            yield third.follow("/4")

    left = crawl(Chain(), answer, max_depth=3)
    assert items(left)[0]["depth"] == 3
    assert items(left)[0]["urls"] == [
        "http://a.example/2",
        "http://a.example/2",
        "http://a.example/3",
    ]
    assert left.stats.counts["too_deep"] == 1


def test_fetches_side_by_side_keep_the_hosts_pace() -> None:
    class Many(Fetches):
        async def parse(self, page: Response) -> Out[dict[str, Any]]:
            pages = await asyncio.gather(*(page.fetch(f"/{n}") for n in range(4)))
            yield {"n": len(pages)}

    left = crawl(Many(), answer, delay=2.0, latency=5.0, per_host=2)
    assert items(left) == [{"n": 4}]
    assert left.most_in_flight["a.example"] == 2
    times = sorted(time for time, _, _ in left.sent)
    assert min(b - a for a, b in itertools.pairwise(times)) >= 2.0


async def test_robots_txt_forbids_fetches_too_and_redirects_are_followed(site: Site) -> None:
    site.robots("User-agent: *\nDisallow: /private")
    site.page("/")
    site.page("/private")
    site.redirect("/old", "/new")
    site.page("/new", title="new")
    site.redirect("/trap", "/private")
    spider = Fetches("/private", "/old", "/trap", start=site.url("/"))
    async with stream(spider) as found:
        got = [item async for item in found]
    assert [item.get("error") for item in got] == ["RobotsDenied", None, "RobotsDenied"]
    assert got[1]["url"] == site.url("/new")
    assert "/private" not in site.paths


async def test_errors_of_fetch_say_where_and_why(site: Site) -> None:
    site.page("/")
    site.page("/busy", status=503)

    class Once(Fetches):
        async def parse(self, page: Response) -> Out[dict[str, Any]]:
            with pytest.raises(StatusError, match="HTTP 503") as caught:
                await page.fetch("/busy", retries=1)
            yield {"url": caught.value.url, "status": caught.value.status}

    async with stream(Once(start=site.url("/")), backoff=0.001) as found:
        got = [item async for item in found]
    assert got == [{"url": site.url("/busy"), "status": 503}]
    assert site.paths.count("/busy") == 2
