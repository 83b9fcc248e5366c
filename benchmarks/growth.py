"""A long crawl neither slows down nor grows: `python -m benchmarks.growth`.

100,000 generated pages with 20 links each, from 4 addresses of an nginx on the other core, are
crawled with the durable frontier, robots.txt and items to JSONL. Each page has one link to a page
that is not known yet, from the first to the last. Prints pages a second, CPU milliseconds a page
and resident memory in each tenth. Promises, leaving out the first 1 %: pages/s in the last tenth at
least 0.95 of the first, and RSS at the end at most 40 MB above that at 10 %. Exits with 1 if a
promise is broken. `--by cpu` judges the speed by CPU time, where other programs disturb.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.generated import ON_ONE_CORE, prepare
from benchmarks.sites import serve
from benchmarks.waiting import rss_bytes
from crawler import Item, Request, Response, Spider, crawl
from crawler.events import Event, PageDone

_ADDRESSES = 4
_LINKS = 20
_AHEAD = 1_000
"""Pages that are known and not crawled, at each address, all the time."""
_WORDS = "<p>The harbour was quiet, and the kettle on the stove had not begun to sing.</p>\n"

Sample = tuple[int, float, float, int]
"""Pages done, seconds, CPU seconds, RSS in bytes."""


class Page(Item):
    url: str
    title: str
    links: int


class Long(Spider[Page], delay=0, per_host=8, concurrency=32):
    """Takes every page, and looks at the clock at each hundredth of the way."""

    def __init__(self, seeds: Sequence[str], pages: int) -> None:
        self.start_urls = seeds
        self.listeners = [self._hear]
        self.samples: list[Sample] = []
        self._step = max(1, pages // 100)
        self._done = 0

    def parse(self, page: Response) -> Iterator[Page | list[Request]]:
        links = page.follow_all()
        yield Page(url=page.url, title=page.text("title", default=""), links=len(links))
        yield links

    def _hear(self, event: Event) -> None:
        if isinstance(event, PageDone):
            self._done += 1
            if self._done % self._step == 0:
                now, cpu = time.perf_counter(), time.process_time()
                self.samples.append((self._done, now, cpu, rss_bytes()))


def write_pages(folder: Path, number: int) -> None:
    """Write so many pages: the index has links to the first, page n to the one `_AHEAD` of it."""
    draw = random.Random(1).randrange
    (folder / "index.html").write_text(_html("Index", range(min(_AHEAD, number))))
    for n in range(number):
        part = folder / str(n // 1000)
        if n % 1000 == 0:
            part.mkdir()
        new = [n + _AHEAD] if n + _AHEAD < number else []
        known = [draw(min(n + _AHEAD, number)) for _ in range(_LINKS - len(new))]
        (part / f"{n}.html").write_text(_html(f"Page {n}", [*new, *known]))


def _html(title: str, links: Sequence[int]) -> str:
    anchors = "".join(f'<li><a href="/{n // 1000}/{n}.html">Page {n}</a>\n' for n in links)
    text = f"<title>{title}</title>\n<ul>{anchors}</ul>\n{_WORDS * 12}"
    return f"<!doctype html>\n<html lang=en>\n{text}"


def _child(seeds: Sequence[str], pages: int) -> None:
    spider = Long(seeds, pages)
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(crawl(spider, frontier="sqlite", output_dir=folder, min_free_bytes=0))
    print(json.dumps([report.pages, spider.samples]))


def _measure(pages: int) -> list[Sample]:
    each = pages // _ADDRESSES - 1  # and an index
    with tempfile.TemporaryDirectory(prefix="bench-growth-", dir=_memory()) as folder:
        Path(folder).chmod(0o755)  # nginx's workers may be another user's
        write_pages(Path(folder), each)
        with serve(Path(folder), addresses=_ADDRESSES, cpu=1) as seeds:
            total = (each + 1) * _ADDRESSES
            done = subprocess.run(
                [*ON_ONE_CORE, "benchmarks.growth", "--child", json.dumps([list(seeds), total])],
                stdout=subprocess.PIPE,
                check=True,
            )
    got, samples = json.loads(done.stdout)
    if got != total:
        raise SystemExit(f"expected {total:,} pages, got {got:,}")
    return [tuple(sample) for sample in samples]


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _rates(samples: Sequence[Sample], first: int, last: int) -> tuple[float, float]:
    """Return pages a second, and CPU ms a page, between two hundredths of the way."""
    done, at, cpu, _ = samples[first - 1]
    done_2, at_2, cpu_2, _ = samples[last - 1]
    return (done_2 - done) / (at_2 - at), (cpu_2 - cpu) / (done_2 - done) * 1e3


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--by", choices=["time", "cpu"], default="time")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(*options.child)
        return
    samples = _measure(options.pages)
    tenths = [(1, 11), *((10 * n, 10 * n + 10) for n in range(1, 10))]
    for first, last in tenths:
        rate, ms = _rates(samples, first, last)
        rss = samples[last - 1][3] / 1e6
        print(f"{first:3}-{last:3} %: {rate:6,.0f} pages/s, {ms:.3f} ms CPU, RSS {rss:.1f} MB")
    (rate, ms), (rate_2, ms_2) = _rates(samples, *tenths[0]), _rates(samples, *tenths[-1])
    grown = (samples[-1][3] - samples[9][3]) / 1e6
    print(
        f"the last tenth has {rate_2 / rate:.3f} of the first one's pages/s"
        f" ({ms / ms_2:.3f} by CPU); RSS grew by {grown:.1f} MB"
    )
    kept = rate_2 / rate if options.by == "time" else ms / ms_2
    sys.exit(kept < 0.95 or grown > 40)


if __name__ == "__main__":
    main()
