"""Quotes and their authors: `crawl quotes`."""

from crawler import Item, Out, Response, Spider


class Quote(Item):
    text: str
    author: str


class Quotes(Spider[Quote], delay=0.5):
    start_urls = ["https://quotes.toscrape.com/"]

    async def parse(self, page: Response) -> Out[Quote]:
        for quote in page.css("div.quote"):
            yield Quote(text=quote.text(".text"), author=quote.text(".author"))
        yield page.follow_all(css="li.next a")
