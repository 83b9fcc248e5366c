"""Sitemaps in a crawl: what they list, how far they lead, and what ends them."""

import gzip
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crawler import Report, Response, Spider, crawl, stream
from crawler.cli.table import show
from crawler.errors import SettingError
from crawler.rules.sitemaps import SitemapRules
from crawler.settings import Settings
from tests.site import Site

HERE, THERE = "127.0.0.1", "127.0.0.2"
XML = "application/xml"


def urlset(*urls: str, lastmod: str = "") -> str:
    dated = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    return f"<urlset>{''.join(f'<url><loc>{url}</loc>{dated}</url>' for url in urls)}</urlset>"


def index(*urls: str) -> str:
    inner = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f"<sitemapindex>{inner}</sitemapindex>"


class Listed(Spider[dict[str, str]], delay=0, obey_robots=False, min_free_bytes=0):
    def __init__(self, *sitemaps: str) -> None:
        self.sitemaps = sitemaps

    def parse(self, page: Response) -> dict[str, str]:
        return {"url": page.url}


async def read(tmp_path: Path, *sitemaps: str, **settings: Any) -> tuple[Report, list[str]]:
    report = await crawl(Listed(*sitemaps), output_dir=tmp_path, **settings)
    (run,) = tmp_path.glob("*/*")
    text = (run / "items.jsonl").read_text()
    return report, sorted(json.loads(line)["url"] for line in text.splitlines())


def pages(site: Site, *paths: str) -> list[str]:
    for path in paths:
        site.page(path)
    return [site.url(path) for path in paths]


async def test_a_robots_txt_leads_over_an_index_to_pages(site: Site, tmp_path: Path) -> None:
    urls = pages(site, "/1", "/2", "/3")
    site.robots(f"Sitemap: {site.url('/i.xml')}\nSitemap: {site.url('/feed')}")
    site.page("/i.xml", body=index(site.url("/s.xml.gz"), site.url("/s.txt")), type=XML)
    site.page("/s.xml.gz", body=gzip.compress(urlset(urls[0]).encode()), type="application/gzip")
    site.page("/s.txt", body=urls[1], type="text/plain")
    rss = "<rss><channel><item><link>/3</link></item></channel></rss>"
    site.page("/feed", body=rss, type="application/rss+xml")
    report, found = await read(tmp_path, site.url("/robots.txt"))
    assert found == urls
    assert report.counts["sitemaps"] == 5


async def test_an_index_that_names_itself_is_read_once(site: Site, tmp_path: Path) -> None:
    (url,) = pages(site, "/1")
    loop = [site.url("/i.xml"), site.url("/j.xml")]
    site.page("/i.xml", body=index(*loop, site.url("/s.xml")), type=XML)
    site.page("/j.xml", body=index(*loop), type=XML)
    site.page("/s.xml", body=urlset(url), type=XML)
    report, found = await read(tmp_path, site.url("/i.xml"))
    assert found == [url]
    assert sorted(site.paths) == ["/1", "/i.xml", "/j.xml", "/s.xml"]
    assert report.finished


async def test_indexes_of_indexes_end(site: Site, tmp_path: Path) -> None:
    for number in range(9):
        site.page(f"/{number}.xml", body=index(site.url(f"/{number + 1}.xml")), type=XML)
    report, _ = await read(tmp_path, site.url("/0.xml"), max_depth=0)
    assert site.paths == ["/0.xml", "/1.xml", "/2.xml", "/3.xml"]
    assert report.counts["sitemaps_too_deep"] == 1


async def test_a_host_names_no_more_sitemaps_than_are_read(site: Site, tmp_path: Path) -> None:
    site.page("/i.xml", body=index(*(site.url(f"/s{n}.xml") for n in range(50))), type=XML)
    for number in range(50):
        site.page(f"/s{number}.xml", body=urlset(), type=XML)
    report, _ = await read(tmp_path, site.url("/i.xml"), max_sitemaps=20)
    assert len(site.paths) == 21
    assert report.counts["max_sitemaps"] == 30


def test_how_many_sitemaps_a_host_named_outlives_the_process() -> None:
    settings = Settings(max_sitemaps=3)
    first = SitemapRules(settings)
    refused = [first.refusal("http://a.b/i.xml", depth=1) for _ in range(2)]
    second = SitemapRules(settings)
    for name, value in first.changes().items():
        second.learn(name, value)
    refused += [second.refusal("http://a.b/i.xml", depth=1) for _ in range(2)]
    assert refused == [None, None, None, "max_sitemaps"]
    assert second.refusal("http://c.d/i.xml", depth=1) is None
    assert not first.changes()


async def test_scope_judges_sitemaps_and_entries_of_other_hosts(tmp_path: Path) -> None:
    async with Site((HERE, THERE)) as site:
        site.page("/1")
        both = [site.url("/1", host=host) for host in (HERE, THERE)]
        for host in (HERE, THERE):
            site.page("/s.xml", body=urlset(*both), type=XML, host=host)
        named = [site.url("/s.xml", host=host) for host in (HERE, THERE)]
        site.page("/i.xml", body=index(*named), type=XML, host=HERE)
        report, found = await read(tmp_path, site.url("/i.xml", host=HERE))
        assert found == both[:1]
        assert not [hit for hit in site.log if hit.host.startswith(THERE)]
    assert report.counts["offsite"] == 2


async def test_a_robots_txt_vouches_for_sitemaps_of_other_hosts_not_for_their_pages(
    tmp_path: Path,
) -> None:
    async with Site((HERE, THERE)) as site:
        site.page("/1")
        both = [site.url("/1", host=host) for host in (HERE, THERE)]
        site.page("/s.xml", body=urlset(*both), type=XML, host=THERE)
        site.robots(f"Sitemap: {site.url('/s.xml', host=THERE)}", host=HERE)
        robots = site.url("/robots.txt", host=HERE)
        report, found = await read(tmp_path, robots, allow_private=(THERE,))
    assert found == both[:1]
    assert report.counts["offsite"] == 1


async def test_what_was_changed_before_a_date_is_left_out(site: Site, tmp_path: Path) -> None:
    urls = pages(site, "/new", "/old", "/undated", "/unsure", "/junk")
    dates = ["2024-06-01", "2024-05-31T23:59:59Z", "", "2024", "last week"]
    entries = [urlset(url, lastmod=date)[8:-9] for url, date in zip(urls, dates, strict=True)]
    site.page("/s.xml", body=f"<urlset>{''.join(entries)}</urlset>", type=XML)
    stale = f"<sitemap><loc>{site.url('/stale.xml')}</loc><lastmod>2023-01-01</lastmod></sitemap>"
    both = index(site.url("/s.xml")).replace("</sitemapindex>", f"{stale}</sitemapindex>")
    site.page("/i.xml", body=both, type=XML)
    report, found = await read(tmp_path, site.url("/i.xml"), sitemap_since="2024-06-01")
    assert found == sorted([urls[0], *urls[2:]])
    assert report.counts["sitemap_since"] == 2
    assert "/stale.xml" not in site.paths


async def test_a_date_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    message = "sitemap_since must be a date, as 2026-01-31, or none, got 'no'"
    with pytest.raises(SettingError, match=message):
        await crawl(Listed("http://a.b/s.xml"), output_dir=tmp_path, sitemap_since="no")
    assert not list(tmp_path.iterdir())


async def test_broken_sitemaps_give_what_they_have_and_are_told_of(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    urls = pages(site, "/1", "/2")
    site.page("/cut.xml", body=urlset(urls[0]).removesuffix("</urlset>") + "<url><lo", type=XML)
    bomb = '<!DOCTYPE u [<!ENTITY a "http://a.b/">]>' + urlset("&a;")
    site.page("/bomb.xml", body=bomb, type=XML)
    site.page("/cut.gz", body=gzip.compress(urlset(urls[1]).encode())[:-8], type=XML)
    site.page("/html.xml", body="<!doctype html><a href=/1>x</a>")
    site.page("/empty.xml", body=urlset(), type=XML)
    site.robots("User-agent: *")
    names = ("/cut.xml", "/bomb.xml", "/cut.gz", "/html.xml", "/empty.xml", "/robots.txt")
    report, found = await read(tmp_path, *map(site.url, names), site.url("/missing.xml"))
    assert found == urls
    assert report.failures == {"status": 1}
    assert report.counts["sitemaps_broken"] == len(names)
    told = [one.getMessage() for one in caplog.records if "sitemap is broken" in one.getMessage()]
    reasons = [
        *("it is cut off", "a DOCTYPE with declarations of its own"),
        *("it is cut off, or larger than 50 MB", "it is an HTML page"),
        *("it lists nothing", "it names no sitemap"),
    ]
    assert sorted(told) == sorted(
        f"sitemap is broken ({reason}): {site.url(name)}"
        for reason, name in zip(reasons, names, strict=True)
    )


async def test_what_a_sitemap_leaves_out_is_in_the_closing_table(
    site: Site, tmp_path: Path
) -> None:
    pages(site, "/1")
    site.page("/s.xml", body=urlset("1", "http://[", "ftp://x/"), type=XML)
    site.page("/old.xml", body=urlset(site.url("/2"), lastmod="2020"), type=XML)
    site.page("/i.xml", body=index(*(site.url(f"/{n}.xml") for n in ("s", "old", "3"))), type=XML)
    site.page("/empty.xml", body=urlset(), type=XML)
    named = map(site.url, ("/i.xml", "/empty.xml"))
    report, found = await read(tmp_path, *named, sitemap_since="2026", max_sitemaps=2)
    assert found == [site.url("/1")]
    console = Console(file=StringIO(), width=200)
    show(report, console, outputs=())
    assert isinstance(console.file, StringIO)
    (line,) = [one for one in console.file.getvalue().splitlines() if one.startswith("left out")]
    assert line.split(maxsplit=2)[2].split(", ") == [
        "older than sitemap_since: 1",
        "sitemap beyond max_sitemaps: 1",
        "broken sitemap: 1",
        "bad URL in a sitemap: 2",
    ]


async def test_a_large_sitemap_comes_in_chunks_while_others_go_on(site: Site) -> None:
    lists = [site.url(f"/{number}") for number in range(3_000)]
    for number in range(3_000):
        site.page(f"/{number}")
    site.page("/s.xml", body=urlset(*lists), type=XML)
    spider = Listed(site.url("/s.xml"))
    async with stream(spider, concurrency=4, per_host=4) as items:
        found = [item["url"] async for item in items]
    assert sorted(found) == sorted(lists)


async def test_a_run_that_ends_within_a_sitemap_goes_on_with_it(site: Site, tmp_path: Path) -> None:
    urls = pages(site, *(f"/{number}" for number in range(2_500)))
    site.page("/s.xml", body=urlset(*urls), type=XML)
    job = tmp_path / "job"
    first = await crawl(Listed(site.url("/s.xml")), job=job, max_seconds=0.3, concurrency=2)
    assert first.pages < 2_500
    last = await crawl(Listed(site.url("/s.xml")), job=job, max_seconds=None, concurrency=8)
    assert last.finished
    assert last.pages == 2_500
    lines = (job / "items.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["url"] for line in lines) == sorted(urls)
