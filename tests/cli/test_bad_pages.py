"""Pages and callbacks that misbehave, through a whole crawl."""

from pathlib import Path

import pytest

from tests.cli.command import Done, crawl
from tests.site import Site

ODD = """
import math
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str
    n: float = 0.0

class Odd(Spider[Page], delay=0, min_free_bytes=0, retries=0):
    allowed_domains = ["127.0.0.1", "nowhere.invalid"]

    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page]:
        what = page.url.rpartition("/")[2]
        if what == "nan":
            yield Page(url=page.url, n=math.nan)
        elif what == "mistyped":
            yield Page(url=42)
        elif what == "other":
            yield {"url": page.url}
        elif what == "number":
            yield 42
        elif what == "numbers":
            yield [1, 2]
        elif what == "late":
            for number in range(3):
                yield Page(url=f"{page.url}{number}")
            yield page.follow("/found-by-a-page-that-fails")
            self.count("late")
            raise RuntimeError("after\\nthree yields")
        elif what == "escaping":
            raise ValueError("\x1b]0;what a terminal obeys\x07 [/b]")
        elif what == "lacking":
            yield Page(url=page.text("h9"))
        else:
            yield Page(url=page.url)
        yield page.follow_all()
"""
HREFS = [
    *("http://[", "//", "///", "http://", "http://a b/", "http://127.0.0.1:99999/", "http://%zz/"),
    *("javascript:void(0)", "mailto:a@b.example", "tel:1", "data:text/html,x", "", "#", "#top"),
    *("http://nowhere.invalid/", "\\\\", "?", "/" + "x" * 70_000),
]
LATER = [
    "escaping",
    "nan",
    "mistyped",
    "other",
    "number",
    "numbers",
    "late",
    "lacking",
    "empty",
    "binary",
]


@pytest.fixture
async def done(folder: Path, site: Site) -> Done:
    """One crawl of a site with everything wrong."""
    (folder / "spiders" / "odd.py").write_text(ODD)
    site.page("/", links=[*HREFS, *LATER, "good"])
    for path in [*LATER, "good", "?"]:
        site.page(f"/{path}", links=["/good"])
    site.page("/empty", body=b"")
    site.page("/binary", body=bytes(range(256)) * 40)
    return await crawl(folder, "odd", "-a", f"start={site.url()}")


async def test_the_crawl_goes_on_and_each_failure_is_told_with_its_url(
    done: Done, site: Site
) -> None:
    assert done.status == 0
    failed = {
        line["url"].removeprefix(site.url("/")): (line["kind"], line["reason"])
        for line in done.lines("failures.jsonl")
    }
    failed = {url: pair for url, pair in failed.items() if pair[0] != "status"}
    assert {url: kind for url, (kind, _) in failed.items()} == {
        "nan": "item",
        "mistyped": "item",
        "other": "item",
        "escaping": "callback",
        "number": "callback",
        "numbers": "callback",
        "late": "callback",
        "lacking": "callback",
        "http://nowhere.invalid/": "robots_unreachable",
    }
    line = ODD[: ODD.index("raise RuntimeError")].count("\n") + 1
    assert failed["late"][1] == f"RuntimeError: after three yields (odd.py:{line})"
    assert "expected an item of type Page, got dict" in failed["other"][1]
    assert "got int" in failed["number"][1]
    assert "selector 'h9'" in failed["lacking"][1]
    assert "does not resolve" in failed["http://nowhere.invalid/"][1]
    told = [line.strip().removeprefix(site.url("/")) for line in done.err.splitlines()]
    assert set(failed) <= set(told)


async def test_what_is_whole_is_kept_and_nothing_of_a_page_that_failed(
    done: Done, site: Site
) -> None:
    kept = {item["url"] for item in done.lines("items.jsonl")}
    assert kept == {site.url(path) for path in ("/", "/?", "/good", "/empty", "/binary")}
    assert "/found-by-a-page-that-fails" not in site.paths
    assert not any(name.startswith("user.") for name in done.report["counts"])
    # Bodies are kept, of failed pages as well.
    assert {page["url"] for page in done.lines("pages.jsonl")} >= {site.url("/late")}


async def test_nothing_that_a_page_says_is_obeyed_by_the_terminal(done: Done) -> None:
    log = (done.run / "crawl.log").read_text()
    assert "]0;what a terminal obeys" in done.err
    assert "]0;what a terminal obeys" in log
    assert not {"\x1b", "\x07"} & set(done.err + log)


async def test_an_href_that_leads_nowhere_is_not_asked_for(done: Done, site: Site) -> None:
    known = {"/", "/?", "/robots.txt", "/good", *(f"/{path}" for path in LATER)}
    assert {path[:20] for path in site.paths if path not in known} <= {"/" + "x" * 19}
