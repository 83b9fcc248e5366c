"""Ours, as a user writes it: `python ours.py OUTPUT URL ...`.

Everything is on: robots.txt, politeness with `delay=0`, the durable frontier, items to JSONL.
"""

import asyncio
import sys
import tempfile

from crawler import Item, Out, Response, Spider, crawl


class Page(Item):
    url: str
    title: str
    links: int


class Docs(Spider[Page], accept="text/html", delay=0, per_host=16):
    def __init__(self, seeds: list[str]) -> None:
        self.start_urls = seeds

    async def parse(self, page: Response) -> Out[Page]:
        anchors = page.css("a[href]")
        yield Page(url=page.url, title=page.text("title", default=""), links=len(anchors))
        yield page.follow_all(anchors)


async def main(output: str, seeds: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await crawl(Docs(seeds), output=[output], output_dir=folder, frontier="sqlite")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
