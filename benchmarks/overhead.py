"""What the crawl itself costs a page: CPU of engine, pacer, frontier and committer.

`python benchmarks/overhead.py [--pages N] [--hosts N] [--repeat N] [--frontier sqlite]` crawls N
pages that an instant fake fetch answers: no network, no parsing, no files but the frontier's.
Prints the median of CPU microseconds a page.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from crawler.callbacks import Callbacks
from crawler.engine import Engine
from crawler.export.pages import NoPages
from crawler.frontier.memory import MemoryFrontier
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import HostNotes, Position
from crawler.pipeline import Pipeline
from crawler.protocols import Frontier
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.rules.book import RobotsBook
from crawler.rules.scope import Scope
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.turns import Turns


class _NoSpool:
    """Takes lines and keeps none."""

    async def append(self, lines: Mapping[str, Sequence[bytes]]) -> Position:
        return {}

    async def committed(self, position: Position, items: Sequence[object]) -> None:
        return None

    async def aclose(self) -> None:
        return None


class Tree(Spider[dict[str, int]]):
    """Every page has ten links: two new ones, eight that are known."""

    start_urls = ("http://host-0.example/0",)
    allowed_domains = ("*",)

    def __init__(self, pages: int, hosts: int) -> None:
        self._pages = pages
        self._hosts = hosts

    def parse(self, page: Response) -> list[object]:
        number = int(page.url.rpartition("/")[2])
        new = [n for n in (2 * number + 1, 2 * number + 2) if n < self._pages]
        old = [number - n for n in range(8) if number > n]
        return [{"n": number}, *(self._link(n) for n in (*new, *old))]

    def _link(self, number: int) -> Request:
        host = number % self._hosts
        return link_request(url=f"http://host-{host}.example/{number}", depth=1)


async def crawl(pages: int, hosts: int, *, folder: Path | None) -> float:
    """Return CPU seconds of one crawl; its frontier is in memory without a folder."""
    settings = Settings(delay=0.0, per_host=8, obey_robots=False)

    async def fetch(request: Request) -> Response:
        return Response(request.url, request=request, body=b"")

    loop = asyncio.get_running_loop()
    turns = Turns(settings, clock=loop.time, book=RobotsBook("bench"))
    spider = Tree(pages, hosts)
    callbacks = Callbacks(spider, scope=Scope(domains=spider.allowed_domains))
    stats = Stats(spider.name)

    def batch(notes: HostNotes) -> int:
        return turns.pace(notes).batch

    frontier: Frontier = (
        MemoryFrontier(clock=loop.time, batch=batch, ask_notes=False)
        if folder is None
        else SqliteFrontier(folder, clock=loop.time, batch=batch, ask_notes=False)
    )
    await frontier.open()
    engine = Engine(
        settings,
        frontier=frontier,
        fetch=fetch,
        turns=turns,
        callbacks=callbacks,
        pipeline=Pipeline(steps=(), kinds=callbacks.kinds, spool=_NoSpool(), store=NoPages()),
        stats=stats,
        clock=loop.time,
    )
    began = time.process_time()
    await engine.run()
    seconds = time.process_time() - began
    await frontier.aclose()
    if stats.pages != pages:
        raise SystemExit(f"crawled {stats.pages} pages of {pages}: the figure would be a lie")
    return seconds


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=20_000)
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--frontier", choices=("memory", "sqlite"), default="memory")
    options = parser.parse_args()
    costs = []
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory() as folder:
            where = Path(folder) if options.frontier == "sqlite" else None
            seconds = asyncio.run(crawl(options.pages, options.hosts, folder=where))
            costs.append(seconds / options.pages * 1e6)
    print(
        f"{statistics.median(costs):.1f} µs CPU a page (median of {options.repeat}; "
        f"{min(costs):.1f} to {max(costs):.1f}); {options.pages:,} pages, {options.hosts:,} hosts, "
        f"frontier={options.frontier}"
    )


if __name__ == "__main__":
    main()
