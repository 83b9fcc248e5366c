"""Every item is held to the types its spider declares."""

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any, Generic, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pytest
from msgspec import Struct

from crawler.errors import ItemError
from crawler.items import Item, ItemKinds, ItemLine, is_item
from crawler.response import Response
from crawler.spider import Spider
from tests.harness import crawl, html

T = TypeVar("T")


class Book(Item):
    isbn: str
    title: str = "t"


class Copy(Book):
    shelf: str = ""


class Box(Item, Generic[T]):
    v: T


class Old(TypedDict):
    a: int
    b: NotRequired[str]


class New(TypedDict):
    c: int


class Plain(Struct):
    a: int


@dataclasses.dataclass
class Point:
    x: int
    tags: list[str] = dataclasses.field(default_factory=list)


@attrs.define
class Size:
    wide: int


class WithLater(Item):
    x: "Later"


class Later(Struct):
    n: int


class Lost(Item):
    x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  # what is tested


def check(item: object, *types: Any) -> ItemLine:
    return ItemKinds(types).check(item)


def refusal(item: object, *types: Any) -> str:
    with pytest.raises(ItemError) as caught:
        check(item, *types)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("item", "types", "line"),
    [
        (Book(isbn="1"), (Book,), b'{"isbn":"1","title":"t"}'),
        (Book(isbn="1"), (), b'{"isbn":"1","title":"t"}'),
        (Plain(1), (Plain,), b'{"a":1}'),
        (Point(1), (Point,), b'{"x":1,"tags":[]}'),
        (Size(2), (Size,), b'{"wide":2}'),
        ({"a": 1}, (dict,), b'{"a":1}'),
        ({"_type": 1}, (dict,), b'{"_type":1}'),
        (OrderedDict(a=1), (), b'{"a":1}'),
        (defaultdict(int, a=1), (Old,), b'{"a":1}'),
        ({"a": 1, "b": "x"}, (Old,), b'{"a":1,"b":"x"}'),
        ({"c": 1}, (Old, New), b'{"c":1}'),
        ({"c": 1}, (Book, New), b'{"c":1}'),
        (Box(v=1), (Box[int],), b'{"v":1}'),
        (Box(v="x"), (Box[int], Box[str]), b'{"v":"x"}'),
        (WithLater(x=Later(1)), (WithLater,), b'{"x":{"n":1}}'),
        (Book(isbn="1"), (object,), b'{"isbn":"1","title":"t"}'),
    ],
)
def test_an_item_of_a_declared_type_is_taken(
    item: object, types: tuple[Any, ...], line: bytes
) -> None:
    taken = check(item, *types)
    assert taken.line == line
    assert taken.item == item


@pytest.mark.parametrize(
    ("item", "types", "words"),
    [
        (Copy(isbn=1), (Book,), "Book: Expected `str`, got `int` - at `$.isbn`"),  # type: ignore[arg-type]
        (Point("1"), (Point,), "Point: Expected `int`, got `str` - at `$.x`"),  # type: ignore[arg-type]
        (Point(1, [2]), (Point,), "Point: Expected `str`, got `int` - at `$.tags[0]`"),  # type: ignore[list-item]
        (Size("1"), (Size,), "Size: Expected `int`, got `str` - at `$.wide`"),  # type: ignore[arg-type]
        ({"b": "x"}, (Old,), "Old: Object missing required field `a`"),
        ({"a": "x"}, (Old,), "Old: Expected `int`, got `str` - at `$.a`"),
        ({"a": 1, "z": 2}, (Old,), "Old: unknown keys: z"),
        ({}, (Old, New), "Old: Object missing required field `a`; or New: Object missing"),
        (Box(v="x"), (Box[int],), "Box: Expected `int`, got `str` - at `$.v`"),
        ({"isbn": "1"}, (Book,), "expected an item of type Book, got dict"),
        (Book(isbn="1"), (Copy,), "expected an item of type Copy, got Book"),
        (Book(isbn="1"), (Old, Size), "expected an item of type Old or Size, got Book"),
        ({"_type": "x"}, (dict, Book), "dict: the key '_type' is kept for the names of"),
        ({"a": 1, None: 2}, (), "dict: a value of type NoneType has no place in JSON"),
        (Lost(x=1), (), "item Lost: cannot be read as annotated: name 'Nowhere' is not defined"),
    ],
)
def test_an_item_that_does_not_fit_is_refused_by_expected_and_got(
    item: object, types: tuple[Any, ...], words: str
) -> None:
    assert refusal(item, *types).startswith(words)


def test_an_item_with_a_missing_field_is_refused() -> None:
    book = Book(isbn="1")
    del book.isbn
    assert refusal(book, Book) == "Book: Struct field 'isbn' is unset"


def test_what_is_no_json_object_is_refused() -> None:
    class Row(Struct, array_like=True):
        a: int

    assert refusal(Row(1)) == "Row: an item must be a JSON object"


def test_a_subclass_keeps_its_fields_in_the_stream_of_the_declared_type() -> None:
    taken = check(Copy(isbn="1", shelf="b"), Book)
    assert taken == ItemLine(
        "book", Copy(isbn="1", shelf="b"), b'{"isbn":"1","title":"t","shelf":"b"}'
    )
    assert check(Copy(isbn="1"), Book, Copy).stream == "copy"
    assert "$.shelf" in refusal(Copy(isbn="1", shelf=2), Book)  # type: ignore[arg-type]


@pytest.mark.parametrize("again", [False, True])
def test_an_item_is_frozen_as_it_is_yielded(again: bool) -> None:
    kinds = ItemKinds()
    point, row = Point(1, ["a"]), {"tags": ["a"]}
    if again:
        kinds.check(Point(0)), kinds.check({})
    taken = [kinds.check(point), kinds.check(row)]
    point.tags.append("b")
    row["tags"].append("b")
    assert [line.item for line in taken] == [Point(1, ["a"]), {"tags": ["a"]}]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Book(isbn="1"), True), ({}, True), (OrderedDict(), True), (Plain(1), True),
        (Point(1), True), (Size(1), True),
        (Book, False), (Point, False), (Size, False), ("x", False), (None, False), ([], False),
    ],
)  # fmt: skip
def test_what_may_be_an_item_is_told_from_what_may_not(value: object, said: bool) -> None:
    assert is_item(value) == said


def test_a_bad_item_is_reported_with_its_page_and_the_others_are_kept() -> None:
    class Mixed(Spider[Book | Old]):
        start_urls = ["http://a.example/list"]

        def parse(self, page: Response) -> Iterator[object]:
            yield Plain(1)
            yield Copy(isbn="1")
            yield {"a": 1}

    async def plain(request: Any) -> Response:
        return html(request)

    left = crawl(Mixed(), plain)
    (failure,) = (msgspec.json.decode(line) for line in left.spool.lines["failures"])
    assert failure["url"] == "http://a.example/list"
    assert failure["reason"] == "expected an item of type Book or Old, got Plain"
    assert [msgspec.json.decode(line)["_type"] for line in left.spool.lines["items"]] == [
        "book",
        "item",
    ]
