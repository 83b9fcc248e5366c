"""The crawl as a whole, on a clock that is a value."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from crawler.engine import Engine
from crawler.errors import ConnectError, FetchError
from crawler.outcome import Failure
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Out, Spider
from tests.harness import crawl, html


class Tree(Spider[dict[str, str]]):
    """Follows every link; one item a page."""

    start_urls: Sequence[str] = ("http://a.example/1",)
    allowed_domains = ("*",)

    def parse(self, page: Response) -> Iterator[object]:
        yield {"url": page.url}
        yield page.follow_all()


async def binary(request: Request) -> Response:
    """Page n links to 2n and 2n+1, up to 63."""
    number = int(request.url.rpartition("/")[2])
    links = [n for n in (2 * number, 2 * number + 1) if n < 64]
    return html(request, "".join(f"<a href='/{n}'>n</a>" for n in links))


def test_every_page_is_fetched_once_and_the_crawl_ends() -> None:
    left = crawl(Tree(), binary, delay=0.0)
    assert sorted(left.urls()) == sorted(f"http://a.example/{n}" for n in range(1, 64))
    assert left.stats.pages == len(left.spool.lines["items"]) == 63
    assert left.reason == "finished"


def test_delay_and_per_host_hold_for_every_host() -> None:
    class Hosts(Tree):
        start_urls = tuple(f"http://h{n}.example/{page}" for n in range(30) for page in range(4))

    async def plain(request: Request) -> Response:
        return html(request)

    left = crawl(Hosts(), plain, delay=0.5, per_host=2, latency=1.2)
    by_host: dict[str, list[float]] = {}
    for time, host, _ in left.sent:
        by_host.setdefault(host, []).append(time)
    gaps = [b - a for times in by_host.values() for a, b in itertools.pairwise(times)]
    assert len(gaps) == 90
    assert min(gaps) >= 0.5 - 1e-6
    assert max(left.most_in_flight.values()) == 2


def test_a_host_that_waits_holds_no_worker() -> None:
    class Two(Tree):
        start_urls = (
            *(f"http://slow.example/{n}" for n in range(20)),
            *(f"http://h{n}.example/" for n in range(40)),
        )

    async def plain(request: Request) -> Response:
        return html(request)

    left = crawl(Two(), plain, delay=10.0, concurrency=2)
    others = [time for time, host, _ in left.sent if host != "slow.example"]
    # 40 hosts, 0.1 s each, two workers, one of them sometimes at the slow host.
    assert max(others) - min(others) < 4.5


@pytest.mark.parametrize("most", [1, 7, 40])
def test_max_pages_is_exact(most: int) -> None:
    left = crawl(Tree(), binary, delay=0.0, max_pages=most)
    assert left.stats.pages == most
    assert left.reason == "max_pages"


def test_max_pages_replaces_pages_that_failed() -> None:
    async def half(request: Request) -> Response:
        if int(request.url.rpartition("/")[2]) % 3 == 0:
            raise ConnectError("refused")
        return await binary(request)

    left = crawl(Tree(), half, delay=0.0, max_pages=10)
    assert left.stats.pages == 10


def test_max_items_ends_with_the_page_that_reaches_it() -> None:
    left = crawl(Tree(), binary, delay=0.0, max_items=5)
    assert len(left.spool.lines["items"]) == 5
    assert left.reason == "max_items"


def test_max_seconds_lets_pages_in_hand_end() -> None:
    left = crawl(Tree(), binary, delay=1.0, max_seconds=3.05)
    assert left.reason == "max_seconds"
    assert left.stats.pages == len(left.sent) == 4


def test_stop_gives_pages_in_hand_their_seconds_and_no_more() -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(1e6)
        return html(request)

    async def stop(engine: Engine) -> None:
        await asyncio.sleep(1.0)
        engine.stop("SIGINT")

    left = crawl(Tree(), slow, stop_seconds=8.0, during=stop)
    assert left.reason == "SIGINT"
    assert left.seconds == pytest.approx(9.0, abs=0.5)


@pytest.mark.parametrize("pages", [1, 30])
def test_a_step_that_never_ends_is_left_after_stop_seconds(pages: int) -> None:
    async def hang(item: object) -> None:
        await asyncio.sleep(1e6)

    class Hangs(Tree):
        start_urls = tuple(f"http://h{n}.example/{n}" for n in range(64, 64 + pages))
        steps = (hang,)

    async def stop(engine: Engine) -> None:
        await asyncio.sleep(3.0)
        engine.stop("SIGTERM")

    left = crawl(Hangs(), binary, stop_seconds=8.0, concurrency=4, during=stop)
    assert left.seconds == pytest.approx(11.0, abs=0.5)
    assert (left.reason, left.spool.lines["pages"]) == ("SIGTERM", [])


def test_network_errors_are_retried_and_then_reported() -> None:
    heard: list[Failure] = []

    class Hears(Tree):
        def on_error(self, failure: Failure) -> None:
            heard.append(failure)

    async def refuse(request: Request) -> Response:
        raise ConnectError("connection refused")

    left = crawl(Hears(), refuse, retries=3)
    assert len(left.sent) == 4
    assert [failure.kind for failure in heard] == ["connect"]
    assert left.stats.counts["retries"] == 3


def test_retry_after_rests_the_whole_host() -> None:
    async def busy(request: Request) -> Response:
        if request.attempt == 1 and request.url.endswith("/1"):
            return html(request, status=503, **{"Retry-After": "20"})
        return html(request)

    class Two(Tree):
        start_urls = ("http://a.example/1", "http://a.example/2", "http://a.example/3")

    left = crawl(Two(), busy, delay=0.5, retries=1, per_host=1)
    times = [time - left.sent[0][0] for time, _, _ in left.sent]
    assert len(times) == 4
    assert min(times[1:]) >= 20.0


def test_a_host_that_wants_too_long_a_rest_is_given_up_by_name() -> None:
    async def busy(request: Request) -> Response:
        return html(request, status=429, **{"Retry-After": "9000"})

    class Many(Tree):
        start_urls = tuple(f"http://a.example/{n}" for n in range(30))

    left = crawl(Many(), busy, retries=3, max_wait=300.0)
    assert set(left.totals.given_up) == {"a.example"}
    assert len(left.sent) < 5


def test_a_redirect_that_ends_at_a_known_page_exports_nothing() -> None:
    class Two(Tree):
        start_urls = ("http://a.example/new", "http://a.example/old")

    async def moved(request: Request) -> Response:
        page = html(request, "<p>x</p>")
        if request.url.endswith("/old"):
            final = html(request)
            return Response(
                "http://a.example/new",
                request=request,
                headers=final.headers,
                body=b"<p>x</p>",
                redirects=("http://a.example/old",),
            )
        return page

    left = crawl(Two(), moved)
    assert len(left.spool.lines["items"]) == 1
    assert left.stats.counts["duplicates"] == 1


def test_a_redirect_to_another_host_waits_for_its_turn_there() -> None:
    async def moved(request: Request) -> Response:
        if request.host == "a.example":
            return html(request, status=301, Location="http://b.example/")
        return html(request)

    left = crawl(Tree(), moved)
    assert left.urls() == ["http://a.example/1", "http://b.example/"]
    assert left.stats.pages == 1


def test_page_fetch_keeps_the_hosts_pace() -> None:
    class Fetches(Tree):
        async def parse(self, page: Response) -> Out[dict[str, str]]:  # type: ignore[override]
            other = await page.fetch("/extra")
            yield {"url": other.url}

    async def plain(request: Request) -> Response:
        return html(request)

    left = crawl(Fetches(), plain, delay=2.0, concurrency=1)
    assert left.urls() == ["http://a.example/1", "http://a.example/extra"]
    assert left.sent[1][0] - left.sent[0][0] >= 2.0
    assert left.stats.pages == 1


def test_a_bug_in_a_part_ends_the_crawl_with_its_own_error() -> None:
    async def broken(request: Request) -> Response:
        raise ZeroDivisionError("a bug of ours")

    with pytest.raises(ExceptionGroup) as caught:
        crawl(Tree(), broken)
    assert caught.group_contains(ZeroDivisionError, match="a bug of ours")


def test_a_callback_that_raises_leaves_nothing_of_its_page() -> None:
    class Raises(Tree):
        def parse(self, page: Response) -> Iterator[object]:
            yield {"n": 1}
            yield {"n": 2}
            yield page.follow_all()
            raise ValueError("broken page")

    left = crawl(Raises(), binary)
    assert left.spool.lines["items"] == []
    assert len(left.sent) == 1
    assert len(left.spool.lines["failures"]) == 1
    assert b"broken page" in left.spool.lines["failures"][0]
    assert len(left.spool.lines["pages"]) == 1  # its body stays


def test_page_fetch_takes_from_host_pages_and_is_refused_after_the_last() -> None:
    said: list[str] = []

    class Fetches(Tree):
        start_urls = ("http://a.example/1", "http://a.example/2")

        async def parse(self, page: Response) -> None:  # type: ignore[override]
            for number in range(2):
                try:
                    await page.fetch(f"http://b.example/{number}")
                except FetchError as error:
                    said.append(error.kind)

    async def plain(request: Request) -> Response:
        return html(request)

    # What is in hand may pass the limit; at this latency each is committed before the next page.
    left = crawl(Fetches(), plain, latency=0.5, host_pages=2, concurrency=1)
    fetched = [url for url in left.urls() if "b.example" in url]
    assert fetched == ["http://b.example/0", "http://b.example/1"]
    assert said == ["host_given_up"] * 2


def test_host_pages_bounds_each_host() -> None:
    left = crawl(Tree(), binary, delay=0.0, host_pages=5)
    assert left.stats.pages == 5
    assert left.reason == "finished"


@pytest.mark.parametrize("obey_robots", [True, False])
@pytest.mark.parametrize("settings", [{"concurrency": 1}, {"max_pages": 2}, {"concurrency": 3}])
def test_page_fetch_is_served_however_full_the_crawl_is(
    settings: dict[str, Any], obey_robots: bool
) -> None:
    class Fetches(Tree):
        # The hosts of the errands are leased as well: their robots.txt may wait for a worker.
        start_urls = tuple(f"http://{name}{n}.example/" for n in range(9) for name in "hx")

        async def parse(self, page: Response) -> None:  # type: ignore[override]
            for number in range(3):
                await page.fetch(f"http://x{number}.example/{page.request.host}")

    async def plain(request: Request) -> Response:
        return html(request, "User-agent: *")

    left = crawl(Fetches(), plain, delay=0.5, obey_robots=obey_robots, **settings)
    pages = settings.get("max_pages", 18)
    assert left.stats.pages == pages
    assert left.stats.counts["errands"] == 3 * pages
    robots = [url for url in left.urls() if url.endswith("/robots.txt")]
    assert len(robots) == len(set(robots))


def test_page_fetch_is_served_while_the_crawl_stops() -> None:
    class Fetches(Tree):
        async def parse(self, page: Response) -> Out[dict[str, str]]:  # type: ignore[override]
            yield {"url": (await page.fetch("http://b.example/")).url}

    async def plain(request: Request) -> Response:
        return html(request)

    left = crawl(Fetches(), plain, delay=2.0, max_seconds=0.15)
    assert left.reason == "max_seconds"
    assert len(left.spool.lines["items"]) == 1
