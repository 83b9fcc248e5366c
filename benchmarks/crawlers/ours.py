"""Ours, as a user writes it: `crawl ours.py -a seeds=URL,URL -o items.jsonl`.

Everything is on: robots.txt, politeness with `delay=0`, the durable frontier, checked items.
"""

from crawler import Item, Out, Response, Spider


class Page(Item):
    url: str
    title: str
    links: int


class Docs(
    Spider[Page],
    accept="text/html",
    delay=0,
    concurrency=64,
    per_host=16,
    # As the others do, it parses every page: the contents of python3-doc are 2.6 MB.
    html_bytes=10_000_000,
    verify_tls=False,
):
    def __init__(self, seeds: str) -> None:
        self.start_urls = seeds.split(",")

    async def parse(self, page: Response) -> Out[Page]:
        anchors = page.css("a[href]")
        yield Page(url=page.url, title=page.text("title", default=""), links=len(anchors))
        yield page.follow_all(anchors)
