"""Spiders whose items say the same in whatever order, and however often begun, they crawl."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256

from crawler import Failure, Item, Out, Request, Response, Retry, Spider
from tests.torture.mortal import reached
from tests.torture.web import HOSTS


class Page(Item):
    """A page, and what it links to: a node of the link graph."""

    url: str
    digest: str
    links: list[str]


class Aside(Item):
    """What a page brought from elsewhere with `page.fetch`."""

    url: str
    number: int
    text: str


class Shelf(Item, key="name"):
    """Where some of the pages stand: the first of them brings it."""

    name: str


class Broken(Item):
    """What could not be had."""

    url: str
    kind: str


class Mortal:
    """A layer that may die when a body has come."""

    def __init__(self, fetch: Callable[[Request], Awaitable[Response]]) -> None:
        self._fetch = fetch

    async def __call__(self, request: Request) -> Response:
        response = await self._fetch(request)
        reached("after_fetch")
        return response


class Walker(
    Spider[Page | Aside | Shelf | Broken],
    delay=0,
    per_host=8,
    concurrency=16,
    backoff=0.05,
    min_free_bytes=0,
    pages="files",
    allow_private=tuple(HOSTS),
):
    """Follows every link of the site under torture."""

    allowed_domains = HOSTS
    layers = (Mortal,)

    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Page | Shelf]:
        self.count("parsed")
        item = item_of(page)
        yield item
        yield Shelf(name=item.digest[:2])
        yield page.follow_all(css="a.plain")
        yield page.follow_all(css="a.odd", callback="odd")
        yield page.follow_all(css="a.again", callback="again")
        for node in page.css("a.detail"):
            yield page.follow(node, callback="detail", data=int(node.attr("data-number")))

    async def detail(self, page: Response, data: int) -> Out[Page | Aside | Shelf | Request]:
        self.count("detailed")
        self.count("numbers", data)
        aside = await page.fetch(f"/aside/{data}")
        await asyncio.sleep(0.01)  # kills find it waiting for something of its own
        yield Aside(url=page.url, number=data, text=aside.html)
        async for found in self.parse(page):
            yield found

    async def again(self, page: Response) -> Out[Page]:
        if page.request.attempt == 1:
            raise Retry("once more", after=0.05)
        yield item_of(page)

    def odd(self, page: Response) -> None:
        self.count("never")
        raise ValueError("an odd page")

    def on_error(self, failure: Failure) -> Broken:
        self.count(f"broken_{failure.kind}")
        return Broken(url=failure.request.url, kind=failure.kind)


def item_of(page: Response) -> Page:
    """Return the page's item, with every link in it, each once."""
    digest = sha256(page.body).hexdigest()[:16]
    return Page(url=page.url, digest=digest, links=[link.url for link in page.links()])
