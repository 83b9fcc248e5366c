"""A chain of pages, each known only from the one before: `python -m benchmarks.chain`.

Ours (durable frontier, robots.txt, items to JSONL) and a plain sequential loop (aiohttp, selectolax
and a JSON line a page) take turns on one site, on another core, that answers at once or after 10
ms. Prints the milliseconds that a page takes (medians) and the ratios of the two: of the time from
the first page to the last, as the site saw it, and of the whole call with its opening and closing.
Exits with 1 if ours has less than 0.8 of the loop's pages a second at 10 ms, or than 0.6 at once.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
from selectolax.lexbor import LexborHTMLParser

from benchmarks.generated import ON_ONE_CORE, Web, prepare, serving
from crawler import Item, Request, Response, Spider, crawl

_PROMISES = {0.0: 0.6, 0.010: 0.8}
"""Latency of the site → least share of the loop's pages a second."""


class Page(Item):
    url: str
    title: str


class Chain(Spider[Page], delay=0):
    def parse(self, page: Response) -> Iterator[Page | list[Request]]:
        yield Page(url=page.url, title=page.text("title", default=""))
        yield page.follow_all(css="li a")


async def ours(folder: Path, url: str, frontier: str) -> int:
    """Crawl the chain; return the number of pages."""
    spider = Chain()
    spider.start_urls = [f"{url}0"]
    report = await crawl(
        spider,
        frontier="memory" if frontier == "memory" else "sqlite",
        output_dir=str(folder),
        min_free_bytes=0,
    )
    return report.pages


async def loop(folder: Path, url: str) -> int:
    """Do the same in a plain loop; return the number of pages."""
    link: str | None = f"{url}0"
    seen: set[str] = set()
    with open(folder / "items.jsonl", "w") as lines:  # noqa: ASYNC230  # as plain as that
        async with aiohttp.ClientSession() as session:
            while link is not None:
                seen.add(link)
                async with session.get(link) as answer:
                    body = await answer.read()
                tree = LexborHTMLParser(body)
                title = tree.css_first("title")
                item = {"url": link, "title": title.text() if title else ""}
                lines.write(json.dumps(item) + "\n")
                links = [urljoin(link, a.attributes["href"] or "") for a in tree.css("li a")]
                link = next((found for found in links if found not in seen), None)
    return len(seen)


def _child(who: str, url: str) -> None:
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.process_time()
        work = loop(Path(folder), url) if who == "loop" else ours(Path(folder), url, who)
        pages = asyncio.run(work)
        figures = {
            "pages": pages,
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
        }
    print(json.dumps(figures))


def _measure(who: str, *, latency: float, pages: int) -> dict[str, float]:
    """Return milliseconds a page: on the `way` from first to last, of the `whole`, of `cpu`."""
    web = Web(shape="chain", pages=pages, latencies=[latency])
    with serving(web, cpu=1) as site:
        done = subprocess.run(
            [*ON_ONE_CORE, "benchmarks.chain", "--child", who, site.urls[0]],
            stdout=subprocess.PIPE,
            check=True,
        )
        figures = json.loads(done.stdout)
        seen = site.end()
    if figures["pages"] != pages:
        raise SystemExit(f"{who} got {figures['pages']} of {pages} pages")
    return {
        "way": seen.arrived / (pages - 1) * 1e3,
        "whole": figures["seconds"] / pages * 1e3,
        "cpu": figures["cpu"] / pages * 1e3,
    }


def _compare(latency: float, *, who: list[str], pages: int, repeat: int) -> float:
    """Measure all in turn, and print; return ours' share of the loop's pages a second."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in who}
    for _ in range(repeat):
        for name, figures in found.items():
            figures.append(_measure(name, latency=latency, pages=pages))
    median = {
        name: {key: statistics.median(f[key] for f in figures) for key in figures[0]}
        for name, figures in found.items()
    }
    for name, ms in median.items():
        share = {key: median["loop"][key] / ms[key] for key in ms}
        print(
            f"latency {latency * 1e3:2.0f} ms  {name:7} {ms['way']:7.3f} ms a page, CPU"
            f" {ms['cpu']:.3f}; {share['way']:.2f} of the loop (whole call {share['whole']:.2f})",
            flush=True,
        )
    return median["loop"]["way"] / median["ours"]["way"]


def main() -> None:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="the memory frontier as well")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(*options.child)
        return
    who = ["loop", "ours", *(["memory"] if options.memory else [])]
    broken = False
    for latency, least in _PROMISES.items():
        share = _compare(latency, who=who, pages=options.pages, repeat=options.repeat)
        if share < least:
            broken = True
            print(f"broken: {share:.2f} of the loop's pages a second, not {least}")
    sys.exit(broken)


if __name__ == "__main__":
    main()
