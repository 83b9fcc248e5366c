"""The pages a site's sitemaps name: `crawl sitemap -a site=https://www.example.org/`."""

from crawler import Item, Out, Response, Spider
from crawler.urls import canonicalize, join


class Entry(Item, key="url"):
    url: str
    title: str
    description: str | None


class Sitemap(Spider[Entry], accept="html"):
    """Titles and descriptions of the pages that a site's sitemaps name."""

    def __init__(self, site: str) -> None:
        self.sitemaps = [join(canonicalize(site), "/robots.txt")]  # which names them

    async def parse(self, page: Response) -> Out[Entry]:
        yield Entry(
            url=page.url,
            title=page.text("title", default=""),
            description=page.attr("content", css="meta[name=description]", default=None),
        )
