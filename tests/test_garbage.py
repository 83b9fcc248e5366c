"""What a page leaves is freed with it."""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

from crawler import Item, Response, Spider, crawl
from tests.site import Site


class Page(Item):
    url: str


class Pages(Spider[Page], delay=0):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> AsyncIterator[object]:
        await page.fetch("/beside")
        yield Page(url=page.url)
        yield page.follow_all(page.css("a"))


async def test_a_page_leaves_no_garbage_for_the_collector(site: Site, tmp_path: Path) -> None:
    site.page("/beside")
    for number in range(1, 256):
        site.page(f"/{number}", links=[f"/{n}" for n in (2 * number, 2 * number + 1) if n < 256])
    garbage = {}
    for start in (128, 1):
        gc.collect()
        gc.disable()
        try:
            report = await crawl(Pages(site.url(f"/{start}")), output_dir=str(tmp_path))
            garbage[report.pages] = gc.collect()
        finally:
            gc.enable()
    assert list(garbage) == [1, 255]
    assert garbage[255] - garbage[1] < 255, garbage
