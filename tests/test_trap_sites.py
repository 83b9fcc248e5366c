"""Sites that never end: what is worth having comes all the same."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from crawler import Item, Response, Spider, crawl
from crawler.outcome import Report
from crawler.request import Request
from tests.harness import crawl as crawl_on_a_clock
from tests.harness import html
from tests.site import Site

GOOD = 40


class Page(Item):
    url: str


class Everything(Spider[Page], delay=0):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Iterator[object]:
        yield Page(url=page.url)
        yield page.follow_all()


def anchors(*links: str) -> str:
    return "".join(f"<a href='{link}'>{link}</a>" for link in links)


def trapped(path: str) -> str:
    """A trap that begins on the first page; 40 good pages, the last ones twenty links away.

    What a process has leased of a host without delay is up to 64 requests, and each link of a chain
    waits for those: so a chain of 40 would take 2,000 pages of the trap, whatever the order.
    """
    if path == "/":
        return anchors(*(f"/trap/{n}" for n in range(20)), "/good/1")
    *_, kind, number = path.split("/")
    if kind not in ("good", "trap"):
        return ""
    if kind == "good":
        return anchors(*(f"/good/{int(number) + n}" for n in (1, 2) if int(number) + n <= GOOD))
    return anchors(*(f"/trap/{int(number) * 20 + n}" for n in range(1, 21)))


def good(urls: list[str]) -> int:
    return len({url for url in urls if "/good/" in url})


def test_a_trap_does_not_starve_the_rest_of_its_host() -> None:
    async def answer(request: Request) -> Response:
        return html(request, trapped(request.url.partition("a.example")[2]))

    left = crawl_on_a_clock(
        Everything("http://a.example/"), answer, delay=0.0, max_pages=2_000, concurrency=8
    )
    assert left.stats.pages == 2_000
    assert good(left.urls()) == GOOD


async def answer_trapped(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text=trapped(request.path), content_type="text/html")


async def on_server(
    site: Site,
    tmp_path: Path,
    *,
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = answer_trapped,
    **settings: Any,
) -> Report:
    """Crawl a trapped site on a real server."""
    site.elsewhere(answer)
    given = {"min_free_bytes": 0, "obey_robots": False, "output_dir": tmp_path, **settings}
    return await crawl(Everything(site.url()), **given)


@pytest.mark.parametrize("frontier", ["memory", "sqlite"])
async def test_a_trap_does_not_starve_the_rest_of_a_real_server(
    site: Site, tmp_path: Path, frontier: str
) -> None:
    report = await on_server(site, tmp_path, frontier=frontier, max_pages=2_000)
    assert report.pages == 2_000
    assert good(site.paths) == GOOD


def test_a_maze_of_random_words_does_not_starve_the_rest_either() -> None:
    random = Random(1)

    def word() -> str:
        return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=6))

    async def answer(request: Request) -> Response:
        path = request.url.partition("a.example")[2]
        if path.startswith("/good/"):
            return html(request, trapped(path))
        maze = [f"/maze{path.removeprefix('/maze').rstrip('/')}/{word()}" for _ in range(20)]
        return html(request, anchors(*maze, *(["/good/1"] if path == "/" else [])))

    left = crawl_on_a_clock(
        Everything("http://a.example/"), answer, delay=0.0, max_pages=4_000, concurrency=8
    )
    assert left.stats.pages == 4_000
    assert good(left.urls()) == GOOD
    assert left.totals.counts["trap.tree"]


def test_pages_come_breadth_first() -> None:
    depths: list[int] = []

    class Depths(Everything):
        def parse(self, page: Response) -> Iterator[object]:
            depths.append(page.depth)
            yield page.follow_all()

    async def answer(request: Request) -> Response:
        path = request.url.partition("a.example")[2].rstrip("/")
        if path.count("/") == 5:
            return html(request)
        level = path.count("/")
        return html(request, anchors(*(f"{path}/{name}{level}/" for name in ("a", "b", "c"))))

    crawl_on_a_clock(Depths("http://a.example/"), answer, delay=0.0, concurrency=1)
    assert len(depths) == 364
    assert depths == sorted(depths)


def test_pages_of_one_shape_come_breadth_first_however_many_there_are() -> None:
    depths: list[int] = []

    class Depths(Everything):
        def parse(self, page: Response) -> Iterator[object]:
            depths.append(page.depth)
            yield page.follow_all()

    async def answer(request: Request) -> Response:
        number = int(request.url.rpartition("/")[2])
        links = [n for n in (2 * number, 2 * number + 1) if n < 4_096]
        return html(request, anchors(*(f"/page/{n}" for n in links)))

    crawl_on_a_clock(Depths("http://a.example/page/1"), answer, delay=0.0, concurrency=1)
    assert len(depths) == 4_095
    assert depths == sorted(depths)


async def test_shape_pages_holds_over_a_stop_and_the_life_after_it(
    site: Site, tmp_path: Path
) -> None:
    limits: dict[str, Any] = {"shape_pages": 30, "job": tmp_path / "run"}
    report = await on_server(site, tmp_path, max_pages=20, **limits)
    assert not report.finished
    report = await on_server(site, tmp_path, **limits)
    assert report.finished
    assert len([path for path in site.paths if "/trap/" in path]) == 30
    assert good(site.paths) == 30  # a shape like any other
    assert report.counts["left_out.shape_pages"] > 500


async def test_traps_are_left_out_and_named_in_the_report(site: Site, tmp_path: Path) -> None:
    loop = "/b/c/b/c/b/c"
    site.page("/", links=[loop, "/calendar/2099/01/", "/archive/2099/01/"])
    site.page("/calendar/2099/01/")
    report = await on_server(site, tmp_path)
    assert report.pages == 3
    host = site.host()
    assert report.traps == [
        (host, "repetition", site.url(loop)),
        (host, "calendar", site.url("/calendar/2099/01/")),
    ]
    assert report.counts["left_out.trap"] == 1
    assert report.counts["trap.calendar"] == 2


async def test_traps_report_follows_them_all_the_same(site: Site, tmp_path: Path) -> None:
    site.page("/", links=["/b/c/b/c/b/c"])
    report = await on_server(site, tmp_path, traps="report")
    assert report.pages == 2
    assert report.counts["trap.repetition"] == 1
    assert "left_out.trap" not in report.counts


async def test_a_calendar_with_a_next_month_for_ever_ends(site: Site, tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if not request.path.startswith("/calendar/"):
            return web.Response(status=404)
        _, _, year, month = request.path.split("/")
        number = int(year) * 12 + int(month)
        link = f"/calendar/{number // 12}/{number % 12 + 1:02}"
        return web.Response(text=anchors(link), content_type="text/html")

    site.page("/", links=[f"/calendar/{datetime.now(UTC).year}/01"])
    report = await on_server(site, tmp_path, answer=answer, max_pages=1_000)
    assert report.finished
    assert 300 < report.pages < 400
    assert report.counts["left_out.trap"] == 1
