"""What a crawl that survives costs: `python benchmarks/durable.py [--repeat N]`.

Crawls the demo shop, served by another process, with `frontier=memory` and `frontier=sqlite` in
turn, and prints pages a second (medians), their ratio, and CPU milliseconds a page.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from crawler.app import crawl
from crawler.demo.spider import Demo

Kind = Literal["memory", "sqlite"]

_SERVE = """
import asyncio
from crawler.demo.shop import Shop
async def serve():
    async with Shop() as shop:
        print(shop.url, flush=True)
        await asyncio.Event().wait()
asyncio.run(serve())
"""


@contextmanager
def _shop() -> Iterator[str]:
    """Serve the shop until the block ends; gives its URL."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True
    ) as shop:
        assert shop.stdout is not None
        try:
            yield shop.stdout.readline().strip()
        finally:
            shop.terminate()


def _crawled(url: str, frontier: Kind) -> tuple[float, float]:
    """Return pages a second, and CPU seconds a page, of one crawl."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        report = asyncio.run(crawl(Demo(shop=url), frontier=frontier, output_dir=folder))
        cpu = time.process_time() - began
    if not report.finished:
        raise SystemExit(f"the crawl ended with {report.reason}: the figure would be a lie")
    return report.pages / report.seconds, cpu / report.pages


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    found: dict[Kind, list[tuple[float, float]]] = {"memory": [], "sqlite": []}
    with _shop() as url:
        _crawled(url, "memory")  # the shop is too busy for some pages the first time
        for _ in range(options.repeat):
            for frontier, figures in found.items():
                figures.append(_crawled(url, frontier))
    rates = {frontier: statistics.median(rate for rate, _ in found[frontier]) for frontier in found}
    for frontier, rate in rates.items():
        cpu = statistics.median(seconds for _, seconds in found[frontier]) * 1e3
        print(f"{frontier}: {rate:,.0f} pages/s, {cpu:.2f} ms CPU a page (of {options.repeat})")
    print(f"sqlite has {rates['sqlite'] / rates['memory']:.2f} of memory's pages/s")


if __name__ == "__main__":
    main()
