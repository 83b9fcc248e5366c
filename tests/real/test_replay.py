"""Debian's Python documentation, stored by us and by wget, gives the items of the live crawl."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.sites import nginx_path, serve
from crawler import Item, Response, Spider, crawl
from tests.archive.test_replay import outcome
from tests.real.test_python_docs import DOCS, INSTALL

pytestmark = pytest.mark.skipif(
    not (nginx_path() and shutil.which("wget") and DOCS.is_dir()), reason=INSTALL
)


class Section(Item):
    url: str
    title: str
    encoding: str
    names: list[str]
    links: list[str]


class CApi(Spider[Section], accept="text/html", delay=0, per_host=8, min_free_bytes=0):
    """The C API's pages, which link far beyond."""

    def __init__(self, start: str) -> None:
        self.start_urls = [f"{start}c-api/"]
        self.allowed_prefixes = self.start_urls

    def parse(self, page: Response) -> Iterator[Section | list[object]]:
        yield Section(
            url=page.url,
            title=page.text("title"),
            encoding=page.encoding,
            names=[node.attr("id") for node in page.css("dt[id]")],
            links=[link.url for link in page.links()],
        )
        yield list(page.follow_all())


async def test_a_replay_gives_the_items_of_the_live_crawl(tmp_path: Path) -> None:
    with serve(DOCS.resolve(), addresses=1) as (start,):
        first = await crawl(CApi(start), pages="files", output_dir=tmp_path / "live")
        subprocess.run(
            ["wget", "-q", "-r", "-np", "-l", "inf", "-e", "robots=off"]
            + ["-P", str(tmp_path / "files"), "--warc-file", str(tmp_path / "wget")]
            + [f"{start}c-api/"],
            check=False,
            timeout=60,
        )
    assert first.pages > 50
    for source in (first.folder or "", tmp_path / "wget.warc.gz"):
        second = await crawl(CApi(start), source=source, output_dir=tmp_path / "again")
        assert outcome(second) == outcome(first)
