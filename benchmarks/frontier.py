"""What the frontier takes: `python benchmarks/frontier.py --urls N --hosts H [--memory]`.

Fills a SQLite frontier with N URLs of H hosts, half of them crawled and half of them queued, then
does what a crawl does: leases 64 requests, settles them, offers the 30 links of each (9 of them
new, 24 on the page's own host, the known ones from anywhere in the host). Each frontier runs in a
process of its own, on one core, and ends as if killed; another process opens what it left.

offered/s, leased/s, settled/s: URLs offered, requests leased and settled in a second of that step;
CPU the share of those seconds in which the core worked for us (the rest is the disk's, or taken by
other programs); `longest` is the longest of all steps, RSS the peak of resident memory, `opened`
how long the other process took to open the file. `--memory` puts the memory frontier beside it.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from crawler.frontier.memory import MemoryFrontier
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from crawler.protocols import Frontier
from crawler.request import Request, link_request

_PAGES, _LINKS, _NEW, _OWN = 64, 30, 9, 24
_FILL = 20_000
_DELAY = 0.5
_WORDS = ("autumn", "harbour", "kettle", "lantern", "meadow", "pepper", "saddle", "velvet")


class Web:
    """Page `n` is one of host `n % hosts`; `rounds` pages of each host are known."""

    def __init__(self, hosts: int, *, rounds: int) -> None:
        self._hosts = hosts
        self._rounds = rounds
        self._random = random.Random(rounds)

    def page(self, n: int, parent: str = "") -> Request:
        one, two = _WORDS[n * 7 % 8], _WORDS[n // 8 % 8]
        url = f"https://www.{one}-{n % self._hosts}.example/catalogue/{two}/{one}-{two}-{n}.html"
        return link_request(url=url, depth=3, parent=parent)

    def links(self, page: Request) -> list[Request]:
        draw = self._random.randrange
        own = int(page.url.rpartition("-")[2].removesuffix(".html")) % self._hosts
        hosts = [own] * _OWN + [draw(self._hosts) for _ in range(_LINKS - _OWN)]
        self._random.shuffle(hosts)
        rounds = [self._rounds + draw(2**40) for _ in range(_NEW)]
        rounds += [draw(self._rounds) for _ in range(_LINKS - _NEW)]
        return [
            self.page(round_ * self._hosts + host, page.url)
            for round_, host in zip(rounds, hosts, strict=True)
        ]


class Stopwatch:
    """How much of what was done in how many seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.done: dict[str, int] = {}
        self.longest = 0.0
        self._cpu = 0.0

    async def time(self, name: str, number: int, work: Awaitable[Any]) -> Any:
        began, cpu = time.perf_counter(), time.process_time()
        result = await work
        seconds = time.perf_counter() - began
        self._cpu += time.process_time() - cpu
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.done[name] = self.done.get(name, 0) + number
        self.longest = max(self.longest, seconds)
        return result

    def figures(self) -> dict[str, float]:
        rates = {name: self.done[name] / self.seconds[name] for name in self.done}
        cpu = self._cpu / sum(self.seconds.values())
        return {**rates, "longest": self.longest, "cpu": cpu}


class Bench:
    """One frontier, filled and used; its clock is moved by hand, so that no host has to rest."""

    def __init__(self, folder: str | None, *, urls: int, hosts: int) -> None:
        self.now = 1e9
        self._most = 4
        options: dict[str, Any] = {
            "clock": lambda: self.now,
            "batch": lambda notes: self._most,
            "ask_notes": False,
        }
        self._folder = Path(folder) if folder else None
        self.frontier: Frontier = (
            SqliteFrontier(self._folder, **options) if self._folder else MemoryFrontier(**options)
        )
        self._urls = urls
        self._web = Web(hosts, rounds=max(1, urls // hosts))

    async def fill(self) -> None:
        """Make URLs known, and settle every other one."""
        self._most = _FILL
        for first in range(0, self._urls, _FILL):
            numbers = range(first, min(first + _FILL, self._urls))
            await self.frontier.commit(Batch(found=[self._web.page(n) for n in numbers]))
            await self.frontier.commit(Batch(settled=await self._lease(len(numbers) // 2)))
        self._most = 4

    async def use(self, steps: int) -> dict[str, float]:
        """Lease, settle and offer; return the rates."""
        watch = Stopwatch()
        for _ in range(steps):
            self.now += _DELAY
            pages = await watch.time("leased", _PAGES, self._lease(_PAGES))
            batch = Batch(
                settled=pages,
                pages=Counter(page.host for page in pages),
                due={page.host: self.now + _DELAY for page in pages},
                answers={page.host: (1, 0.1) for page in pages},
                counts={"pages": len(pages), "status.200": len(pages), "bytes": 10_000},
                position={"items.jsonl": int(self.now), "pages.jsonl": int(self.now)},
            )
            await watch.time("settled", len(pages), self.frontier.commit(batch))
            found = [link for page in pages for link in self._web.links(page)]
            await watch.time("offered", len(found), self.frontier.commit(Batch(found=found)))
        return watch.figures()

    async def _lease(self, number: int) -> list[Request]:
        pages: list[Request] = []
        while len(pages) < number:
            leases = await self.frontier.lease(number - len(pages))
            pages += [request for lease in leases for request in lease.requests]
        return pages

    def file_bytes(self) -> int:
        if self._folder is None:
            return 0
        return sum(path.stat().st_size for path in self._folder.glob("frontier.db*"))


async def _measure(folder: str | None, *, urls: int, hosts: int, steps: int) -> dict[str, float]:
    bench = Bench(folder, urls=urls, hosts=hosts)
    await bench.frontier.open()
    await bench.fill()
    figures = await bench.use(steps)
    return {**figures, "file": bench.file_bytes(), "rss": _peak_bytes()}


async def _reopen(folder: str | None) -> dict[str, float]:
    bench = Bench(folder, urls=1, hosts=1)
    bench.now += 1e6  # later than anything that is due
    began = time.perf_counter()
    await bench.frontier.open()
    await bench.frontier.lease(_PAGES)
    return {"opened": time.perf_counter() - began}


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _apart(what: str, folder: str | None, **numbers: int) -> dict[str, float]:
    """Return what a process of its own measures."""
    task = json.dumps({"what": what, "folder": folder, **numbers})
    done = subprocess.run([sys.executable, __file__, "--task", task], stdout=-1, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _run_task(task: dict[str, Any]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    what = task.pop("what")
    work = _measure(**task) if what == "measure" else _reopen(**task)
    print(json.dumps(asyncio.run(work)), flush=True)
    os._exit(0)  # as a killed process ends: nothing is closed


def _print(kind: str, urls: int, hosts: int, figures: dict[str, float]) -> None:
    on_disk = (
        f"{figures['file'] / 1e6:7,.0f} MB{figures['opened']:7.2f} s" if kind != "memory" else ""
    )
    print(
        f"{kind:8}{urls:11,}{hosts:11,}{figures['offered']:11,.0f}{figures['leased']:10,.0f}"
        f"{figures['settled']:11,.0f}{figures['cpu']:6.0%}{figures['longest'] * 1e3:7,.0f} ms"
        f"{figures['rss'] / 1e6:7,.0f} MB{on_disk}",
        flush=True,
    )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--hosts", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--folder", help="where the files go (default: a temporary folder)")
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        _run_task(options.task)
    print(
        f"{'':8}{'URLs':>11}{'hosts':>11}{'offered/s':>11}{'leased/s':>10}{'settled/s':>11}{'CPU':>6}"
        f"{'longest':>10}{'RSS':>10}{'file':>10}{'opened':>9}"
    )
    for urls in options.urls:
        for hosts in options.hosts:
            numbers = {"urls": urls, "hosts": min(hosts, urls), "steps": options.steps}
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                figures = _apart("measure", folder, **numbers)
                figures |= _apart("reopen", folder)
                _print("sqlite", urls, hosts, figures)
            if options.memory:
                _print("memory", urls, hosts, _apart("measure", None, **numbers))


if __name__ == "__main__":
    main()
