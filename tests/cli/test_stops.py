"""Ctrl-C and SIGTERM."""

import asyncio
import os
import select
import signal
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from tests.cli.command import Done, ended, start
from tests.site import Site

HELD = """
import asyncio, time
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str

class _Held(Spider[Page], delay=0, min_free_bytes=0, obey_robots=False):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(url=page.url)
        if page.depth:
            print("held", flush=True)
            await self.hold()
        yield page.follow_all()

class Waits(_Held):
    async def hold(self):
        await asyncio.sleep(1e9)

class Clings(_Held):
    async def hold(self):
        while True:
            try:
                await asyncio.sleep(1e9)
            except asyncio.CancelledError:
                pass

class Blocks(_Held):
    async def hold(self):
        time.sleep(1e9)

class Closes(_Held):
    async def hold(self):
        pass

    async def closed(self, report):
        print("held", flush=True)
        await asyncio.sleep(1e9)

class Threads(_Held):
    async def hold(self):
        await asyncio.to_thread(time.sleep, 1e9)
"""


@pytest.fixture
def held(folder: Path, site: Site) -> Path:
    """Spiders that keep every page but the first, on a site of two pages."""
    (folder / "spiders" / "held.py").write_text(HELD)
    site.page("/", links=["/next"])
    site.page("/next")
    return folder


async def begun(folder: Path, site: Site, spider: str, *words: str, lines: int = 1) -> Process:
    """Start a crawl; return when so many lines have come on standard output."""
    process = await start(folder, spider, "-a", f"start={site.url()}", *words)
    assert process.stdout is not None
    for _ in range(lines):
        assert await process.stdout.readline()
    return process


async def interrupt(process: Process, folder: Path, *, times: int) -> Done:
    """Send Ctrl-C, each one when the one before it was heard; return the end of it."""
    assert process.stderr is not None
    said = b""
    for number in range(times):
        if number:
            said += await process.stderr.readline()
        process.send_signal(signal.SIGINT)
    done = await ended(process, folder)
    return done._replace(err=said.decode() + done.err)


@pytest.mark.parametrize(
    ("number", "status", "name"),
    [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")],
)
async def test_the_first_signal_lets_pages_in_hand_finish(
    folder: Path, site: Site, number: signal.Signals, status: int, name: str
) -> None:
    site.page("/", links=["/slow", *(f"/{page}" for page in range(200))])
    site.slow("/slow", 0.3)
    process = await begun(folder, site, "site", "-o", "-", "-s", "per_host=1")
    while "/slow" not in site.paths:
        assert process.stdout is not None
        await process.stdout.readline()
    os.kill(process.pid, number)
    done = await ended(process, folder)
    assert done.status == status
    assert f"stopping on {name}: pages in hand get 8 s to finish" in done.err
    assert f"site: stopped by {name} after" in done.err
    assert {"url": site.url("/slow")} in done.lines("items.jsonl")
    assert done.report["queued"] == 201 - len(site.log) + 1
    assert "stopping on" in (done.run / "crawl.log").read_text()


async def test_a_page_that_hangs_is_given_up_after_stop_seconds(folder: Path, site: Site) -> None:
    site.page("/", links=["/hangs"])
    site.silent("/hangs")
    process = await begun(folder, site, "site", "-o", "-", "-s", "stop_seconds=0.1")
    done = await interrupt(process, folder, times=1)
    assert (done.status, done.report["queued"]) == (130, 1)
    assert done.lines("items.jsonl") == [{"url": site.url()}]


async def test_the_second_ctrl_c_ends_at_once_and_says_what_is_kept(
    folder: Path, site: Site
) -> None:
    site.page("/", links=["/1", "/2", "/hangs"])
    for path in ("/1", "/2"):
        site.page(path)
    site.silent("/hangs")
    process = await begun(folder, site, "site", "-o", "-", lines=3)
    done = await interrupt(process, folder, times=2)
    assert done.status == 130
    kept = f"3 pages and 3 items kept in {done.run.relative_to(folder)}"
    assert f"ended at once; {kept}" in done.err.splitlines()
    assert (done.report["reason"], done.report["pages"], done.report["queued"]) == ("SIGINT", 3, 1)
    assert len(done.lines("items.jsonl")) == len(done.lines("pages.jsonl")) == 3


@pytest.mark.parametrize("spider", ["waits", "threads"])
async def test_a_callback_that_never_ends_is_given_up_after_stop_seconds(
    held: Path, site: Site, spider: str
) -> None:
    process = await begun(held, site, spider, "-o", "-", "-s", "stop_seconds=0.1", lines=2)
    done = await interrupt(process, held, times=1)
    assert done.status == 130
    assert f"{spider}: stopped by Ctrl-C" in done.err
    assert done.lines("items.jsonl") == [{"url": site.url()}]


async def test_a_closed_that_never_ends_is_given_up_as_well(held: Path, site: Site) -> None:
    process = await begun(held, site, "closes", "-o", "-", "-s", "stop_seconds=0.1", lines=3)
    done = await interrupt(process, held, times=1)
    assert done.status == 130
    assert "closed() did not end in its time" in done.err
    assert len(done.lines("items.jsonl")) == 2


async def test_a_callback_that_catches_its_cancelling_ends_with_the_process(
    held: Path, site: Site
) -> None:
    process = await begun(held, site, "clings", "-o", "-", lines=2)
    done = await interrupt(process, held, times=2)
    assert done.status == 130
    assert "ended by force, a callback did not let go; 1 page and 1 item kept in" in done.err
    assert done.lines("items.jsonl") == [{"url": site.url()}]


async def test_one_ctrl_c_ends_a_callback_that_blocks_and_names_its_line(
    held: Path, site: Site
) -> None:
    process = await begun(held, site, "blocks", "-s", "stop_seconds=0")
    done = await interrupt(process, held, times=1)
    assert done.status == 130
    line = HELD[: HELD.index("time.sleep(1e9)")].count("\n") + 1
    assert f"ended by force, held.py:{line} did not let go" in done.err
    assert done.lines("items.jsonl") in ([], [{"url": site.url()}])


MANY = """
from crawler import Spider

class Many(Spider[dict], obey_robots=False):
    def __init__(self, start):
        self.start_urls = [start]

    async def parse(self, page):
        for number in range(1000):
            yield {"text": "x" * 1000}
"""


async def test_a_reader_of_standard_output_that_reads_nothing_is_named(
    folder: Path, site: Site
) -> None:
    (folder / "spiders" / "many.py").write_text(MANY)
    site.page("/")
    os.mkfifo(folder / "pipe")
    pipe = os.open(folder / "pipe", os.O_RDWR)
    words = ("many", "-a", f"start={site.url()}", "-o", "-")
    process = await start(folder, *words, before="exec", after="> pipe")
    while select.select([], [pipe], [], 0)[1]:  # noqa: ASYNC110  # it is not full yet
        await asyncio.sleep(0.02)
    done = await interrupt(process, folder, times=2)
    os.close(pipe)
    assert done.status == 130
    assert "ended by force, whoever reads standard output did not let go; 1 page" in done.err
    assert len(done.lines("items.jsonl")) == 1000
