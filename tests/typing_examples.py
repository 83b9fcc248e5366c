"""Spiders that must pass `mypy --strict`: it is run over this file like over any other."""

from typing import Annotated

from msgspec import Meta, Struct

from crawler import (
    Failure,
    Item,
    Node,
    Out,
    Request,
    Response,
    Retry,
    Spider,
    css,
    extract,
    xpath,
)


class Product(Item, key="sku"):
    sku: str
    price: float
    category: str


class Review(Item):
    sku: str
    stars: int


class Where(Struct):
    category: str
    position: int


class Visits(Struct):
    pages: int = 0


class Maker(Struct):
    name: Annotated[str, css("b")]


class Offer(Item):
    url: str
    title: Annotated[str, css("h1")]
    price: Annotated[float, css(".price", decimal=","), Meta(ge=0)]
    image: Annotated[str | None, css("img", attr="src")] = None
    tags: Annotated[list[str], xpath("//li/text()")]
    maker: Annotated[Maker | None, css(".maker")] = None


class OfferSpider(Spider[Offer]):
    start_urls = ["https://shop.example/"]

    async def parse(self, page: Response) -> Out[Offer]:
        offer: Offer = Offer.extract(page, url=page.url)
        if offer.price > 10 and offer.maker is not None:
            self.log.info("%s by %s", offer.title.upper(), offer.maker.name)
        yield offer
        for node in page.css(".also"):
            yield self.also(node)
        rows: list[dict[str, str]] = page.table("table.prices")
        state: Maker = page.script_json("state", type=Maker)
        titles: list[str] = page.xpath("//h1/text()").getall()
        self.log.info("%s %s %s", rows, state.name, titles)

    def also(self, node: Node) -> Offer:
        maker: Maker = extract(Maker, node)
        return Offer.extract(node, url=node.url, maker=maker)


class ShopSpider(Spider[Product | Review], delay=1.0, concurrency=8, accept="text/html"):
    start_urls = ["https://shop.example/login"]
    state: Visits

    async def parse(self, page: Response) -> Out[Product | Review]:
        form = page.form("form#login")
        yield form.fill(user="me").submit(callback=self.listing, jar="member")

    async def listing(self, page: Response) -> Out[Product | Review]:
        self.state.pages += 1
        for position, node in enumerate(page.css("a.product")):
            where = Where(category=page.text("h1"), position=position)
            yield page.follow(node, callback=self.detail, data=where, jar="member")
        yield page.follow_all(css="a.next", callback=self.listing)

    async def detail(self, page: Response, data: Where) -> Out[Product | Review]:
        if not page.css_first(".price"):
            raise Retry("the price is not there yet", after=5.0)
        self.count("details")
        sku = page.attr("data-sku", css="[data-sku]")
        yield Product(sku=sku, price=float(page.text(".price")), category=data.category)
        for stars in page.css(".review"):
            yield Review(sku=sku, stars=int(stars.attr("data-stars", default="0")))

    async def on_error(self, failure: Failure) -> Out[Product | Review]:
        self.log.warning("%s: %s", failure.kind, failure.url)
        if failure.status == 410:
            yield Request(failure.url, callback=self.listing, again=True)
