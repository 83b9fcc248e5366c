"""Several processes crawl one run."""

import asyncio
import itertools
import json
import os
import signal
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.cli.command import crawl, ended, lines, start
from tests.site import Site

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
PAGES = 60

SPIDER = """
import os, signal
from crawler import Item, Out, Response, Spider

class Page(Item):
    url: str
    links: list[str]

class Wide(
    Spider[Page], min_free_bytes=0, retries=1, obey_robots=False, allow_private="127.0.0.0/29"
):
    def __init__(self, start: str, fetches: bool = False, poison: str = "-") -> None:
        self.start_urls = [start]
        self.allowed_domains = ["127.0.0.%d" % n for n in (1, 2, 3, 4)]
        self.fetches, self.poison = fetches, poison

    async def parse(self, page: Response) -> Out[Page]:
        if page.url.endswith(self.poison):
            os.kill(os.getpid(), signal.SIGKILL)
        self.count("seen")
        links = sorted(link.url for link in page.links())
        if self.fetches:
            for link in links[::4]:
                self.count("fetched", (await page.fetch(link)).status == 200)
        yield Page(url=page.url, links=links)
        yield page.follow_all()

class Remembers(Wide):
    state: dict[str, int]
"""


class Slots:
    """Serves pages slowly, and sees how many requests each host has at once.

    From number `held` on they wait for `go`: so a run lasts until whoever joins it is there.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.held = PAGES
        self.go = asyncio.Event()
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def page(self, number: int, *, hosts: tuple[str, ...] = HOSTS) -> None:
        onward = [n % PAGES for n in range(number + 1, number + 4)]
        links = [self.site.url(f"/{n}", host=host) for host in hosts for n in onward]
        self.site.page(f"/{number}", links=links)
        ready = self.site._handlers[None, f"/{number}"]

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            self.at_once[request.host] += 1
            self.most[request.host] = max(self.most[request.host], self.at_once[request.host])
            await asyncio.sleep(0.02)
            if number >= self.held:
                await self.go.wait()
            self.at_once[request.host] -= 1
            return await ready(request)

        self.site.handle(f"/{number}", answer)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "wide.py").write_text(SPIDER)
    return tmp_path


@pytest.fixture
async def wide() -> AsyncIterator[Slots]:
    """Four hosts of sixty pages, each with links to the next ones on every host."""
    async with Site(HOSTS) as site:
        slots = Slots(site)
        for number in range(PAGES):
            slots.page(number)
        yield slots


@pytest.fixture
async def narrow() -> AsyncIterator[Slots]:
    """One host of sixty pages."""
    async with Site() as site:
        slots = Slots(site)
        for number in range(PAGES):
            slots.page(number, hosts=HOSTS[:1])
        yield slots


def words(slots: Slots, *more: str, delay: float = 0, spider: str = "wide") -> list[str]:
    url = slots.site.url("/0")
    return [spider, "-a", f"start={url}", "-s", f"delay={delay}", "--job", "job", *more]


def whole(slots: Slots, hosts: tuple[str, ...] = HOSTS) -> Counter[str]:
    return Counter(slots.site.url(f"/{n}", host=host) for host in hosts for n in range(PAGES))


def kept(folder: Path) -> Counter[str]:
    return Counter(str(line["url"]) for line in lines(folder / "job" / "items.jsonl"))


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "job" / "stats.json").read_text())
    return found


def asked(slots: Slots) -> Counter[str]:
    return Counter(f"http://{hit.host}{hit.path}" for hit in slots.site.log)


def workers(process: Process) -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(number) for number in text.split()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def until(number: int, slots: Slots) -> None:
    """Wait until so many requests have come."""
    async with asyncio.timeout(30):
        while len(slots.site.log) < number:  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.01)


async def joined(folder: Path, number: int) -> None:
    """Wait until so many processes have joined the run, counted from its beginning."""
    async with asyncio.timeout(30):
        while len(list((folder / "job").glob("parts/*"))) < number:  # noqa: ASYNC110  # files
            await asyncio.sleep(0.01)


async def all_gone(pids: list[int]) -> None:
    async with asyncio.timeout(10):
        while not all(map(is_gone, pids)):  # noqa: ASYNC110  # no children of ours
            await asyncio.sleep(0.02)


async def test_two_processes_fetch_each_page_once_into_one_export(
    folder: Path, wide: Slots
) -> None:
    done = await crawl(folder, *words(wide, "--processes", "2", "-o", "x.csv", "-o", "x.json"))
    assert done.status == 0, done.err
    assert kept(folder) == asked(wide) == whole(wide)
    assert report(folder)["pages"] == report(folder)["counts"]["user.seen"] == 4 * PAGES
    assert len((folder / "x.csv").read_text().splitlines()) == 4 * PAGES + 1
    assert len(json.loads((folder / "x.json").read_text())) == 4 * PAGES
    assert len(lines(folder / "job" / "pages.jsonl")) == 4 * PAGES
    assert not (folder / "job" / "parts").exists()
    assert max(wide.most.values()) <= 2


async def test_a_single_host_is_shared_in_slots_within_per_host(
    folder: Path, narrow: Slots
) -> None:
    done = await crawl(folder, *words(narrow, "--processes", "2", "-s", "per_host=4", "-v"))
    assert done.status == 0, done.err
    assert kept(folder) == asked(narrow) == whole(narrow, HOSTS[:1])
    assert max(narrow.most.values()) <= 4


@pytest.mark.parametrize("count", [1, 2])
async def test_a_hosts_delay_holds_over_processes(folder: Path, wide: Slots, count: int) -> None:
    more = ("--processes", str(count), "--max-pages", "60")
    assert (await crawl(folder, *words(wide, *more, delay=0.1))).status == 0
    for host in HOSTS:
        times = [hit.time for hit in wide.site.log if hit.host.startswith(host + ":")]
        gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
        assert len(gaps) > 5
        assert min(gaps) > 0.05  # the server is late itself
        assert sorted(gaps)[len(gaps) // 2] > 0.09


@pytest.mark.parametrize("delay", [0, 0.02])
async def test_callbacks_fetch_from_hosts_that_another_process_holds(
    folder: Path, wide: Slots, delay: float
) -> None:
    more = ("-a", "fetches=true", "--processes", "2", "--max-pages", "60", "-s", "per_host=1")
    done = await crawl(folder, *words(wide, *more, delay=delay))
    assert done.status == 0, done.err
    assert report(folder)["pages"] == 60
    assert report(folder)["counts"]["user.fetched"] == 3 * 60
    assert max(wide.most.values()) == 1


@pytest.mark.parametrize("limit", ["pages", "items"])
async def test_a_limit_is_of_all_processes_together(folder: Path, wide: Slots, limit: str) -> None:
    done = await crawl(folder, *words(wide, "--processes", "3", f"--max-{limit}", "50"))
    assert done.status == 0, done.err
    assert report(folder)["reason"] == f"max_{limit}"
    assert kept(folder).total() == report(folder)["pages"] == 50
    done = await crawl(folder, *words(wide, f"--max-{limit}", "90"))
    assert kept(folder).total() == report(folder)["pages"] == 90


async def test_a_process_with_nothing_left_to_do_keeps_no_pages_of_max_pages(folder: Path) -> None:
    async with Site(HOSTS[:2]) as site:
        for host, number in ((HOSTS[0], 60), (HOSTS[1], 6)):
            for n in range(number):
                below = [site.url(f"/{m}", host=host) for m in (2 * n + 1, 2 * n + 2) if m < number]
                site.page(f"/{n}", links=below, host=host)
        site.page("/both", links=[site.url("/0", host=host) for host in HOSTS[:2]])
        more = ("-a", f"start={site.url('/both')}", "--processes", "2", "--max-pages", "30")
        done = await crawl(folder, *words(Slots(site), *more, delay=0.1))
    assert done.status == 0, done.err
    assert report(folder)["pages"] == 30


async def test_a_worker_that_is_killed_is_followed_by_another(folder: Path, wide: Slots) -> None:
    process = await start(folder, *words(wide, "--processes", "2", "-v"))
    for number in (40, 100):
        await until(number, wide)
        os.kill(workers(process)[0], signal.SIGKILL)
    done = await ended(process, folder)
    assert done.status == 0, done.err
    assert done.err.count("another takes its place") == 2
    assert kept(folder) == whole(wide)
    again = asked(wide) - whole(wide)
    assert again.total() <= 2 * 32  # what a process has in hand, at each kill


@pytest.mark.parametrize("resumes", [False, True])
async def test_a_host_is_not_asked_too_soon_when_whoever_asked_it_is_killed(
    folder: Path, narrow: Slots, resumes: bool
) -> None:
    given = words(narrow, "--processes", "2", "--max-pages", "2", delay=3)
    process = await start(folder, *given)
    await until(1, narrow)
    pids = workers(process)
    if resumes:
        process.kill()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    done = await ended(process, folder)
    if resumes:
        done = await crawl(folder, *given)
    assert done.status == 0, done.err
    times = [hit.time for hit in narrow.site.log]
    assert len(times) == 3  # the first page is asked for again
    assert min(later - sooner for sooner, later in itertools.pairwise(times)) > 2.9


async def test_workers_end_with_the_process_that_started_them(folder: Path, wide: Slots) -> None:
    process = await start(folder, *words(wide, "--processes", "2"))
    await until(60, wide)
    pids = workers(process)
    process.kill()
    await process.wait()
    await all_gone(pids)
    done = await crawl(folder, *words(wide, "--processes", "2"))
    assert done.status == 0
    assert kept(folder) == whole(wide)


async def test_ctrl_c_ends_all_and_nothing_is_fetched_again(folder: Path, wide: Slots) -> None:
    process = await start(folder, *words(wide, "--processes", "2"))
    await until(60, wide)
    pids = workers(process)
    process.send_signal(signal.SIGINT)
    assert (await ended(process, folder)).status == 130
    assert all(map(is_gone, pids))
    assert asked(wide) == kept(folder)
    assert (await crawl(folder, *words(wide))).status == 0
    assert asked(wide) == kept(folder) == whole(wide)


async def test_a_page_that_kills_its_process_fails_in_the_end(folder: Path, wide: Slots) -> None:
    done = await crawl(folder, *words(wide, "--processes", "2", "-a", "poison=/7"))
    assert done.status == 0, done.err
    failed = lines(folder / "job" / "failures.jsonl")
    assert Counter(line["kind"] for line in failed) == {"crash": 4}
    poison = Counter(wide.site.url("/7", host=host) for host in HOSTS)
    assert Counter(str(line["url"]) for line in failed) == poison
    assert kept(folder) == whole(wide) - poison
    assert report(folder)["counts"]["crashes"] >= 3 * 4


async def test_a_process_joins_a_run_that_is_crawled_and_its_lines_are_joined(
    folder: Path, wide: Slots
) -> None:
    wide.held = 20
    first = await start(folder, *words(wide))
    await until(10, wide)
    other = await start(folder, "wide", "--join", "job")
    await joined(folder, 1)
    wide.go.set()
    first_done, second = await asyncio.gather(ended(first, folder), ended(other, folder))
    assert first_done.status == 0, first_done.err
    assert second.status == 0, second.err
    assert "joining job: " in second.err
    assert kept(folder) == asked(wide) == whole(wide)
    again = await crawl(folder, "wide", "--join", "job")
    assert (again.status, "nobody crawls it now" in again.err) == (2, True)


async def test_the_last_process_ends_a_run_whose_first_one_died(folder: Path, wide: Slots) -> None:
    wide.held = 20
    first = await start(folder, *words(wide))
    await until(10, wide)
    second = await start(folder, "wide", "--join", "job")
    await joined(folder, 1)
    first.kill()
    await first.wait()
    wide.go.set()
    assert (await ended(second, folder)).status == 0
    assert kept(folder) == whole(wide)
    assert report(folder)["finished"]


async def test_ctrl_c_ends_the_first_of_several_though_somebody_joined_by_hand(
    folder: Path, wide: Slots
) -> None:
    first = await start(folder, *words(wide, "--processes", "2", delay=0.2))
    await until(10, wide)
    second = await start(folder, "wide", "--join", "job", "-s", "delay=0.2")
    await joined(folder, 3)
    first.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        assert (await ended(first, folder)).status == 130
    assert second.returncode is None
    assert not report(folder)["finished"]
    second.send_signal(signal.SIGINT)
    assert (await ended(second, folder)).status == 130
    done = await crawl(folder, *words(wide))
    assert done.status == 0, done.err
    assert kept(folder) == asked(wide) == whole(wide)


async def test_of_several_that_end_together_one_joins_the_files(folder: Path, wide: Slots) -> None:
    wide.held = 20
    first = await start(folder, *words(wide))
    await until(10, wide)
    others = [await start(folder, "wide", "--join", "job") for _ in range(3)]
    await joined(folder, 3)
    first.kill()
    await first.wait()
    wide.go.set()
    done = await asyncio.gather(*(ended(other, folder) for other in others))
    assert [one.status for one in done] == [0] * 3, [one.err for one in done]
    assert kept(folder) == whole(wide)
    assert report(folder)["finished"]


async def test_state_belongs_to_one_process(folder: Path, wide: Slots) -> None:
    url = wide.site.url("/0")
    path = "spiders/wide.py:Remembers"
    done = await crawl(folder, path, "-a", f"start={url}", "--processes", "2")
    assert done.status == 2
    assert "self.state belongs to one process" in done.err


async def test_workers_that_cannot_begin_end_the_crawl(folder: Path, wide: Slots) -> None:
    text = SPIDER + "\nimport sys\nif '--worker' in sys.argv: os.kill(os.getpid(), 9)\n"
    (folder / "spiders" / "wide.py").write_text(text)
    done = await crawl(folder, *words(wide, "--processes", "2"))
    assert done.status == 1
    assert "die as soon as they begin" in done.err


SLOW = """
import os, sys, time
if "--worker" not in sys.argv:
    write = os.pwrite
    def slowly(fd, data, at):
        time.sleep(0.25)
        return write(fd, data, at)
    os.pwrite = slowly
"""


async def test_lines_come_once_though_the_workers_end_while_a_slow_disk_takes_some(
    folder: Path, wide: Slots
) -> None:
    (folder / "slow").mkdir()
    (folder / "slow" / "sitecustomize.py").write_text(SLOW)
    done = await crawl(folder, *words(wide, "--processes", "2"), PYTHONPATH=str(folder / "slow"))
    assert done.status == 0, done.err
    assert kept(folder) == whole(wide)
    assert len(lines(folder / "job" / "pages.jsonl")) == report(folder)["pages"] == len(whole(wide))
