"""The spider of `crawl demo`."""

from crawler.items import Item
from crawler.response import Response
from crawler.spider import Out, Spider


class Product(Item, key="url"):
    """What the shop sells; `rating` is one to five stars, `stock` in pieces, `price` in euros."""

    url: str
    name: str
    category: str
    price: float
    stock: int
    rating: int | None
    related: list[str]


class Demo(Spider[Product], delay=0.0):
    """The demo shop: every product, from the front page and the sitemap."""

    def __init__(self, shop: str) -> None:
        self.start_urls = [shop]
        self.sitemaps = [f"{shop}robots.txt"]

    async def parse(self, page: Response) -> Out[Product]:
        """Take a product page's product, and follow every link."""
        if page.css_first("p.price"):
            yield self.product(page)
        yield page.follow_all()

    def product(self, page: Response) -> Product:
        """Read a product page. Raises `MissingValue` if something of it is missing."""
        stars = page.text(".rating").partition(" of ")[0]
        return Product(
            url=page.url,
            name=page.text("h1"),
            category=page.text(".shelf"),
            price=float(page.text(".price").removeprefix("€ ")),
            stock=int(page.attr("data-pieces", css=".stock")),
            rating=int(stars) if stars.isdigit() else None,
            related=[link.text for link in page.links(css=".related a")],
        )
