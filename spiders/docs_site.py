"""A documentation site below a URL: `crawl docs_site -a start=https://docs.example.org/guide/`."""

from crawler import Item, Out, Response, Spider


class Page(Item):
    url: str
    title: str
    headings: list[str]
    characters: int


class DocsSite(Spider[Page], accept="text/html"):
    def __init__(self, start: str) -> None:
        self.start_urls = [start]
        self.allowed_prefixes = [start[: start.rindex("/") + 1]]

    async def parse(self, page: Response) -> Out[Page]:
        yield Page(
            url=page.url,
            title=page.text("title", default=""),
            headings=[heading.text() for heading in page.css("h1, h2, h3")],
            characters=len(page.text("body", default="")),
        )
        yield page.follow_all()
