"""What a crawl does about hosts that are slow, refuse, or fail, on a clock that is a value."""

import itertools
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from crawler import crawl as library_crawl
from crawler.errors import ConnectError, TlsError, UnwantedType
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Spider
from tests.harness import Crawl, crawl, html
from tests.site import Site

Answer = Callable[[Request], Awaitable[Response]]
HOST = "a.example"
SAID = ("crawler.manners", "crawler.notice")


class Pages(Spider[Any]):
    """So many pages of one host."""

    allowed_domains = ("*",)

    def __init__(self, number: int = 40, others: int = 0) -> None:
        self.start_urls = tuple(f"http://{HOST}/{n}" for n in range(number))
        self.start_urls += tuple(f"http://b.example/{n}" for n in range(others))

    def parse(self, page: Response) -> Any:
        return None


def answers(*statuses: int, then: int = 200, **headers: str) -> Answer:
    """Answer with these statuses, one after the other."""
    each = itertools.chain(statuses, itertools.repeat(then))

    async def answer(request: Request) -> Response:
        if request.host != HOST:
            return html(request)
        status = next(each)
        return html(request, status=status, **(headers if status != 200 else {}))

    return answer


def fails(times: float, error: Exception | None = None) -> Answer:
    """Let the first requests to the host fail."""
    asked = itertools.count(1)

    async def answer(request: Request) -> Response:
        if request.host == HOST and next(asked) <= times:
            raise error or ConnectError("connection refused")
        return html(request)

    return answer


def gaps(left: Crawl, host: str = HOST) -> list[float]:
    times = [time for time, name, _ in left.sent if name == host]
    return [round(b - a, 2) for a, b in itertools.pairwise(times)]


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name in SAID]


def test_each_refusal_doubles_the_delay_and_good_answers_bring_it_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="crawler.manners")
    left = crawl(Pages(), answers(429, 429, 429), retries=3, delay=1.0, per_host=1, backoff=0.1)
    waited = gaps(left)
    assert waited[:3] == pytest.approx([2.0, 4.0, 8.0], abs=0.2)
    assert waited[3:20] == sorted(waited[3:20], reverse=True)
    assert waited[25:] == pytest.approx([1.0] * len(waited[25:]), abs=0.01)
    assert left.stats.pages == 40
    assert left.stats.counts["slowed"] == 3
    assert said(caplog) == [f"{HOST} is asked every {n} s: HTTP 429" for n in (2, 4, 8)]


def test_a_host_that_refuses_all_is_hammered_no_more_without_a_delay_either() -> None:
    own: dict[str, Any] = {
        "retries": 2,
        "delay": 0.0,
        "per_host": 8,
        "backoff": 0.01,
        "host_failures": None,
    }
    left = crawl(Pages(20), answers(then=429), **own)
    times = [time for time, _, _ in left.sent]
    assert len(times) == 60
    assert max(sum(0 <= other - time < 10 for other in times) for time in times[20:]) < 4


def test_a_delay_of_none_and_good_answers_stay_as_they_are() -> None:
    left = crawl(Pages(100), answers(), delay=0.0, per_host=1, latency=0.1)
    assert max(gaps(left)) < 0.11
    assert "slowed" not in left.stats.counts


def test_no_delay_grows_beyond_max_delay() -> None:
    left = crawl(Pages(12), answers(then=503), delay=1.0, max_delay=4.0, host_failures=None)
    assert max(gaps(left)) == pytest.approx(4.0, abs=0.3)


def test_without_throttle_delays_stay() -> None:
    left = crawl(Pages(12), answers(429, 429), delay=1.0, throttle=False, backoff=0.1)
    assert max(gaps(left)) < 1.3
    assert "slowed" not in left.stats.counts


def test_a_host_that_grows_slow_is_asked_less_and_others_are_not() -> None:
    async def answer(request: Request) -> Response:
        page = html(request)
        number = int(request.url.rpartition("/")[2])
        page.seconds = 4.0 if request.host == HOST and 40 <= number < 60 else 0.2
        return page

    left = crawl(Pages(120, others=120), answer, delay=1.0, per_host=4, latency=0.1)
    assert gaps(left)[:39] == pytest.approx([1.0] * 39, abs=0.01)
    assert max(gaps(left)[40:60]) > 5.0
    assert gaps(left)[-20:] == pytest.approx([1.0] * 20, abs=0.01)
    assert max(gaps(left, "b.example")) < 1.01


def test_a_host_keeps_its_delay_while_nothing_of_it_is_at_hand() -> None:
    class Chain(Pages):
        def parse(self, page: Response) -> Any:
            number = int(page.url.rpartition("/")[2])
            return Request(f"http://{HOST}/{number + 1}") if number < 5 else None

    left = crawl(Chain(1), answers(429, 429, 429, 429), retries=4, delay=1.0, backoff=0.1)
    assert gaps(left) == pytest.approx([2, 4, 8, 16, 16, 11.5, 8.35, 6.15, 4.6], abs=0.1)


def test_the_report_names_who_was_slowed() -> None:
    left = crawl(Pages(12), answers(429, 429), retries=2, delay=1.0, backoff=0.1)
    assert left.stats.slowed == {HOST: 4.0}


@pytest.mark.parametrize("error", [None, TlsError("no handshake")])
def test_a_host_that_keeps_failing_rests_and_longer_each_time(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    left = crawl(Pages(60, others=60), fails(10, error), delay=1.0, host_failures=5, per_host=1)
    rested = [gap for gap in gaps(left) if gap > 10]
    assert rested == pytest.approx([30.0, 60.0], abs=0.3)
    assert gaps(left)[4] == rested[0]
    assert left.stats.counts["parked"] == 2
    why = str(error or "connection refused")
    assert said(caplog) == [
        f"{HOST} is left alone for 30 s: 5 failures in a row, the last: {why}",
        f"{HOST} is left alone for 60 s: 10 failures in a row, the last: {why}",
    ]
    assert [r.name for r in caplog.records if r.name in SAID] == [
        "crawler.notice",
        "crawler.manners",
    ]
    assert left.stats.parked == {
        HOST: f"left alone for 60 s: 10 failures in a row, the last: {why}"
    }
    assert left.stats.pages == 50 + 60
    assert max(gaps(left, "b.example")) < 1.3


def test_one_good_answer_ends_it() -> None:
    seen = itertools.count()

    async def answer(request: Request) -> Response:
        if next(seen) % 5 != 4:
            raise ConnectError("connection reset")
        return html(request)

    left = crawl(Pages(60), answer, delay=1.0, host_failures=5, per_host=1)
    assert "parked" not in left.stats.counts
    assert left.stats.pages == 12


@pytest.mark.parametrize("status", [404, 403, 410, 301])
def test_answers_below_500_are_no_failures_of_the_host(status: int) -> None:
    left = crawl(Pages(30), answers(then=status), delay=0.1, host_failures=3)
    assert "parked" not in left.stats.counts


def test_a_page_of_an_unwanted_type_shows_that_its_host_is_well() -> None:
    asked = itertools.count()

    async def answer(request: Request) -> Response:
        if next(asked) % 2:
            raise UnwantedType("unwanted type")
        raise ConnectError("connection refused")

    left = crawl(Pages(30), answer, delay=0.1, host_failures=2, per_host=1)
    assert "parked" not in left.stats.counts


def test_after_two_rests_a_host_is_given_up_by_name() -> None:
    left = crawl(Pages(200), fails(1e9), delay=1.0, host_failures=5, per_host=1)
    assert [gap for gap in gaps(left) if gap > 10] == pytest.approx([30, 60], abs=0.3)
    why = "15 failures in a row, the last: connection refused"
    assert left.totals.given_up == {HOST: why}
    assert len(left.sent) == 15
    assert left.stats.counts["parked"] == 2
    counts = left.totals.counts
    assert sum(n for name, n in counts.items() if name.startswith(("failed.", "left_out."))) == 200


def test_who_would_rest_for_longer_than_max_wait_is_given_up_at_once() -> None:
    own: dict[str, Any] = {"delay": 1.0, "host_failures": 5, "per_host": 1}
    left = crawl(Pages(40), fails(1e9), max_wait=45.0, **own)
    assert [gap for gap in gaps(left) if gap > 10] == pytest.approx([30], abs=0.3)
    assert set(left.totals.given_up) == {HOST}


def test_a_dead_host_with_many_pages_ends_in_little_more_than_its_two_rests() -> None:
    left = crawl(Pages(100), fails(1e9), retries=3)
    assert set(left.totals.given_up) == {HOST}
    assert left.seconds < 150


def test_a_retry_waits_for_the_rest_as_well() -> None:
    own: dict[str, Any] = {"retries": 5, "backoff": 0.1, "per_host": 3, "delay": 0.0}
    left = crawl(Pages(3), fails(3), host_failures=3, **own)
    assert gaps(left)[2] == pytest.approx(30, abs=0.3)
    assert left.stats.pages == 3


def test_retries_of_a_few_broken_pages_leave_their_host_as_it_is() -> None:
    async def answer(request: Request) -> Response:
        broken = request.host == HOST and int(request.url.rpartition("/")[2]) >= 100
        return html(request, status=500 if broken else 200)

    left = crawl(Pages(105), answer, retries=3, delay=0.1)
    assert "parked" not in left.stats.counts
    assert left.stats.counts["retries"] == 5 * 3
    assert left.seconds < 30


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_refuses_everything_is_given_up_by_name(status: int) -> None:
    left = crawl(Pages(10), answers(then=status), retries=3)
    why = f"it says {status} to everything: 10 times in a row"
    assert left.totals.given_up == {HOST: why}
    assert len(left.sent) < 20
    assert left.seconds < 310


def test_without_throttle_too_refusals_end_once_they_have_lasted_max_wait() -> None:
    own: dict[str, Any] = {"throttle": False, "retries": 9, "max_wait": 100.0}
    left = crawl(Pages(10), answers(then=429), **own)
    assert "it says 429 to everything" in left.totals.given_up[HOST]
    assert 100 < left.seconds < 200


def test_a_good_answer_now_and_then_keeps_a_host_that_refuses_much() -> None:
    left = crawl(Pages(8), answers(*([429] * 4 + [200]) * 8), retries=50, host_failures=5)
    assert not left.totals.given_up
    assert left.stats.pages == 8


def test_what_was_under_way_when_the_rest_began_does_not_make_it_longer() -> None:
    left = crawl(Pages(40), fails(8), delay=0.0, per_host=8, host_failures=3)
    assert [gap for gap in gaps(left) if gap > 1] == pytest.approx([30.0], abs=0.3)


def test_without_host_failures_nobody_rests() -> None:
    left = crawl(Pages(40), fails(1e9), delay=1.0, host_failures=None)
    assert max(gaps(left)) < 1.3


def test_nothing_of_a_host_at_rest_is_lost_by_a_stop() -> None:
    left = crawl(Pages(40), fails(1e9), delay=0.0, per_host=1, host_failures=3, max_seconds=20.0)
    assert left.reason == "max_seconds"
    assert left.queued == 40 - 3


def test_a_crawl_delay_counts_up_to_max_crawl_delay() -> None:
    async def answer(request: Request) -> Response:
        robots = "User-agent: *\nCrawl-delay: 3600"
        return html(request, robots if request.kind == "robots" else "")

    left = crawl(Pages(4), answer, obey_robots=True, max_crawl_delay=20.0, delay=0.5)
    assert gaps(left) == pytest.approx([20.0] * 4, abs=0.2)
    left = crawl(Pages(4), answer, obey_robots=True, max_crawl_delay=400.0, delay=0.5)
    assert set(left.totals.given_up) == {HOST}


class Loopback(Spider[Any], retries=3, obey_robots=False, min_free_bytes=0, pages="none"):
    """Six pages of one host."""

    def __init__(self, site: Site) -> None:
        self.start_urls = [site.url(f"/{n}") for n in range(6)]

    def parse(self, page: Response) -> Any:
        return None


async def test_a_server_that_says_429_is_asked_less_often(site: Site, tmp_path: Path) -> None:
    statuses = itertools.chain([429, 429], itertools.repeat(200))

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=next(statuses), text="<p>", content_type="text/html")

    for number in range(6):
        site.handle(f"/{number}", answer)
    own: dict[str, Any] = {
        "per_host": 1,
        "delay": 0.01,
        "backoff": 0.01,
        "output_dir": str(tmp_path),
    }
    report = await library_crawl(Loopback(site), **own)
    times = [hit.time for hit in site.log]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[0] > 0.49
    assert gaps[1] > 0.99
    assert report.pages == 6
    assert report.slowed == {site.host(): 1.0}


async def test_a_server_that_resets_connections_is_given_up_by_name(
    site: Site, tmp_path: Path
) -> None:
    for number in range(6):
        site.raw(f"/{number}", b"HTTP/1.1 200 OK\r\n", reset=True)
    own: dict[str, Any] = {
        "delay": 0.0,
        "backoff": 0.01,
        "host_failures": 4,
        "per_host": 1,
        "max_wait": 20.0,
    }
    report = await library_crawl(Loopback(site), output_dir=str(tmp_path), **own)
    assert len(site.log) == 4
    assert report.given_up[site.host()].startswith("4 failures in a row, the last: ")
    left_out = report.counts.get("left_out.host_given_up", 0)
    assert sum(report.failures.values()) + left_out == 6
