"""The example spiders, against small sites of the same structure."""

import importlib
import json
from pathlib import Path
from typing import Any

from crawler import Spider, crawl
from spiders.books import Books
from spiders.docs_site import DocsSite
from spiders.quotes import Quotes
from spiders.sitemap import Sitemap
from tests.site import Site


async def items_of(spider: Spider[Any], folder: Path) -> list[dict[str, Any]]:
    report = await crawl(spider, output_dir=str(folder), delay=0.0, min_free_bytes=0)
    assert report.folder is not None
    lines = (Path(report.folder) / "items.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def html(body: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><body>{body}".encode()


async def test_quotes_follows_the_pages(site: Site, tmp_path: Path) -> None:
    quote = (
        '<div class="quote"><span class="text">“{0}”</span><small class="author">{1}</small></div>'
    )
    site.page("/", body=html(quote.format("One", "Ann") + '<li class="next"><a href="/2">Next</a>'))
    site.page("/2", body=html(quote.format("Two", "Bob")))
    spider = Quotes()
    spider.start_urls = [site.url("/")]
    assert await items_of(spider, tmp_path) == [
        {"text": "“One”", "author": "Ann"},
        {"text": "“Two”", "author": "Bob"},
    ]


async def test_books_goes_from_listing_to_detail(site: Site, tmp_path: Path) -> None:
    listing = '<article class="product_pod"><h3><a href="/b/{0}">t</a></h3></article>'
    table = "<h1>Book {0}</h1><table>{1}</table>"
    rows = (
        "<tr><th>UPC</th><td>u{0}</td></tr><tr><th>Price (incl. tax)</th><td>£1{0}.50</td></tr>"
        "<tr><th>Availability</th><td>{1}</td></tr>"
    )
    site.page("/", body=html(listing.format(1) + '<li class="next"><a href="/p2">next</a></li>'))
    site.page("/p2", body=html(listing.format(2)))
    site.page("/b/1", body=html(table.format(1, rows.format(1, "In stock (3 available)"))))
    site.page("/b/2", body=html(table.format(2, rows.format(2, "Sold out"))))
    found = sorted(await items_of(Books(site.url("/")), tmp_path), key=lambda book: book["upc"])
    assert found == [
        {"upc": "u1", "title": "Book 1", "price": 11.5, "in_stock": True},
        {"upc": "u2", "title": "Book 2", "price": 12.5, "in_stock": False},
    ]


async def test_docs_site_stays_below_its_start(site: Site, tmp_path: Path) -> None:
    links = '<a href="/guide/b.html">b</a><a href="/blog/">no</a>'
    site.page("/guide/", body=html(f"<title>Guide</title><h1>Hello</h1><h2>You</h2>{links}"))
    site.page("/guide/b.html", body=html("<title>B</title>"))
    site.page("/blog/", body=html("no"))
    found = await items_of(DocsSite(site.url("/guide/")), tmp_path)
    assert [(item["title"], item["headings"]) for item in found] == [
        ("Guide", ["Hello", "You"]),
        ("B", []),
    ]


async def test_sitemap_takes_the_pages_that_robots_txts_sitemaps_name(
    site: Site, tmp_path: Path
) -> None:
    site.robots(f"Sitemap: {site.url('/index.xml')}")
    site.page(
        "/index.xml",
        body=f"<sitemapindex><sitemap><loc>{site.url('/s.xml')}</loc></sitemap></sitemapindex>".encode(),
        headers={"Content-Type": "application/xml"},
    )
    locs = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in ("/a", "/b"))
    site.page(
        "/s.xml",
        body=f"<urlset>{locs}</urlset>".encode(),
        headers={"Content-Type": "application/xml"},
    )
    site.page("/a", body=html("<title>A</title>"))
    site.page("/b", body=html("<title>B</title>"))
    found = await items_of(Sitemap(site.url("/")), tmp_path)
    assert sorted(item["title"] for item in found) == ["A", "B"]


def test_every_example_says_how_to_run_it() -> None:
    folder = Path(__file__).parents[2] / "spiders"
    for path in folder.glob("*.py"):
        module = importlib.import_module(f"spiders.{path.stem}")
        assert f"`crawl {path.stem}" in (module.__doc__ or "")
