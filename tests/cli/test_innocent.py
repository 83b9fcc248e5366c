"""Who is to blame for the death of a process."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.cli.command import crawl, ended, lines, start
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


async def test_a_page_that_kills_before_what_brought_it_is_committed_fails_as_soon(
    folder: Path, site: Site
) -> None:
    (folder / "spiders" / "kills.py").write_text(KILLS)
    site.page("/", links=["/kills"])
    site.page("/kills")
    words = ("kills", "-a", f"start={site.url()}", "--job", "run")
    statuses = [(await crawl(folder, *words)).status for _ in range(4)]
    assert statuses == [-signal.SIGKILL] * 3 + [0]
    assert site.paths.count("/kills") == 3
    (item,) = lines(folder / "run" / "items.jsonl")
    assert item["url"] == site.url()
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


NEIGHBOURS = """
import asyncio, os, signal, time
from crawler import Request, Spider

class Kills(Spider[dict], delay=0, per_host=16, min_free_bytes=0, obey_robots=False):
    def __init__(self, site: str, how: str = "") -> None:
        self.site, self.how = site, how

    async def start(self):
        for number in range(10):
            yield Request(f"{self.site}{number}")

    async def parse(self, page):
        await asyncio.sleep(0.1)
        if page.url.endswith("5") and self.how == "thread":
            await asyncio.to_thread(self.kill)
        if page.url.endswith("5") and self.how == "segfault":
            import ctypes
            ctypes.string_at(0)
        await asyncio.sleep(0.3)
        yield {"url": page.url}

    def kill(self):
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)

    async def on_error(self, failure):
        if self.how == "on_error":
            os._exit(9)
"""


@pytest.fixture
def ten(folder: Path, site: Site) -> Site:
    """Ten pages, which one spider crawls all at once."""
    (folder / "spiders" / "kills.py").write_text(NEIGHBOURS)
    for number in range(10):
        site.page(f"/{number}")
    return site


async def lives(folder: Path, site: Site, *words: str) -> list[int]:
    """Start a run until it ends by itself; return the exit statuses."""
    statuses: list[int] = []
    while not statuses or statuses[-1] not in (0, 1):
        given = ("kills", "-a", f"site={site.url()}", "--job", "run", *words)
        statuses.append((await crawl(folder, *given)).status)
        assert len(statuses) < 9
    return statuses


def delivered(folder: Path, site: Site) -> list[str]:
    items = [item["url"] for item in lines(folder / "run" / "items.jsonl")]
    return sorted(str(url).removeprefix(site.url()) for url in items)


@pytest.mark.parametrize(("how", "deaths"), [("segfault", 3), ("thread", 4)])
async def test_those_who_wait_beside_a_page_that_kills_the_process_are_not_blamed(
    folder: Path, ten: Site, how: str, deaths: int
) -> None:
    statuses = await lives(folder, ten, "-a", f"how={how}")
    assert len(statuses) == deaths + 1
    assert delivered(folder, ten) == [str(n) for n in range(10) if n != 5]
    (failure,) = lines(folder / "run" / "failures.jsonl")
    assert (failure["url"], failure["kind"]) == (ten.url("/5"), "crash")


async def test_kills_from_outside_are_no_fault_of_callbacks_that_wait(
    folder: Path, ten: Site
) -> None:
    for _ in range(4):
        asked = len(ten.paths)
        process = await start(folder, "kills", "-a", f"site={ten.url()}", "--job", "run")
        async with asyncio.timeout(20):
            while len(ten.paths) == asked:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        process.kill()
        await process.communicate()
    assert (await lives(folder, ten)) == [0]
    assert delivered(folder, ten) == [str(n) for n in range(10)]


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_an_on_error_that_kills_its_process_is_not_told_for_ever(
    folder: Path, ten: Site, processes: str
) -> None:
    ten.page("/5", status=404)
    words = ("-a", "how=on_error", "--processes", processes)
    statuses = await lives(folder, ten, *words)
    assert statuses == ([9] * 4 + [0] if processes == "1" else [0])
    assert delivered(folder, ten) == [str(n) for n in range(10) if n != 5]
    (failure,) = lines(folder / "run" / "failures.jsonl")
    assert (failure["url"], failure["kind"]) == (ten.url("/5"), "crash")


BLOCKS = """
import time
from crawler import Spider

class Blocks(Spider[dict], delay=0, min_free_bytes=0, obey_robots=False, stop_seconds=0.2):
    def __init__(self, start: str, seconds: float) -> None:
        self.start_urls, self.seconds = [start], seconds

    def parse(self, page):
        open("begun", "w").close()
        time.sleep(self.seconds)
        yield {"url": page.url}
"""


async def test_a_callback_that_a_signal_ends_by_force_is_not_blamed(
    folder: Path, site: Site
) -> None:
    (folder / "spiders" / "blocks.py").write_text(BLOCKS)
    site.page("/")
    words = ("blocks", "-a", f"start={site.url()}", "-a", "seconds=20", "--job", "run")
    for _ in range(3):
        (folder / "begun").unlink(missing_ok=True)
        process = await start(folder, *words)
        async with asyncio.timeout(20):
            while not (folder / "begun").exists():  # noqa: ASYNC110  # a file
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert (await ended(process, folder)).status == 130
    (folder / "spiders" / "blocks.py").write_text(BLOCKS.replace("self.seconds)", "0)"))
    assert (await crawl(folder, *words)).status == 0
    assert len(lines(folder / "run" / "items.jsonl")) == 1
