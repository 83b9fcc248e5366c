"""A documentation site below a URL: `crawl docs_site -a start=https://docs.example.org/guide/`."""

from crawler import Item, Out, Response, Spider
from crawler.urls import canonicalize, join


class Page(Item):
    url: str
    title: str
    headings: list[str]
    characters: int


class DocsSite(Spider[Page], accept="html"):
    """Titles, headings and length of the pages below `start`."""

    def __init__(self, start: str) -> None:
        self.start_urls = [canonicalize(start)]
        self.allowed_prefixes = [join(start, ".")]  # the start page's folder

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(
            url=page.url,
            title=page.text("title", default=""),
            headings=[heading.text() for heading in page.css("h1, h2, h3")],
            characters=len(page.text("body", default="")),
        )
        yield page.follow_all()
