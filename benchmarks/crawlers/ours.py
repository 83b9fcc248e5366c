"""Ours, as a user writes it: `python ours.py [--store] OUTPUT URL ...`.

Everything is on: robots.txt, politeness with `delay=0`, the durable frontier, items to JSONL.
`--store` keeps every page as a file as well. The run's folder is `runs` beside the output.
For the command line: `crawl ours.py -a seeds=URL,URL`.
"""

import asyncio
import sys
from pathlib import Path

from crawler import Item, Out, Response, Spider, crawl


class Page(Item):
    url: str
    title: str
    links: int


# As the others do, it parses every page: the contents of python3-doc are 2.6 MB, with 14,000 links.
class Docs(
    Spider[Page],
    accept="text/html",
    delay=0,
    per_host=16,
    concurrency=16,
    html_bytes=10_000_000,
):
    def __init__(self, seeds: str) -> None:
        self.start_urls = seeds.split(",")

    async def parse(self, page: Response) -> Out[Page]:
        anchors = page.css("a[href]")
        yield Page(url=page.url, title=page.text("title", default=""), links=len(anchors))
        yield page.follow_all()


async def main(output: str, seeds: list[str], *, store: bool) -> None:
    await crawl(
        Docs(",".join(seeds)),
        output=[output],
        output_dir=Path(output).parent / "runs",
        frontier="sqlite",
        pages="files" if store else "none",
        verify_tls=not seeds[0].startswith("https:"),
    )


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--store"]
    asyncio.run(main(arguments[0], arguments[1:], store="--store" in sys.argv))
