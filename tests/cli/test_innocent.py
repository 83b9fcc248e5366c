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


BEGIN = """
import asyncio, os, signal
from pathlib import Path
from crawler import Request, Spider

class Kills(Spider[dict], delay=0, min_free_bytes=0, obey_robots=False):
    def __init__(self, site: str, deaths: int, further: bool) -> None:
        self.site, self.deaths, self.further = site, deaths, further

    async def start(self):
        lives = Path("lives")
        life = int(lives.read_text()) if lives.exists() else 1
        for number in range(life if self.further else 1):
            yield Request(f"{self.site}{number}")
        await asyncio.sleep(1)
        lives.write_text(str(life + 1))
        if life <= self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)

    async def parse(self, page):
        yield {"url": page.url}
"""


async def test_a_start_that_kills_its_process_fails_in_the_end(folder: Path, site: Site) -> None:
    (folder / "spiders" / "kills.py").write_text(BEGIN)
    site.page("/0")
    words = ("-a", f"site={site.url()}", "-a", "deaths=5", "-a", "further=false", "--job", "run")
    done = [await crawl(folder, "kills", *words) for _ in range(4)]
    assert [one.status for one in done] == [-signal.SIGKILL] * 3 + [1]
    assert "crashed the process 3 times" in done[-1].err
    assert len(lines(folder / "run" / "items.jsonl")) == 1
    # Whoever starts it again means that it is mended.
    done = [await crawl(folder, "kills", *words) for _ in range(3)]
    assert [one.status for one in done] == [-signal.SIGKILL] * 2 + [0]
    assert len(lines(folder / "run" / "items.jsonl")) == 1


async def test_a_start_that_gets_further_with_each_death_goes_on(folder: Path, site: Site) -> None:
    (folder / "spiders" / "kills.py").write_text(BEGIN)
    for number in range(6):
        site.page(f"/{number}")
    words = ("-a", f"site={site.url()}", "-a", "deaths=5", "-a", "further=true", "--job", "run")
    done = [await crawl(folder, "kills", *words) for _ in range(6)]
    assert [one.status for one in done] == [-signal.SIGKILL] * 5 + [0]
    items = [item["url"] for item in lines(folder / "run" / "items.jsonl")]
    assert sorted(items) == [site.url(f"/{number}") for number in range(6)]
