"""The pages a sitemap names: `crawl sitemap -a site=https://www.example.org/`."""

from crawler import Item, Out, Response, Spider


class Entry(Item):
    url: str
    title: str


class Sitemap(Spider[Entry]):
    def __init__(self, site: str) -> None:
        self.sitemaps = [f"{site.rstrip('/')}/robots.txt"]

    async def parse(self, page: Response) -> Out[Entry]:
        yield Entry(url=page.url, title=page.text("title", default=""))
