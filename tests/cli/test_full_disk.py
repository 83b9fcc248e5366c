"""A disk that fills while a run is crawled, and has room again later."""

import asyncio
import signal
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.command import crawl, ended, lines, start
from tests.cli.lives import grow, links_of
from tests.cli.test_outputs import count
from tests.site import Site

LARGE = """
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str
    text: str

class Large(Spider[Page], delay=0, min_free_bytes=0, retries=0, obey_robots=False, pages="none"):
    def __init__(self, start: str, size: int = 0, data: int = 0) -> None:
        self.start_urls = [start]
        self.text = "x" * size
        self.data = "x" * data

    async def parse(self, page: Response, data: str = "") -> Out[Page]:
        yield Page(url=page.url, text=self.text)
        yield page.follow_all(data=self.data)
"""


@pytest.fixture
def web(folder: Path, site: Site) -> Site:
    (folder / "spiders" / "large.py").write_text(LARGE)
    grow(site)
    return site


def limited(kb: int) -> str:
    """Let no file of the process grow past some kB: a disk that fills."""
    return f"ulimit -f {kb * 2};"


async def whole_after(folder: Path, items: str) -> bool:
    """Go on with the run now that there is room; True if it is whole then."""
    done = await crawl(folder, "large", "--job", "job", "-q")
    found = Counter(item["url"] for item in lines(folder / items))
    pages = Counter(page["url"] for page in lines(folder / "job" / "pages.jsonl"))
    failures = lines(folder / "job" / "failures.jsonl")
    ones = set(found.values()) == set(pages.values()) == {1}
    return (done.status, len(found), len(pages), len(failures), ones) == (0, 57, 57, 3, True)


@pytest.mark.parametrize(
    ("size", "kb", "words", "path"),
    [
        (10, 300, ["-a", "data=8000"], "job/frontier.db"),
        (300_000, 2_500, [], "job/items.jsonl"),
        (300_000, 2_500, ["-o", "x.jsonl"], "x.jsonl"),
        (100, 1_500, ["-o", "x.jsonl", "-o", "x.csv", "--append"], "x.csv"),
    ],
)
async def test_a_full_disk_ends_the_run_which_is_whole_after_a_resume(
    folder: Path, web: Site, size: int, kb: int, words: list[str], path: str
) -> None:
    (folder / "x.csv").write_text("url,text\r\n" + f"http://mine,{'x' * 990}\r\n" * 1_530)
    words = ["large", "-a", f"start={web.url()}", "-a", f"size={size}", "--job", "job", *words]
    done = await crawl(folder, *words, "-s", "target_pause=0", before=limited(kb))
    assert done.status == 3
    (said,) = [line for line in done.err.splitlines() if line.startswith("large: failed after")]
    assert f"{path}: " in said
    assert done.table["go on"] == "crawl large --job job"
    assert await whole_after(folder, "x.jsonl" if "x.jsonl" in words else "job/items.jsonl")
    assert "x.csv" not in words or count(folder / "x.csv") == 1_530 + 57


@pytest.mark.parametrize("promise", [[], ["-s", "min_items=99"]])
async def test_a_log_that_does_not_fit_costs_its_lines_and_is_said(
    folder: Path, web: Site, promise: list[str]
) -> None:
    words = ["large", "-a", f"start={web.url()}", "--job", "job"]
    await crawl(folder, *words, "--max-pages", "3")
    (folder / "job" / "crawl.log").write_text("x" * 977 * 1024)
    words += ["--max-pages", "9", "-v", *promise]
    done = await crawl(folder, *words, before=limited(977))
    assert done.status == 3
    said = "crawl: job/crawl.log: the file may not grow any larger; lines of the log are lost"
    assert done.err.splitlines()[-1] == said
    assert len(lines(folder / "job" / "items.jsonl")) == 9


async def test_a_frontier_that_another_program_keeps_locked_ends_the_crawl_as_a_full_disk_does(
    folder: Path, web: Site
) -> None:
    web.slow("/9", 1.0, links=links_of(9))
    asked = web.asked("/9")
    words = ("large", "-a", f"start={web.url()}", "-a", "size=1", "--job", "job")
    process = await start(folder, *words, "-s", "target_pause=60")
    await asked.wait()
    locking = sqlite3.connect(folder / "job" / "frontier.db", isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(1.5)  # the answer has come, and waits to be committed
    process.send_signal(signal.SIGTERM)
    done = await ended(process, folder)
    assert done.status == 143
    assert "frontier.db: locked by another program for more than 10 s" in done.err
    locking.close()
    assert await whole_after(folder, "job/items.jsonl")
