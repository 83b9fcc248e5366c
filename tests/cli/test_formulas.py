"""Titles that a spreadsheet would run, from the site to the file."""

import csv
from pathlib import Path

import pytest

from tests.cli.command import crawl
from tests.site import Site

SPIDER = """
from crawler import Response, Spider

class Titles(Spider, delay=0, min_free_bytes=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response):
        yield {"title": page.text("title"), page.text("title"): -1}
        yield page.follow_all()
"""


@pytest.fixture
def sheet(folder: Path, site: Site) -> str:
    (folder / "spiders" / "titles.py").write_text(SPIDER)
    site.page("/", title="=1+1", links=["/a"])
    site.page("/a", title="@SUM(A1)")
    return f"start={site.url()}"


ESCAPED = [["title", "'=1+1", "'@SUM(A1)"], ["'=1+1", "-1", ""], ["'@SUM(A1)", "", "-1"]]


def rows(folder: Path) -> list[list[str]]:
    with (folder / "x.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, strict=True))


async def test_resumed_it_is_the_same_as_in_one_go(folder: Path, sheet: str) -> None:
    await crawl(folder, "titles", "-a", sheet, "-o", "x.csv", "--max-pages", "1")
    assert rows(folder) == [row[:2] for row in ESCAPED[:2]]
    await crawl(folder, "titles", "--resume", "--max-pages", "9")
    assert rows(folder) == ESCAPED


async def test_appended_it_is_the_same_again(folder: Path, sheet: str) -> None:
    await crawl(folder, "titles", "-a", sheet, "-o", "x.csv")
    await crawl(folder, "titles", "-a", sheet, "-o", "x.csv", "--append")
    assert rows(folder) == [*ESCAPED, *ESCAPED[1:]]


async def test_the_setting_turns_it_off(folder: Path, sheet: str) -> None:
    off = ("-s", "escape_formulas=false")
    await crawl(folder, "titles", "-a", sheet, "-o", "x.csv", *off)
    assert rows(folder) == [[cell.removeprefix("'") for cell in row] for row in ESCAPED]
