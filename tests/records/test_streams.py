from dataclasses import dataclass
from typing import TypedDict

import msgspec
import pytest

from crawler.fields import names_of
from crawler.items import Item, ItemKinds
from crawler.records.streams import Streams, streams_of


class Book(Item):
    title: str


class Nothing(Item):
    pass


@dataclass
class BookPrice:
    isbn: str
    cents: int


class Loose(TypedDict):
    a: int


def columns(streams: Streams) -> dict[str, tuple[str, ...] | None]:
    return {name: names_of(fields) for name, fields in streams.fields.items()}


def test_one_type_is_one_stream_without_tags() -> None:
    streams = streams_of([BookPrice])
    assert columns(streams) == {"book_price": ("isbn", "cents")}
    assert streams.split(b'{"_type":"own"}') == ("book_price", b'{"_type":"own"}')


def test_no_declared_type_is_one_untyped_stream() -> None:
    assert columns(streams_of([])) == {"item": None}
    assert not streams_of([]).tagged


@pytest.mark.parametrize("item", [Book(title='a"},{'), Nothing(), BookPrice("1", 2), {"a": 1}])
def test_a_tagged_line_comes_apart_again(item: object) -> None:
    types = [Book, Nothing, BookPrice, dict]
    checked = ItemKinds(types).check(item)
    streams = streams_of(types)
    stream, plain = streams.split(streams.line(checked))
    assert stream == checked.stream
    assert plain == msgspec.json.encode(item)


def test_a_line_without_its_tag_is_an_error() -> None:
    with pytest.raises(ValueError, match="without its type"):
        streams_of([Book, BookPrice]).split(b'{"title":"x"}')


def test_dicts_and_typed_dicts_share_a_stream_that_is_still_tagged() -> None:
    streams = streams_of([dict, Loose])
    assert columns(streams) == {"item": None}
    assert streams.split(b'{"_type":"item","a":1}') == ("item", b'{"a":1}')


def test_types_of_one_name_have_the_columns_of_both() -> None:
    other = msgspec.defstruct("Book", [("title", str), ("year", int)])
    assert columns(streams_of([Book, other])) == {"book": ("title", "year")}


class Copy(Item, key=("isbn_no", "shop"), rename="camel"):
    isbn_no: str
    shop: str


def test_a_stream_says_which_columns_tell_its_items_apart() -> None:
    assert streams_of([Copy, Book, BookPrice]).keys == {
        "copy": ("isbnNo", "shop"),
        "book": (),
        "book_price": (),
    }
    assert streams_of([]).keys == {"item": ()}


def test_types_of_one_name_with_several_keys_have_none() -> None:
    class Other(Item, key="url"):
        url: str

    Other.__name__ = "Copy"
    assert streams_of([Copy, Other]).keys == {"copy": ()}
    assert streams_of([Copy, Copy]).keys == {"copy": ("isbnNo", "shop")}
