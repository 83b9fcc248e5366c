"""Items with a key: the first one counts."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from crawler import Item, Request, Response, Spider, stream
from crawler.events import Event, PageDone
from tests.harness import Crawl, crawl, html
from tests.site import Site


class Book(Item, key="isbn"):
    isbn: int | None
    page: str = ""


class Offer(Item, key="isbn", on_duplicate="update"):
    isbn: int
    page: str


class Books(Spider[Book | Offer], delay=0, concurrency=1):
    """Twenty pages, each of which has three books, two of them those of its neighbours."""

    start_urls = ["http://a.example/0"]

    def parse(self, page: Response) -> Iterator[object]:
        number = int(page.url.rpartition("/")[2])
        for isbn in (number, number + 1, number + 2):
            yield Book(isbn=isbn, page=page.url)
        if number < 19:
            yield page.follow(f"/{number + 1}")


async def plain(request: Request) -> Response:
    return html(request)


def books(left: Crawl) -> list[int | None]:
    items = [json.loads(line) for line in left.spool.lines["items"]]
    return [item["isbn"] for item in items if item["_type"] == "book"]


def test_the_first_item_of_a_key_is_written_and_the_others_are_counted() -> None:
    left = crawl(Books(), plain)
    assert books(left) == list(range(22))
    first = json.loads(left.spool.lines["items"][2])
    assert first == {"_type": "book", "isbn": 2, "page": "http://a.example/0"}
    assert (left.stats.counts["items.book"], left.stats.counts["duplicate_items.book"]) == (22, 38)


def test_one_page_may_repeat_itself() -> None:
    class Twice(Books):
        def parse(self, page: Response) -> Iterator[object]:
            yield from [Book(isbn=1, page=str(number)) for number in range(5)]

    assert books(crawl(Twice(), plain)) == [1]


def test_an_item_without_its_key_is_kept() -> None:
    class Unnumbered(Books):
        def parse(self, page: Response) -> Iterator[object]:
            yield from [Book(isbn=None), Book(isbn=1), Book(isbn=None), Book(isbn=1)]

    left = crawl(Unnumbered(), plain)
    assert books(left) == [None, 1, None]
    assert left.stats.counts["duplicate_items.book"] == 1


def test_of_a_spider_that_declares_no_types_items_have_the_keys_of_their_classes() -> None:
    class Undeclared(Spider, delay=0):  # type: ignore[type-arg]  # as a beginner writes it
        start_urls = ["http://a.example/"]

        def parse(self, page: Response) -> Iterator[object]:
            yield from [Book(isbn=1), Offer(isbn=1, page="a"), Book(isbn=1), {"isbn": 1}] * 2

    left = crawl(Undeclared(), plain)
    assert [json.loads(line)["isbn"] for line in left.spool.lines["items"]] == [1] * 5
    assert left.stats.part("items") == {"item": 2, "offer": 2, "book": 1}


def test_of_a_type_that_is_updated_every_version_is_written_in_its_order() -> None:
    class Offers(Books):
        def parse(self, page: Response) -> Iterator[object]:
            for outcome in super().parse(page):
                is_book = isinstance(outcome, Book)
                yield Offer(isbn=7, page=page.url) if is_book else outcome

    left = crawl(Offers(), plain)
    pages = [json.loads(line)["page"] for line in left.spool.lines["items"]]
    assert pages == [f"http://a.example/{n}" for n in range(20) for _ in range(3)]
    assert "duplicate_items.offer" not in left.stats.counts


def test_what_counts_is_the_key_that_the_steps_leave() -> None:
    def halve(book: Book) -> Book:
        return structs.replace(book, isbn=(book.isbn or 0) // 2)

    class Halved(Books):
        steps = [halve]

    assert books(crawl(Halved(), plain)) == list(range(11))


@pytest.mark.parametrize("most", [1, 3, 10, 22])
def test_max_items_counts_those_that_are_written(most: int) -> None:
    left = crawl(Books(), plain, max_items=most)
    assert left.reason == "max_items"
    # A page is never cut.
    assert books(left) == list(range(max(3, most)))


def test_listeners_hear_of_those_that_are_written() -> None:
    told: list[int] = []

    def hear(event: Event) -> None:
        if isinstance(event, PageDone):
            told.append(event.items)

    class Heard(Books):
        listeners = [hear]

    crawl(Heard(), plain)
    assert told == [3, *[1] * 19]


def test_a_callback_that_fails_takes_no_key() -> None:
    class Failing(Books):
        def parse(self, page: Response) -> Iterator[object]:
            yield from super().parse(page)
            if page.url.endswith("/0"):
                yield page.follow("/1")
                raise ValueError("the books of this page do not count")

        async def start(self) -> Any:
            for number in range(3):
                yield Request(f"http://a.example/{number}")

    assert books(crawl(Failing(), plain)) == list(range(1, 22))


async def test_a_stream_gives_the_first_of_each_key(site: Site) -> None:
    for number in range(20):
        site.page(f"/{number}")
    spider = Books()
    spider.start_urls = [site.url("/0")]
    async with stream(spider) as items:
        found = Counter([item.isbn async for item in items])
    assert found == dict.fromkeys(range(22), 1)
