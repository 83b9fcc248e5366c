"""Waiting costs nothing: `python -m benchmarks.waiting`.

1,000 hosts, each with a latency of its own between 0.1 and 2 s, are crawled with 1,000 requests in
flight (durable frontier, robots.txt, items to JSONL, `delay=0`), in turn with the same pages of
hosts that answer at once. Crawler and site have a core each. Prints, and promises:

- busy: how many of 1,000 requests were in flight as the site saw it, in the mean from a fifth to
  three quarters of its pages, while enough is queued: at least 95 %.
- CPU: milliseconds a page. A core that sleeps between two answers finds cold caches, so a plain
  loop (aiohttp, selectolax, urljoin, a JSON line; one task a host) is measured as well, at both: by
  waiting ours grows no more than 1.2 times as much as that.
- RSS: its growth from half of the pages to the end, at most 40 MB.
- fair: pages of each host between a fifth and half of all, of those hosts that still have some
  then: none has less than a third of the mean; the slowest tenth, and the last in the alphabet,
  have no less than 0.9 of the fastest, and of the first. (Each latency leaves room for more.)

`held up` is the time for which the crawler could have run and its core did something else: with
other programs on the machine, that is what slots are idle for. `--slower 4` makes all latencies
four times as long, so that it matters less. Exits with 1 if a promise is broken.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser

from benchmarks.generated import ON_ONE_CORE, Seen, Web, prepare, serving
from crawler import Item, Request, Response, Spider, crawl
from crawler.events import Event, PageDone

_CONCURRENCY = 1_000
_PER_HOST = 4


class Page(Item):
    url: str
    title: str


class Broad(Spider[Page], delay=0, per_host=_PER_HOST, concurrency=_CONCURRENCY):
    """Takes the title of every page."""

    def __init__(self, seeds: Sequence[str], pages: int) -> None:
        self.start_urls = seeds
        self.listeners = [self._hear]
        self._half = pages // 2
        self._done = 0
        self.rss_at_half = 0

    def parse(self, page: Response) -> Iterator[Page | list[Request]]:
        yield Page(url=page.url, title=page.text("title", default=""))
        yield page.follow_all()

    def _hear(self, event: Event) -> None:
        if isinstance(event, PageDone):
            self._done += 1
            if self._done == self._half:
                self.rss_at_half = rss_bytes()


class Figures(Struct, frozen=True):
    """What one crawl came to."""

    ms: float
    pages_a_second: float
    rss: float
    growth: float
    held_up: float
    seen: Seen

    @property
    def words(self) -> str:
        """All of it but what the site saw."""
        return (
            f"{self.ms:.3f} ms CPU a page, {self.pages_a_second:,.0f} pages/s, RSS {self.rss:.0f}"
            f" MB, {self.growth:+.1f} in its second half, {self.held_up:.0%} held up"
        )


async def plain(seeds: Sequence[str], output: Path) -> int:
    """Crawl the same pages in plain loops, one a host; return how many they are."""
    pages = 0

    async def loop(seed: str) -> None:
        nonlocal pages
        urls, seen = [seed], {seed}
        for url in urls:  # which grows
            async with session.get(url) as answer:
                tree = LexborHTMLParser(await answer.read())
            title = tree.css_first("title")
            lines.write(json.dumps({"url": url, "title": title.text() if title else ""}) + "\n")
            for anchor in tree.css("a[href]"):
                link = urljoin(url, anchor.attributes["href"])
                if link not in seen:
                    seen.add(link)
                    urls.append(link)
        pages += len(urls)

    connector = aiohttp.TCPConnector(limit=0)
    with open(output, "w") as lines:  # noqa: ASYNC230  # as plain as that
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*map(loop, seeds))
    return pages


def rss_bytes() -> int:
    """Return the resident memory of this process."""
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    return resident * resource.getpagesize()


def _held_up_seconds() -> float:
    """Return how long the main thread could have run and did not."""
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


def _child(seeds: Sequence[str], pages: int) -> None:
    spider = Broad(seeds, pages)
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        cpu = time.process_time()
        report = asyncio.run(crawl(spider, frontier="sqlite", output_dir=folder, min_free_bytes=0))
        cpu = time.process_time() - cpu
    figures = {
        "pages": report.pages,
        "failures": report.failure_count,
        "cpu": cpu,
        "seconds": report.seconds,
        "held_up": _held_up_seconds() / report.seconds,
        "rss": rss_bytes(),
        "growth": rss_bytes() - spider.rss_at_half,
    }
    print(json.dumps(figures))


def _plain_child(seeds: Sequence[str]) -> None:
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        cpu = time.process_time()
        pages = asyncio.run(plain(seeds, Path(folder) / "items.jsonl"))
        cpu = time.process_time() - cpu
    print(json.dumps({"pages": pages, "cpu": cpu}))


def _run(web: Web, *arguments: str) -> tuple[dict[str, Any], Seen]:
    """Have a child crawl a web; return its figures, and what the site saw."""
    with serving(web, cpu=1) as site:
        done = subprocess.run(
            [*ON_ONE_CORE, "benchmarks.waiting", *arguments, json.dumps(site.urls)],
            stdout=subprocess.PIPE,
            check=True,
        )
        figures = json.loads(done.stdout)
        seen = site.end()
    total = web.pages * len(web.latencies)
    if figures["pages"] != total or figures.get("failures"):
        raise SystemExit(f"expected {total:,} pages and no failure, got {figures}")
    return figures, seen


def _measure(latencies: Sequence[float], *, pages: int) -> Figures:
    web = Web(shape="star", pages=pages, latencies=latencies)
    total = pages * len(latencies)
    figures, seen = _run(web, "--total", str(total), "--child")
    return Figures(
        ms=figures["cpu"] / total * 1e3,
        pages_a_second=total / figures["seconds"],
        rss=figures["rss"] / 1e6,
        growth=figures["growth"] / 1e6,
        held_up=figures["held_up"],
        seen=seen,
    )


def _plain_ms(latencies: Sequence[float], *, pages: int) -> float:
    figures, _ = _run(Web(shape="star", pages=pages, latencies=latencies), "--plain-child")
    return float(figures["cpu"]) / (pages * len(latencies)) * 1e3


def _busy(seen: Seen, pages: int) -> tuple[float, float]:
    """Return the share of slots in flight, and how many seconds that was."""
    steady = [s for s in seen.samples if 0.2 * pages <= s[2] <= 0.75 * pages]
    mean = statistics.fmean(in_flight for _, in_flight, _ in steady)
    return mean / _CONCURRENCY, steady[-1][0] - steady[0][0]


def _fairness(seen: Seen, latencies: Sequence[float], pages: int) -> dict[str, float]:
    """Return pages of hosts by those of others: the least of any, slow by fast, late by early."""
    had = [half - fifth for fifth, half in zip(seen.fifth, seen.half, strict=True)]
    # Who has given all its pages could not give more.
    some = [host for host in range(len(had)) if seen.half[host] < pages]
    by_latency = sorted(some, key=lambda host: latencies[host])
    tenth = len(some) // 10

    def ratio(hosts: Sequence[int], others: Sequence[int]) -> float:
        return statistics.fmean(had[h] for h in hosts) / statistics.fmean(had[h] for h in others)

    return {
        "least": min(ratio([host], some) for host in some),
        "slow": ratio(by_latency[-tenth:], by_latency[:tenth]),
        "late": ratio(some[-tenth:], some[:tenth]),
    }


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--pages", type=int, default=60, help="of each host")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--total", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--plain-child", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, options.total)
    elif options.plain_child:
        _plain_child(options.plain_child)
    else:
        sys.exit(_compare(options))


def _compare(options: argparse.Namespace) -> bool:
    """Let the two take turns; return whether a promise is broken."""
    # Spread over the alphabet: neighbours in it have nothing in common.
    steps = [number * 617 % options.hosts for number in range(options.hosts)]
    latencies = [0.1 + 1.9 * step / max(1, options.hosts - 1) for step in steps]
    latencies = [latency * options.slower for latency in latencies]
    at_once = [0.0] * options.hosts
    broken = False
    growths: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(options.repeat):
        fast = _measure(at_once, pages=options.pages)
        print(f"at once: {fast.words}", flush=True)
        slow = _measure(latencies, pages=options.pages)
        broken |= _judge(slow, latencies, options.pages)
        growths["ours"].append(slow.ms / fast.ms)
        plain_fast = _plain_ms(at_once, pages=options.pages)
        plain_slow = _plain_ms(latencies, pages=options.pages)
        print(f"a plain loop: {plain_fast:.3f} and {plain_slow:.3f} ms CPU a page", flush=True)
        growths["plain"].append(plain_slow / plain_fast)
    ours, theirs = (statistics.median(growths[who]) for who in ("ours", "plain"))
    print(f"CPU a page by waiting: {ours - 1:+.0%}, a plain loop's {theirs - 1:+.0%}")
    return broken or ours > 1.2 * theirs


def _judge(figures: Figures, latencies: Sequence[float], pages: int) -> bool:
    """Print what a crawl of slow hosts came to; return whether a promise is broken."""
    busy, seconds = _busy(figures.seen, pages * len(latencies))
    fair = _fairness(figures.seen, latencies, pages)
    print(
        f"0.1-2 s: {figures.words}; {busy:.1%} busy over {seconds:.0f} s; no host has less than"
        f" {fair['least']:.2f} of the mean, slow ones have {fair['slow']:.2f} of fast ones',"
        f" late ones {fair['late']:.2f} of early ones'",
        flush=True,
    )
    starved = fair["least"] < 1 / 3 or min(fair["slow"], fair["late"]) < 0.9
    return busy < 0.95 or figures.growth > 40 or starved


if __name__ == "__main__":
    main()
