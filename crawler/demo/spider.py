"""The spider of `crawl demo`."""

from crawler.items import Item
from crawler.response import Response
from crawler.spider import Out, Spider


class Product(Item, key="name"):
    """What the shop sells."""

    name: str
    price: float
    stock: int
    url: str


class Demo(Spider[Product], delay=0.0):
    """The demo shop: every product, from the front page and the sitemap."""

    def __init__(self, shop: str) -> None:
        self.start_urls = [shop]
        self.sitemaps = [f"{shop}robots.txt"]

    async def parse(self, page: Response) -> Out[Product]:
        """Take a product page's product, and follow every link."""
        if page.css_first(".stock"):
            yield Product(
                name=page.text("h1"),
                price=float(page.text(".price").removesuffix(" €")),
                stock=int(page.text(".stock").partition(" ")[0]),
                url=page.url,
            )
        yield page.follow_all()
