"""The example spiders, against small sites of the same structure."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from crawler import InvalidUrl, Spider, crawl
from spiders.books import Books
from spiders.docs_site import DocsSite
from spiders.quotes import Quotes
from spiders.sitemap import Sitemap
from tests.site import Site

EXAMPLES = sorted((Path(__file__).parents[2] / "spiders").glob("*.py"))


async def items_of(spider: Spider[Any], folder: Path) -> list[dict[str, Any]]:
    """Crawl, and return the items, sorted: two answers may come in either order."""
    report = await crawl(spider, output_dir=str(folder), delay=0.0, min_free_bytes=0)
    assert report.folder is not None
    assert report.failures == {}
    lines = (Path(report.folder) / "items.jsonl").read_text().splitlines()
    return sorted((json.loads(line) for line in lines), key=json.dumps)


def html(body: str, *, head: str = "") -> str:
    return f'<!doctype html><html><head><meta charset="utf-8">{head}</head><body>{body}</body>'


def quote(text: str, author: str) -> str:
    return (
        f'<div class="quote"><span class="text">“{text}”</span>'
        f'<span>by <small class="author">{author}</small> <a href="/author/{author}">(about)</a>'
        '</span><div class="tags">Tags: <a class="tag" href="/tag/x/">x</a></div></div>'
    )


async def test_quotes_follows_the_pages_and_nothing_else(site: Site, tmp_path: Path) -> None:
    more = '<ul class="pager"><li class="next"><a href="/page/2/">Next</a></li></ul>'
    back = '<ul class="pager"><li class="previous"><a href="/">Previous</a></li></ul>'
    site.page("/", body=html(quote("Ça va?", "Ann") + quote("Stay.", "Bob") + more))
    site.page("/page/2/", body=html(quote("Go.", "Ann") + back))
    spider = Quotes()
    spider.start_urls = [site.url("/")]
    assert await items_of(spider, tmp_path) == [
        {"text": "“Go.”", "author": "Ann"},
        {"text": "“Stay.”", "author": "Bob"},
        {"text": "“Ça va?”", "author": "Ann"},
    ]
    assert site.paths == ["/robots.txt", "/", "/page/2/"]


def book(upc: str, *, title: str, price: str, stars: str, stock: str) -> str:
    rows = {"UPC": upc, "Price (excl. tax)": price, "Price (incl. tax)": price, "Tax": "£0.00"}
    rows["Availability"] = stock
    table = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows.items())
    return html(
        '<ul class="breadcrumb"><li><a href="../../index.html">Home</a></li>'
        f'<li><a href="../poetry/">Poetry</a></li><li class="active">{title}</li></ul>'
        f'<div class="product_main"><h1>{title}</h1><p class="star-rating {stars}"></p></div>'
        f'<table class="table">{table}</table>'
        '<div class="recent"><p class="star-rating One"></p></div>'
    )


async def test_books_goes_from_listing_to_detail(site: Site, tmp_path: Path) -> None:
    pod = (
        '<article class="product_pod"><div><a href="{0}"><img src="x.jpg"></a></div>'
        '<h3><a href="{0}" title="t">t …</a></h3></article>'
    )
    more = '<ul class="pager"><li class="next"><a href="catalogue/page-2.html">next</a></li></ul>'
    site.page("/", body=html(pod.format("catalogue/one_1/index.html") + more))
    site.page("/catalogue/page-2.html", body=html(pod.format("two_2/index.html")))
    one = book("a1", title="One", price="£51.77", stars="Three", stock="In stock (22 available)")
    two = book("b2", title="Deux été", price="£9.00", stars="Five", stock="Sold out")
    site.page("/catalogue/one_1/index.html", body=one)
    site.page("/catalogue/two_2/index.html", body=two)
    assert await items_of(Books(site.url("/")), tmp_path) == [
        {
            "upc": "a1",
            "title": "One",
            "category": "Poetry",
            "price": 51.77,
            "stars": 3,
            "in_stock": 22,
        },
        {
            "upc": "b2",
            "title": "Deux été",
            "category": "Poetry",
            "price": 9.0,
            "stars": 5,
            "in_stock": 0,
        },
    ]


async def test_docs_site_stays_below_its_start(site: Site, tmp_path: Path) -> None:
    links = '<a href="b.html#two">b</a><a href="../blog/">no</a><a href="./deep/c.html">c</a>'
    guide = html(f"<h1>Hello</h1><p>to <b>you</b></p><h2>You</h2>{links}", head="<title>G</title>")
    site.page("/guide/index.html", body=guide)
    site.page("/guide/b.html", body=html("", head="<title>B</title>"))
    site.page("/guide/deep/c.html", body=html("<h3>C</h3>"))
    site.page("/blog/", body=html("no"))
    found = await items_of(DocsSite(site.url("/guide/index.html")), tmp_path)
    assert found == [
        {"url": site.url("/guide/b.html"), "title": "B", "headings": [], "characters": 0},
        {"url": site.url("/guide/deep/c.html"), "title": "", "headings": ["C"], "characters": 1},
        {
            "url": site.url("/guide/index.html"),
            "title": "G",
            "headings": ["Hello", "You"],
            "characters": len("Hello to you You bnoc"),
        },
    ]


@pytest.mark.parametrize(
    ("start", "prefix"),
    [
        ("https://docs.example.org", "https://docs.example.org/"),
        ("https://docs.example.org/a/b?next=/c/d", "https://docs.example.org/a/"),
    ],
)
def test_docs_site_knows_the_folder_of_any_start(start: str, prefix: str) -> None:
    assert DocsSite(start).allowed_prefixes == [prefix]


@pytest.mark.parametrize("kind", [DocsSite, Sitemap])
def test_an_argument_that_is_no_url_is_named(kind: type[DocsSite] | type[Sitemap]) -> None:
    with pytest.raises(InvalidUrl, match="'nonsense'"):
        kind("nonsense")


async def test_sitemap_takes_the_pages_that_robots_txts_sitemaps_name(
    site: Site, tmp_path: Path
) -> None:
    xml = "application/xml"
    site.robots(f"User-agent: *\nDisallow:\nSitemap: {site.url('/index.xml')}")
    index = f"<sitemapindex><sitemap><loc>{site.url('/s.xml')}</loc></sitemap></sitemapindex>"
    site.page("/index.xml", body=index, type=xml)
    locs = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in ("/a", "/b"))
    site.page("/s.xml", body=f"<urlset>{locs}</urlset>", type=xml)
    site.page("/a", body=html("", head='<title>A</title><meta name="description" content="First">'))
    site.page("/b", body=html('<a href="/unlisted">not in the sitemap</a>'))
    assert await items_of(Sitemap(site.url("/news/")), tmp_path) == [
        {"url": site.url("/a"), "title": "A", "description": "First"},
        {"url": site.url("/b"), "title": "", "description": None},
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_how_to_run_it(path: Path) -> None:
    module = importlib.import_module(f"spiders.{path.stem}")
    assert f": `crawl {path.stem}" in (module.__doc__ or "")
