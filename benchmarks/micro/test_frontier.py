"""Frontiers of 40,000 known URLs, half of them crawled: batches of 256."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.frontier import Web
from benchmarks.micro.conftest import Measure
from crawler.frontier.memory import MemoryFrontier
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from crawler.protocols import Frontier
from crawler.request import Request

HOSTS, KNOWN, BATCH = 200, 40_000, 256
REST = 0.5


class Crawl:
    """A frontier behind plain calls; its clock is moved by hand, so that no host has to rest."""

    def __init__(self, runner: asyncio.Runner, folder: Path | None) -> None:
        self._run = runner.get_loop().run_until_complete
        self._now = 1e9
        self._most = KNOWN
        options: dict[str, Any] = {
            "clock": lambda: self._now,
            "batch": lambda notes: self._most,
            "ask_notes": False,
        }
        self._frontier: Frontier = (
            MemoryFrontier(**options) if folder is None else SqliteFrontier(folder, **options)
        )
        self._web = Web(HOSTS, rounds=KNOWN // HOSTS)
        self._numbers = count()
        self._random = random.Random(4)
        self._run(self._frontier.open())
        self.commit(Batch(found=self.new(KNOWN)))
        self.commit(self.visited(self.lease(KNOWN // 2)))
        self._most = 4

    def close(self) -> None:
        self._run(self._frontier.aclose())

    def new(self, number: int) -> list[Request]:
        return [self._web.page(next(self._numbers)) for _ in range(number)]

    def known(self, number: int) -> list[Request]:
        return [self._web.page(self._random.randrange(KNOWN)) for _ in range(number)]

    def lease(self, number: int = BATCH) -> list[Request]:
        leases = self._run(self._frontier.lease(number))
        return [request for lease in leases for request in lease.requests]

    def commit(self, batch: Batch) -> None:
        self._run(self._frontier.commit(batch))

    def visited(self, pages: list[Request], *, new: int = 0, known: int = 0) -> Batch:
        """Return what visits to `pages` came to, with so many links found, all together."""
        self._now += REST
        return Batch(
            settled=pages,
            pages=Counter(page.host for page in pages),
            found=self.new(new) + self.known(known),
            due={page.host: self._now for page in pages},
            answers={page.host: (1, 0.1) for page in pages},
            counts={"pages": len(pages), "status.200": len(pages), "bytes": 10_000},
            position={"items.jsonl": int(self._now), "pages.jsonl": int(self._now)},
        )


@pytest.fixture(params=["memory", "sqlite"])
def crawl(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crawl]:
    with asyncio.Runner() as runner:
        crawl = Crawl(runner, tmp_path if request.param == "sqlite" else None)
        yield crawl
        crawl.close()


@pytest.mark.benchmark(group="frontier: offer 256 new URLs")
def test_new_urls(measure: Measure, crawl: Crawl) -> None:
    measure(crawl.commit, fresh=lambda: Batch(found=crawl.new(BATCH)))


@pytest.mark.benchmark(group="frontier: offer 256 known URLs")
def test_known_urls(measure: Measure, crawl: Crawl) -> None:
    measure(crawl.commit, fresh=lambda: Batch(found=crawl.known(BATCH)))


@pytest.mark.benchmark(group="frontier: lease 256 requests")
def test_leases(measure: Measure, crawl: Crawl) -> None:
    pages: list[Request] = []

    def fresh() -> int:
        crawl.commit(crawl.visited(pages, new=BATCH))
        return BATCH

    def work(number: int) -> list[Request]:
        pages[:] = crawl.lease(number)
        return pages

    assert len(measure(work, fresh=fresh)) == BATCH


@pytest.mark.benchmark(group="frontier: commit 256 visits")
@pytest.mark.parametrize("links", [0, 24], ids=["no links", "24 links each, 1 new"])
def test_visits(measure: Measure, crawl: Crawl, links: int) -> None:
    def fresh() -> Batch:
        if links:
            return crawl.visited(crawl.lease(), new=BATCH, known=BATCH * (links - 1))
        crawl.commit(Batch(found=crawl.new(BATCH)))  # so that the queue stays as long as it was
        return crawl.visited(crawl.lease())

    measure(crawl.commit, fresh=fresh)
    assert len(crawl.lease()) == BATCH
