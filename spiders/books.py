"""Books with typed fields, from listing to detail: `crawl books`."""

from crawler import Item, Out, Response, Spider

STARS = ("Zero", "One", "Two", "Three", "Four", "Five")


class Book(Item, key="upc"):
    upc: str
    title: str
    category: str
    price: float
    stars: int
    in_stock: int


class Books(Spider[Book]):
    """Every book of books.toscrape.com, with its category, price and stars."""

    def __init__(self, start: str = "https://books.toscrape.com/") -> None:
        self.start_urls = [start]

    async def parse(self, page: Response) -> Out[Book]:
        yield page.follow_all(css="article.product_pod h3 a", callback=self.book)
        yield page.follow_all(css="li.next a")

    async def book(self, page: Response) -> Out[Book]:
        cells = {row.text("th"): row.text("td") for row in page.css("table tr")}
        rating = page.attr("class", css=".product_main .star-rating").split()[-1]
        in_stock = cells["Availability"].partition("(")[2].partition(" ")[0]
        yield Book(
            upc=cells["UPC"],
            title=page.text("h1"),
            category=page.css("ul.breadcrumb a")[-1].text(),
            price=float(cells["Price (incl. tax)"].lstrip("£")),
            stars=STARS.index(rating),
            in_stock=int(in_stock or 0),
        )
