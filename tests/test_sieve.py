"""Copies and pages that are none: counted or dropped, whatever their host says of them."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web

from crawler import Item, Request, Response, Retry, Spider, crawl
from crawler.errors import HostGivenUp
from crawler.outcome import Report, Verdict
from crawler.request import link_request
from crawler.sieve import Sieve
from tests.harness import html
from tests.site import Site


class Page(Item):
    url: str


class Everything(Spider[Page], delay=0):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Iterator[object]:
        yield Page(url=page.url)
        yield page.follow_all()


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


async def crawled(site: Site, **settings: Any) -> Report:
    given = {"min_free_bytes": 0, "obey_robots": False, "retries": 0, "concurrency": 1}
    return await crawl(Everything(site.url()), **{**given, **settings})


def article(seed: int, *links: str, number: int = 300) -> str:
    random = Random(seed)
    text = " ".join(f"word{random.randrange(3_000)}" for _ in range(number))
    return f"<p>{text}</p>" + "".join(f"<a href='{link}'>more</a>" for link in links)


def copied(site: Site) -> None:
    """A page; its copy to the byte, a copy with another word, and a third page below the copy."""
    site.page("/", links=["/one/page", "/two/page", "/near", "/other", "/tiny/1", "/tiny/2"])
    site.page("/one/page", body=article(1, "next"))
    site.page("/two/page", body=article(1, "next"))
    site.page("/near", body=article(1, "next").replace("</p>", " changed</p>"))
    site.page("/other", body=article(2))
    for path in ("/one/next", "/two/next"):
        site.page(path, body=article(3))
    for path in ("/tiny/1", "/tiny/2"):
        site.page(path, body="<p>nothing here</p>")


async def test_copies_are_dropped_with_their_links(site: Site) -> None:
    copied(site)
    report = await crawled(site, duplicates="drop")
    assert report.counts["duplicate_bodies"] == 1
    assert report.counts["near_duplicates"] == 1
    assert report.counts["duplicates"] == 2
    assert report.pages == report.items["page"] == 6
    assert "/two/next" not in site.paths


async def test_the_copy_of_a_page_whose_callback_fails_takes_its_place(site: Site) -> None:
    class Failing(Everything):
        def parse(self, page: Response) -> Iterator[object]:
            if page.url.endswith("/one/page"):
                raise ValueError("a bug")
            yield from super().parse(page)

    copied(site)
    given: dict[str, Any] = {"min_free_bytes": 0, "obey_robots": False, "concurrency": 1}
    report = await crawl(Failing(site.url()), duplicates="drop", retries=0, **given)
    assert report.failures == {"callback": 1}
    assert report.counts["near_duplicates"] == 1
    assert "duplicate_bodies" not in report.counts
    assert "/two/next" in site.paths
    assert "/one/next" not in site.paths


async def test_a_page_that_another_calls_its_original_is_no_copy_of_it(site: Site) -> None:
    canonical = "<link rel=canonical href=/original>"
    site.page("/", links=["/print", "/original"])
    for path in ("/print", "/original"):
        site.page(path, body=f"<head>{canonical}</head>{article(1)}")
    report = await crawled(site, duplicates="drop", canonical="drop")
    assert report.pages == report.items["page"] == 2
    assert report.counts["duplicates"] == 1


async def test_of_a_page_that_is_tried_again_and_its_copy_one_is_kept(site: Site) -> None:
    class Once(Everything):
        def parse(self, page: Response) -> Iterator[object]:
            if page.url.endswith("/one/page") and page.request.attempt == 1:
                raise Retry("once more")
            yield from super().parse(page)

    copied(site)
    given: dict[str, Any] = {"min_free_bytes": 0, "obey_robots": False, "concurrency": 1}
    report = await crawl(Once(site.url()), duplicates="drop", retries=1, **given)
    assert report.counts["retries"] == 1
    assert not report.failures
    assert report.counts["duplicate_bodies"] == 1
    assert report.pages == 6


async def test_copies_are_counted_and_delivered(site: Site) -> None:
    copied(site)
    report = await crawled(site, duplicates="count")
    assert report.counts["duplicate_bodies"] == 2
    assert report.counts["near_duplicates"] == 1
    assert report.pages == 9
    assert report.failures == {"status": 1}  # /next, which /near links to


async def test_nothing_is_compared_by_default(site: Site) -> None:
    copied(site)
    report = await crawled(site)
    assert report.pages == 9
    assert not {"duplicate_bodies", "near_duplicates", "soft_404"} & report.counts.keys()
    assert len(site.paths) == 10


async def test_a_redirect_to_a_page_does_not_make_a_copy_of_it(site: Site) -> None:
    site.page("/", links=["/old", "/new"])
    site.redirect("/old", "/new")
    site.page("/new", body=article(1))
    report = await crawled(site, duplicates="drop")
    assert report.pages == 2
    assert "duplicate_bodies" not in report.counts


async def test_a_later_life_knows_the_bodies_of_the_earlier_one(site: Site, tmp_path: Path) -> None:
    copied(site)
    given: dict[str, Any] = {"duplicates": "drop", "job": tmp_path / "run"}
    before = await crawled(site, max_pages=2, **given)
    assert before.pages == 2
    after = await crawled(site, **given)
    assert after.finished
    assert after.counts["duplicate_bodies"] == 1
    assert after.pages == 6


def liar(site: Site) -> None:
    """A host that answers 200 to everything, with a text that has the URL in it."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        text = article(99).replace("</p>", f" {request.path}</p>")
        return web.Response(text=text, content_type="text/html")

    site.elsewhere(answer)
    site.page("/", links=["/good", "/gone/1", "/gone/2"])
    site.page("/good", body=article(1))


def probes(site: Site) -> list[str]:
    known = ("/", "/good", "/gone/1", "/gone/2", "/missing", "/nothing")
    return [path for path in site.paths if path not in known]


async def test_pages_like_what_a_host_gives_for_nonsense_are_dropped(site: Site) -> None:
    liar(site)
    report = await crawled(site, soft_404="drop")
    assert report.pages == 2
    assert report.counts["soft_404"] == report.counts["dropped.soft_404"] == 2
    at_root, below = probes(site)
    assert below.startswith("/gone/")
    assert at_root.count("/") == 1


async def test_pages_like_what_a_host_gives_for_nonsense_are_counted(site: Site) -> None:
    liar(site)
    report = await crawled(site, soft_404="count")
    assert report.pages == 4
    assert report.counts["soft_404"] == 2


async def test_a_host_that_redirects_nonsense_to_one_place_is_seen_through(site: Site) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/missing"})

    liar(site)
    site.elsewhere(answer)
    site.page("/missing", body="<p>Sorry.</p>")
    report = await crawled(site, soft_404="drop")
    assert report.pages == 2
    assert report.counts["soft_404"] == 2


async def test_an_honest_host_is_asked_once_and_loses_nothing(site: Site) -> None:
    liar(site)
    site.elsewhere(_not_found)
    report = await crawled(site, soft_404="drop", concurrency=8)
    assert report.pages == 2
    assert report.failures == {"status": 2}
    assert "soft_404" not in report.counts
    assert len(probes(site)) == 1  # of the root: no page below it was there to be judged


async def test_a_host_that_lies_below_one_folder_only_with_hardly_a_word_is_seen_through(
    site: Site,
) -> None:
    hits = itertools.count()

    async def sorry(request: web.BaseRequest) -> web.StreamResponse:
        if not request.path.startswith("/shop/"):
            return web.Response(status=404)
        link = f"<a href='/shop/{next(hits)}'>more</a>"
        return web.Response(text=f"<h1>Sorry</h1>{link}", content_type="text/html")

    site.elsewhere(sorry)
    site.page("/", links=["/shop/a", "/shop/b", "/shop/good"])
    site.page("/shop/good", body="<h1>Good</h1>")
    report = await crawled(site, soft_404="drop")
    assert report.finished
    assert report.pages == 2
    assert report.counts["soft_404"] == 2


async def test_a_host_is_asked_in_no_more_than_eight_places(site: Site) -> None:
    pages = [f"/{name}/page" for name in "abcdefghijklm"]
    site.page("/", links=pages)
    for page in pages:
        site.page(page, body=article(ord(page[1])))
    report = await crawled(site, soft_404="drop", concurrency=8)
    assert report.pages == 14
    assert len(set(site.paths) - {"/", *pages}) == 8


async def test_a_site_that_gives_one_page_for_any_url_keeps_it(site: Site) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=article(1, "/good"), content_type="text/html")

    site.elsewhere(answer)
    report = await crawled(site, soft_404="drop")
    assert report.pages == 2
    assert "soft_404" not in report.counts


async def test_the_probe_counts_as_no_page_and_is_not_asked_again_by_a_later_life(
    site: Site, tmp_path: Path
) -> None:
    liar(site)
    given: dict[str, Any] = {"soft_404": "drop", "job": tmp_path / "run", "host_pages": 3}
    before = await crawled(site, max_pages=1, **given)
    assert before.pages == 1
    after = await crawled(site, **given)
    assert after.pages == 2
    assert len(probes(site)) == 2  # "/", then "/gone/"


async def test_a_probe_that_robots_txt_forbids_is_not_made(site: Site) -> None:
    liar(site)
    site.robots(
        "User-agent: *\nDisallow: /\nAllow: /$\nAllow: /good\nAllow: /gone/1$\nAllow: /gone/2$"
    )
    report = await crawled(site, soft_404="drop", obey_robots=True)
    assert report.pages == 4
    assert probes(site) == ["/robots.txt"]


async def _not_found(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=404)


async def test_a_host_that_is_left_alone_just_now_is_asked_later() -> None:
    sieve = Sieve(soft_404="drop")
    page = html(link_request(url="http://a.example/x/1", depth=1), article(1))

    async def left_alone(probe: Request) -> Response:
        raise HostGivenUp("left alone for 30 s", url=probe.url)

    async def answer(probe: Request) -> Response:
        return html(probe, article(1))

    for _ in range(20):
        assert (await sieve.sift(page, fetch=left_alone)).verdict is None
    assert (await sieve.sift(page, fetch=answer)).verdict is Verdict.DROPPED
