"""Runs whose files lost their end."""

import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from crawler import Item, Out, Response, Spider, crawl
from crawler.errors import TargetError
from tests.site import Site


class Page(Item):
    url: str


class Pages(Spider[Page], delay=0, obey_robots=False, min_free_bytes=0, concurrency=1):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(url=page.url)
        yield page.follow_all()


async def begun(site: Site, folder: Path) -> Path:
    """A run of ten pages of twenty, which could go on."""
    site.page("/", links=[f"/{number}" for number in range(19)])
    for number in range(19):
        site.page(f"/{number}")
    report = await crawl(Pages(site.url("/")), job=folder, max_pages=10, pages="none")
    assert report.queued == 10
    return folder


async def finished(site: Site, folder: Path) -> Counter[str]:
    report = await crawl(Pages(site.url("/")), job=folder, max_pages=100, pages="none")
    assert (report.pages, report.finished) == (20, True)
    return Counter((folder / "items.jsonl").read_text().splitlines())


@pytest.mark.parametrize("name", ["items.jsonl", "pages.jsonl"])
async def test_a_file_cut_anywhere_in_its_last_line_is_whole_again(
    site: Site, tmp_path: Path, name: str
) -> None:
    run = await begun(site, tmp_path / "run")
    text = (run / name).read_bytes()
    last = len(text) - text[:-1].rfind(b"\n") - 1
    whole: Counter[str] = Counter()
    for missing in range(0, last + 1, 1 if name == "items.jsonl" else 40):
        copy = Path(shutil.copytree(run, tmp_path / f"{missing}"))
        (copy / name).write_bytes(text[: len(text) - missing])
        lines = await finished(site, copy)
        whole = whole or lines
        assert lines == whole
        assert max(lines.values()) == 1
        assert len((copy / "pages.jsonl").read_text().splitlines()) == 20


async def test_a_file_that_lost_more_than_its_last_lines_is_an_error(
    site: Site, tmp_path: Path
) -> None:
    run = await begun(site, tmp_path / "run")
    (run / "items.jsonl").write_bytes((run / "items.jsonl").read_bytes()[:30])
    with pytest.raises(TargetError, match=r"items\.jsonl: .* were committed, but the file has 30"):
        await finished(site, run)


async def test_what_was_appended_but_not_committed_is_cut_off_with_its_torn_line(
    site: Site, tmp_path: Path
) -> None:
    run = await begun(site, tmp_path / "run")
    for name in ("items.jsonl", "pages.jsonl"):
        with (run / name).open("a") as file:
            file.write('{"url": "http://nobody.example/"}\n{"url": "ht')
    assert not [line for line in await finished(site, run) if "nobody" in line]


async def test_with_durable_full_everything_is_synced_and_the_same(
    site: Site, tmp_path: Path
) -> None:
    site.page("/", links=["/a"])
    site.page("/a")
    run = tmp_path / "run"
    report = await crawl(Pages(site.url("/")), job=run, durable="full", pages="files")
    assert report.pages == 2
    assert len(list((run / "pages").rglob("*.html"))) == 2
    connection = sqlite3.connect(run / "frontier.db")
    assert connection.execute("SELECT queued FROM sizes").fetchone() == (0,)
    connection.close()


class Book(Item):
    title: str


class Author(Item):
    name: str


class Shelf(Spider[Book | Author], delay=0, min_free_bytes=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Book | Author]:
        yield Book(title=page.url)
        yield Author(name=page.url)


async def test_with_durable_full_an_output_of_several_files_is_synced(
    site: Site, tmp_path: Path
) -> None:
    site.page("/")
    output = [str(tmp_path / name) for name in ("x.csv", "x.json", "y.jsonl")]
    report = await crawl(Shelf(site.url("/")), job=tmp_path / "run", output=output, durable="full")
    assert report.finished
    names = {path.name for path in tmp_path.glob("[xy].*")}
    assert names == {"x.book.csv", "x.author.csv", "x.json", "y.jsonl"}
