"""The demo's main job, for real."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from crawler import Report, crawl
from crawler.demo.goods import OFFERED, UNLINKED, WARES
from crawler.demo.pages import FORBIDDEN, WITHDRAWN
from crawler.demo.shop import Facts, Shop
from crawler.demo.spider import Demo


class Crawled:
    """What one crawl of the shop left."""

    def __init__(self, shop: Shop, report: Report) -> None:
        assert report.folder is not None
        self.report = report
        self.folder = Path(report.folder)
        self.log = Counter(shop.log)
        self.facts: Facts = shop.expected
        self.url = shop.url

    def lines(self, name: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """One crawl, which all tests look at."""

    async def run() -> Crawled:
        folder = str(tmp_path_factory.mktemp("output"))
        async with Shop() as shop:
            report = await crawl(
                Demo(shop=shop.url), output_dir=folder, pages="files", min_free_bytes=0
            )
            return Crawled(shop, report)

    return asyncio.run(run())


def test_every_product_comes_once_and_whole(crawled: Crawled) -> None:
    wanted = [
        {
            "url": crawled.url + ware.path[1:],
            "name": ware.name,
            "category": ware.category.name,
            "price": ware.price,
            "stock": ware.stock,
            "rating": ware.rating,
            "related": [other.name for other in ware.related],
        }
        for ware in WARES
    ]
    found = crawled.lines("items.jsonl")
    assert sorted(found, key=lambda item: str(item["url"])) == sorted(
        wanted, key=lambda item: str(item["url"])
    )


def test_robots_txt_is_kept(crawled: Crawled) -> None:
    assert [path for path in crawled.log if path.startswith(FORBIDDEN)] == []
    assert crawled.report.counts["robots_denied"] == len(WARES) + len(FORBIDDEN)


def test_nothing_is_asked_for_without_need(crawled: Crawled) -> None:
    # robots.txt: for its rules, and as the list of sitemaps. A product may come by its old address
    # before its own one is asked for, or after.
    asked_twice = {path for path, times in crawled.log.items() if times > 1}
    landed_on = {ware.path for ware in WARES} | {"/c/stool/", "/"}
    assert asked_twice <= {"/robots.txt", "/stock-take.html"} | landed_on
    assert crawled.log["/stock-take.html"] == 2  # busy at first
    assert all(crawled.log[path] == 1 for path in WITHDRAWN)
    assert all(crawled.log[ware.path] == 1 for ware in (*OFFERED, *UNLINKED))


def test_the_report_holds_the_facts(crawled: Crawled) -> None:
    report, facts = crawled.report, crawled.facts
    assert (report.exit_status, report.reason, report.queued) == (0, "finished", 0)
    assert report.items == {"product": facts.products}
    assert report.pages == facts.pages
    assert report.counts["hops"] == facts.redirects
    assert report.counts["unwanted_type"] == facts.unwanted
    assert report.failures == {"status": facts.dead}
    failed = [str(line["url"]) for line in crawled.lines("failures.jsonl")]
    assert sorted(failed) == [crawled.url + path[1:] for path in WITHDRAWN]


def test_every_page_is_kept_in_a_file_of_its_own(crawled: Crawled) -> None:
    index = crawled.lines("pages.jsonl")
    kept = [path for path in (crawled.folder / "pages").rglob("*") if path.is_file()]
    assert len(index) == len(kept) == crawled.facts.pages
