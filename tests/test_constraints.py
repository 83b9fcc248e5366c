"""Items that break the constraints of their types: refused, named, counted; the others are kept."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from msgspec import Meta, structs

from crawler import Item, Request, Response, Spider
from tests.harness import Crawl, crawl, html

Isbn = Annotated[str, Meta(pattern=r"^\d{3}$")]


class Author(Item):
    name: Annotated[str, Meta(min_length=1)]


class Book(Item):
    isbn: Isbn = "123"
    euros: Annotated[float, Meta(ge=0)] = 1.0
    pages: Annotated[int, Meta(gt=0, multiple_of=2)] = 2
    tags: Annotated[list[str], Meta(max_length=2)] = []
    author: Author | None = None


async def plain(request: Request) -> Response:
    return html(request)


def yielded(kind: Any, *items: object, steps: Any = ()) -> Crawl:
    class Shop(Spider[kind], delay=0):
        start_urls = ["http://a.example/p?q=1"]

        def parse(self, page: Response) -> Iterator[object]:
            yield from items

    shop = Shop()
    shop.steps = steps
    return crawl(shop, plain)


def refusals(left: Crawl) -> list[str]:
    lines = [json.loads(line) for line in left.spool.lines["failures"]]
    assert {(line["kind"], line["url"]) for line in lines} == {("item", "http://a.example/p?q=1")}
    assert left.stats.counts["failed.item"] == len(lines)
    return [line["reason"] for line in lines]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Book(euros=-0.01), "Book: Expected `float` >= 0.0 - at `$.euros`"),
        (Book(isbn="12a"), "Book: Expected `str` matching regex '^\\\\d{3}$' - at `$.isbn`"),
        (Book(pages=0), "Book: Expected `int` >= 1 - at `$.pages`"),
        (Book(pages=3), "Book: Expected `int` that's a multiple of 2 - at `$.pages`"),
        (Book(tags=["a", "b", "c"]), "Book: Expected `array` of length <= 2 - at `$.tags`"),
        (Book(author=Author(name="")), "Book: Expected `str` of length >= 1 - at `$.author.name`"),
    ],
)
def test_an_item_out_of_bounds_is_refused_by_the_name_of_its_field(bad: Book, words: str) -> None:
    left = yielded(Book, Book(), bad, Book(euros=0))
    assert refusals(left) == [words]
    assert [json.loads(line)["euros"] for line in left.spool.lines["items"]] == [1.0, 0.0]
    assert (left.stats.pages, left.stats.counts["items.book"]) == (1, 2)


def test_a_model_that_was_changed_is_held_to_the_types_of_its_fields() -> None:
    pydantic = pytest.importorskip("pydantic", reason="pip install pydantic")
    price = pydantic.create_model("Price", euros=(float, pydantic.Field(ge=0)))
    bad = price(euros=1)
    bad.euros = "dear"  # bounds are checked where a model is made, by pydantic
    left = yielded(price, price(euros=2), bad)
    (words,) = refusals(left)
    assert words.startswith("Price: ")
    assert "euros" in words
    assert [json.loads(line) for line in left.spool.lines["items"]] == [{"euros": 2.0}]


def test_a_model_that_cannot_be_made_fails_the_callback_and_says_so() -> None:
    pydantic = pytest.importorskip("pydantic", reason="pip install pydantic")
    price = pydantic.create_model("Price", euros=(float, pydantic.Field(ge=0)))

    class Shop(Spider[Any], delay=0):
        start_urls = ["http://a.example/"]

        def parse(self, page: Response) -> object:
            return price(euros=-1)

    left = crawl(Shop(), plain)
    (line,) = [json.loads(line) for line in left.spool.lines["failures"]]
    assert (line["kind"], left.stats.counts["failed.callback"]) == ("callback", 1)
    assert "euros" in line["reason"]


def test_what_a_step_makes_is_held_to_them_too() -> None:
    def cheaper(book: Book) -> Book:
        return structs.replace(book, euros=book.euros - 1)

    left = yielded(Book, Book(euros=0.5), Book(euros=1.5), steps=[cheaper])
    assert refusals(left) == ["Book: Expected `float` >= 0.0 - at `$.euros`"]
    assert len(left.spool.lines["items"]) == 1
