"""Promises on items, as the command line keeps them."""

import signal
from pathlib import Path

import pytest

from tests.cli.command import crawl, ended
from tests.cli.lives import begun, grow
from tests.site import Site


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_a_broken_promise_is_exit_status_4_and_the_closing_line_says_which(
    folder: Path, site: Site, processes: str
) -> None:
    grow(site)
    words = ("site", "-a", f"start={site.url()}", "--processes", processes)
    done = await crawl(folder, *words, "-s", "min_items=58", "-s", 'min_fill={"page.url": 1}')
    promise = "min_items: expected at least 58, got 57"
    assert (done.status, done.report["exit_status"]) == (4, 4)
    assert done.report["broken_promises"] == [promise]
    assert done.report["fill_rates"] == {"page": {"url": 1.0}}
    assert f"; broken promise: {promise}\n" in done.err
    assert done.report["reason"] == "finished"


async def test_quietly_it_is_one_line(folder: Path, site: Site) -> None:
    site.page("/")
    done = await crawl(folder, "site", "-a", f"start={site.url()}", "-q", "-s", "min_items=2")
    (line,) = done.err.splitlines()
    assert line.endswith("; broken promise: min_items: expected at least 2, got 1")
    assert done.status == 4


async def test_a_run_that_is_stopped_from_outside_is_not_judged_yet(
    folder: Path, site: Site
) -> None:
    grow(site)
    words = ("site", "-a", f"start={site.url()}", "-s", "min_items=58", "-s", "delay=0.1")
    process = await begun(folder, site, "/5", *words)
    process.send_signal(signal.SIGINT)
    stopped = await ended(process, folder)
    assert (stopped.status, stopped.report["broken_promises"]) == (130, [])
    done = await crawl(folder, "site", "--resume", "-s", "delay=0")
    assert (done.status, done.report["items"]) == (4, {"page": 57})


async def test_what_is_not_always_filled_is_in_the_closing_table(folder: Path, site: Site) -> None:
    site.page("/", links=["/a", "/b"])
    site.page("/a")
    site.page("/b")
    (folder / "spiders" / "site.py").write_text("""
from crawler import Spider

class Site(Spider[dict], delay=0, min_free_bytes=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page):
        yield {"url": page.url, "last": page.url[-1].strip("/"), "never": None, "twice": ""}
        yield page.follow_all()
""")
    done = await crawl(folder, "site", "-a", f"start={site.url()}", "-s", "max_drop_rate=0")
    assert done.table["filled"] == "last 66.66%"
    assert done.status == 0
