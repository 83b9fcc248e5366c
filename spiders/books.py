"""Books with typed fields, from listing to detail: `crawl books`."""

from crawler import Item, Out, Response, Spider


class Book(Item, key="upc"):
    upc: str
    title: str
    price: float
    in_stock: bool


class Books(Spider[Book]):
    def __init__(self, start: str = "https://books.toscrape.com/") -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Book]:
        yield page.follow_all(css="article.product_pod h3 a", callback=self.book)
        yield page.follow_all(css="li.next a")

    async def book(self, page: Response) -> Out[Book]:
        cells = {row.text("th"): row.text("td") for row in page.css("table tr")}
        yield Book(
            upc=cells["UPC"],
            title=page.text("h1"),
            price=float(cells["Price (incl. tax)"].lstrip("Â£")),
            in_stock=cells["Availability"].startswith("In stock"),
        )
