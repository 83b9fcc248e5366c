"""Who is to blame for the death of a process."""

import signal
from pathlib import Path

from tests.cli.command import crawl, lines
from tests.site import Site

KILLS = """
import os, signal
from crawler import Spider

class Kills(Spider[dict], delay=0, min_free_bytes=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page):
        if page.url.endswith("/kills"):
            os.kill(os.getpid(), signal.SIGKILL)
        if page.url.endswith("/waits"):
            await page.fetch("/late")
        yield {"url": page.url}
        yield page.follow_all()
"""


async def test_a_page_that_waits_for_another_is_not_blamed_for_the_death_of_its_process(
    folder: Path, site: Site
) -> None:
    (folder / "spiders" / "kills.py").write_text(KILLS)
    site.page("/", links=["/waits", "/kills"])
    site.page("/waits")
    site.slow("/kills", 0.2)
    site.slow("/late", 0.5)
    words = ("kills", "-a", f"start={site.url()}", "--job", "run")
    statuses = [(await crawl(folder, *words)).status for _ in range(4)]
    assert statuses == [-signal.SIGKILL] * 3 + [0]
    assert site.paths.count("/late") == 4
    items = lines(folder / "run" / "items.jsonl")
    assert sorted(item["url"] for item in items) == [site.url(), site.url("/waits")]
    (failure,) = lines(folder / "run" / "failures.jsonl")
    assert (failure["url"], failure["kind"]) == (site.url("/kills"), "crash")


STEP = """
def kills(item):
    if item["url"].endswith("/kills"):
        os.kill(os.getpid(), signal.SIGKILL)
    return item

class Stepping(Kills):
    steps = [kills]

    async def parse(self, page):
        yield {"url": page.url}
        yield page.follow_all()
"""


async def test_an_item_that_kills_its_process_in_a_step_is_its_pages_failure(
    folder: Path, site: Site
) -> None:
    (folder / "spiders" / "kills.py").write_text(KILLS + STEP)
    site.page("/", links=["/kills", "/other"])
    site.page("/kills")
    site.page("/other")
    words = ("spiders/kills.py:Stepping", "-a", f"start={site.url()}", "--job", "run")
    statuses = [(await crawl(folder, *words)).status for _ in range(4)]
    assert statuses == [-signal.SIGKILL] * 3 + [0]
    items = lines(folder / "run" / "items.jsonl")
    assert sorted(item["url"] for item in items) == [site.url(), site.url("/other")]
    (failure,) = lines(folder / "run" / "failures.jsonl")
    assert (failure["url"], failure["kind"]) == (site.url("/kills"), "crash")
