"""URLs longer than `url_bytes`: left out wherever they come from, refused where a crawl begins."""

from collections.abc import Iterator
from typing import Any

import pytest

from crawler import FetchError, Item, Response, Spider, crawl
from crawler.errors import SpiderError
from crawler.outcome import Report
from crawler.request import Request
from tests.site import Site

LONG = "/" + "x" * 300


class Page(Item):
    url: str


class Links(Spider[Page], delay=0, url_bytes=200):
    def __init__(self, *starts: str, sitemaps: tuple[str, ...] = ()) -> None:
        self.start_urls = starts
        self.sitemaps = sitemaps

    def parse(self, page: Response) -> Iterator[object]:
        yield Page(url=page.url)
        yield page.follow_all()


async def crawled(spider: Spider[Any], **settings: Any) -> Report:
    return await crawl(spider, min_free_bytes=0, obey_robots=False, retries=0, **settings)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)


async def test_links_that_are_too_long_are_left_out_and_counted(site: Site) -> None:
    head = len(site.url("/"))
    fits = "/" + "y" * (200 - head)
    site.page("/", links=[LONG, fits, fits + "y", "/a"])
    site.page("/a", links=[LONG])
    site.page(fits)
    report = await crawled(Links(site.url()))
    assert sorted(site.paths) == ["/", "/a", fits]
    assert report.counts["too_long"] == 3


async def test_a_redirect_to_a_url_that_is_too_long_is_left_out(site: Site) -> None:
    site.page("/", links=["/here", "/there"])
    site.redirect("/here", LONG)
    site.redirect("/there", f"http://127.0.0.2:{site.port}{LONG}")
    spider = Links(site.url())
    spider.allowed_domains = ["127.0.0.1", "127.0.0.2"]
    report = await crawled(spider)
    assert report.counts["too_long"] == 2
    assert not report.failures
    assert LONG not in site.paths


async def test_a_sitemap_entry_that_is_too_long_is_left_out(site: Site) -> None:
    listed = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in (LONG, "/a"))
    site.page("/sitemap.xml", body=f"<urlset>{listed}</urlset>", type="application/xml")
    site.page("/a")
    report = await crawled(Links(sitemaps=(site.url("/sitemap.xml"),)))
    assert report.counts["too_long"] == report.pages == 1


async def test_a_seed_that_is_too_long_is_refused_before_anything_begins(site: Site) -> None:
    words = r"start_urls: a URL may have 200 bytes \(url_bytes\), got one of \d+: http://127"
    with pytest.raises(SpiderError, match=words):
        await crawled(Links(site.url(), site.url(LONG)))
    assert not site.paths


async def test_a_seed_of_start_that_is_too_long_ends_the_crawl_by_name(site: Site) -> None:
    class Yields(Links):
        async def start(self) -> Any:
            yield Request(site.url(LONG))

    report = await crawled(Yields())
    assert report.exit_status == 1
    assert "(url_bytes)" in report.reason


async def test_page_fetch_says_that_a_redirect_is_too_long(site: Site) -> None:
    class Fetches(Links):
        async def parse(self, page: Response) -> Page:  # type: ignore[override]
            with pytest.raises(FetchError, match=r"leads to a URL of \d+ bytes, more than 200"):
                await page.fetch("/here")
            return Page(url=page.url)

    site.page("/")
    site.redirect("/here", LONG)
    report = await crawled(Fetches(site.url()))
    assert report.items == {"page": 1}
