"""What a whole crawl asks of its hosts, on a clock that is a value."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crawler.errors import CrawlerError, Retry, TlsError
from crawler.frontier.memory import MemoryFrontier
from crawler.outcome import Batch, Commit
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Out, Spider
from tests.harness import Crawl, crawl, html


class Many(Spider[Any]):
    """Four pages of one host."""

    start_urls = tuple(f"http://a.example/{n}" for n in range(4))
    allowed_domains = ("*",)

    def parse(self, page: Response) -> Any:
        return None


async def plain(request: Request) -> Response:
    return html(request, "User-agent: *")


def starts(left: Crawl, host: str = "a.example") -> list[float]:
    times = [time for time, name, _ in left.sent if name == host]
    return [round(time - times[0], 2) for time in times]


def robots(text: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return html(request, text if request.kind == "robots" else "")

    return answer


def busy(*, after: str, status: int = 429) -> Callable[[Request], Awaitable[Response]]:
    """Refuse the first request."""
    asked = itertools.count()

    async def answer(request: Request) -> Response:
        if next(asked):
            return html(request)
        return html(request, status=status, **{"Retry-After": after})

    return answer


def test_the_first_page_keeps_to_the_crawl_delay_too() -> None:
    left = crawl(Many(), robots("User-agent: *\nCrawl-delay: 10"), obey_robots=True)
    assert starts(left) == pytest.approx([0, 10, 20, 30, 40], abs=0.1)


@pytest.mark.parametrize("retries", [0, 2])
def test_a_host_rests_as_it_asks_whether_or_not_the_page_is_tried_again(retries: int) -> None:
    left = crawl(Many(), busy(after="20"), retries=retries, per_host=1)
    assert starts(left)[1] == pytest.approx(20, abs=0.2)


def test_a_host_that_asks_for_too_long_a_rest_is_given_up_without_retries_left() -> None:
    left = crawl(Many(), busy(after="9000"), retries=0, per_host=1)
    assert len(left.sent) == 1
    assert set(left.totals.given_up) == {"a.example"}


def test_a_robots_txt_that_asks_for_too_long_a_rest_gives_its_host_up() -> None:
    left = crawl(Many(), busy(after="9000", status=503), obey_robots=True, retries=3)
    assert len(left.sent) == 1
    assert set(left.totals.given_up) == {"a.example"}


def test_a_rest_outlives_the_moment_when_nothing_of_the_host_is_at_hand() -> None:
    class Slowly(Many):
        start_urls = ("http://a.example/0", "http://b.example/0")

        def parse(self, page: Response) -> Any:
            # Hosts come and go: a.example has nothing queued while it rests.
            number = int(page.url[-1])
            if page.request.host == "b.example" and number < 9:
                yield Request(f"http://b.example/{number + 1}")
                yield Request(f"http://a.example/{number + 1}")

    left = crawl(Slowly(), busy(after="100"), retries=1, delay=1.0)
    assert starts(left)[1] == pytest.approx(100, abs=0.3)


class Slow(MemoryFrontier):
    """Its commits last, as on a disk that is busy."""

    async def commit(self, batch: Batch, *, posted: bool = False) -> Commit:
        await asyncio.sleep(0.3)
        return await super().commit(batch, posted=posted)


def test_the_delay_holds_while_a_commit_lasts() -> None:
    class Tree(Many):
        start_urls = ("http://a.example/1",)

        def parse(self, page: Response) -> Any:
            number = int(page.url.rpartition("/")[2])
            below = [n for n in (2 * number, 2 * number + 1) if n < 24]
            return [Request(f"http://a.example/{n}") for n in below]

    left = crawl(Tree(), plain, delay=0.25, per_host=2, latency=0.01, frontier=Slow)
    times = starts(left)
    assert len(times) == 23
    assert min(b - a for a, b in itertools.pairwise(times)) > 0.249


def test_an_answer_to_page_fetch_rests_its_host() -> None:
    class Fetches(Many):
        start_urls = ("http://b.example/", *Many.start_urls)

        async def parse(self, page: Response) -> None:
            if page.request.host == "b.example":
                await page.fetch("http://a.example/extra")

    async def answer(request: Request) -> Response:
        if request.url.endswith("/extra"):
            return html(request, status=429, **{"Retry-After": "50"})
        return html(request)

    left = crawl(Fetches(), answer, delay=5.0, retries=0)
    extra = next(time for time, _, url in left.sent if url.endswith("/extra"))
    after = [time for time, host, _ in left.sent if host == "a.example" and time > extra]
    assert min(after) - extra >= 50


def test_a_connection_that_fails_costs_its_host_the_delay() -> None:
    async def fail(request: Request) -> Response:
        raise TlsError("no handshake")

    left = crawl(Many(), fail, delay=2.0, on_wire=False)
    assert starts(left) == pytest.approx([0, 2.1, 4.2, 6.3], abs=0.1)


def test_hosts_known_for_long_do_not_wait_for_all_that_are_new() -> None:
    class Broad(Many):
        start_urls = tuple(f"http://old.example/{n}" for n in range(4))

        def parse(self, page: Response) -> Any:
            if page.url == "http://old.example/0":
                return [Request(f"http://new.example:{n}/") for n in range(1, 11)]
            number = int(page.url.rpartition(":")[2].rstrip("/")) if "new" in page.url else 300
            return Request(f"http://new.example:{number + 10}/") if number < 290 else None

    left = crawl(Broad(), plain, delay=1.0, concurrency=2)
    assert starts(left, "old.example")[-1] < 7.0  # 300 new hosts, ten at a time, take 15 s


def test_a_redirect_over_another_host_and_back_is_delivered() -> None:
    seen: list[tuple[str, tuple[str, ...]]] = []
    consented = False

    class One(Many):
        start_urls = ("http://a.example/page",)

        def parse(self, page: Response) -> None:
            seen.append((page.url, page.redirects))

    async def answer(request: Request) -> Response:
        nonlocal consented
        if request.host == "consent.example":
            consented = True
            return html(request, status=302, Location="http://a.example/page")
        if not consented:
            return html(request, status=302, Location="http://consent.example/")
        return html(request)

    left = crawl(One(), answer)
    chain = ("http://a.example/page", "http://consent.example/")
    assert seen == [("http://a.example/page", chain)]
    assert left.stats.pages == 1


def test_a_redirect_over_two_hosts_in_a_circle_ends() -> None:
    async def answer(request: Request) -> Response:
        other = "b" if request.host == "a.example" else "a"
        return html(request, status=302, Location=f"http://{other}.example/0")

    class One(Many):
        start_urls = ("http://a.example/0",)

    left = crawl(One(), answer, max_redirects=6)
    assert len(left.sent) == 7
    assert left.stats.part("failed") == {"redirect": 1}


def test_retry_in_start_waits_and_ends() -> None:
    runs: list[int] = []

    class Again(Many):
        async def start(self) -> Out[Any]:
            runs.append(1)
            if runs:
                raise Retry("the list of seeds is not there")
            yield None

    left = crawl(Again(), plain, retries=2)
    assert len(runs) == 3
    assert left.seconds > 1.0
    assert left.stats.part("failed") == {"retry": 1}


def test_a_stop_before_the_crawl_has_begun_ends_it() -> None:
    async def stop_first(engine: Any) -> None:
        engine.stop("SIGINT")

    left = crawl(Many(), plain, during=stop_first)
    assert (left.reason, left.sent) == ("SIGINT", [])


def test_a_retry_that_comes_too_late_for_host_pages_ends_the_crawl() -> None:
    async def answer(request: Request) -> Response:
        if request.url.endswith("/0") and request.attempt == 1:
            return html(request, status=500)
        return html(request)

    left = crawl(Many(), answer, host_pages=1, retries=3)
    assert left.reason == "finished"
    assert left.stats.pages == 1


def test_a_retry_given_up_is_told_with_what_went_wrong_first() -> None:
    kinds: list[str] = []

    class Insists(Many):
        start_urls = ("http://a.example/0",)

        def on_error(self, failure: Any) -> None:
            kinds.append(failure.kind)
            raise Retry("once more")

    async def down(request: Request) -> Response:
        return html(request, status=500)

    left = crawl(Insists(), down, retries=1)
    assert kinds == ["status"]
    assert left.stats.part("failed") == {"status": 1}


def test_rules_on_parameters_do_not_disturb_the_seeding() -> None:
    left = crawl(Many(), plain, ignore_params=("sid",), ignore_query_order=True)
    assert left.stats.pages == 4


def test_page_fetch_after_its_callback_is_an_error() -> None:
    pages: list[Response] = []

    class Keeps(Many):
        async def parse(self, page: Response) -> None:
            pages.append(page)
            if len(pages) > 1:
                with pytest.raises(CrawlerError, match="inside a callback"):
                    await pages[0].fetch("/other")

    left = crawl(Keeps(), plain, concurrency=1)
    assert left.stats.pages == 4
    assert not left.stats.failures
