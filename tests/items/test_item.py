"""Item classes: how they are made, named, and laid out in columns."""

import dataclasses
import json
from types import NoneType
from typing import Any, Generic, NotRequired, TypedDict, TypeVar

import attrs
import pytest
from msgspec import Struct

from crawler.errors import SpiderError
from crawler.fields import names_of
from crawler.items import Item, ItemKinds, ItemMeta, known_fields, stream_of

T = TypeVar("T")


class Book(Item, key="isbn"):
    isbn: str
    title: str | None = None


class Copy(Book):
    shelf: str = ""


class Loan(Book, key=("isbn", "reader")):
    reader: str


class Tagged(Item, tag=True):
    a: int = 1


class Camel(Item, rename="camel", tag_field="kind"):
    first_name: str = ""


class Box(Item, Generic[T]):
    v: T


class Zoo(TypedDict):
    zebra: int
    ape: NotRequired[int]
    lion: int


@dataclasses.dataclass
class Point:
    y: int
    x: int


@attrs.define
class Size:
    wide: int
    _unit: str = "cm"


class BadName(Item):
    x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  # what is tested


class BadUnion(Struct):
    x: list[int] | set[int]


def test_items_are_made_with_keywords_only() -> None:
    with pytest.raises(TypeError):
        Book("1")  # type: ignore[call-arg]  # what is tested
    assert Copy(shelf="b", isbn="1") == Copy(isbn="1", shelf="b", title=None)


@pytest.mark.parametrize("options", [{"kw_only": False}, {"array_like": True}])
def test_options_that_would_unmake_an_item_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(SpiderError, match="item Odd: items are JSON objects, made with keywords"):
        ItemMeta("Odd", (Item,), {"__annotations__": {"a": int}}, **options)


def test_the_key_is_kept_and_inherited() -> None:
    keys = [kind.item_key for kind in (Item, Book, Copy, Loan)]
    assert keys == [(), ("isbn",), ("isbn",), ("isbn", "reader")]


@pytest.mark.parametrize(
    ("key", "named"), [("nope", "nope"), (("isbn", "no", "nix"), "no, nix"), ((3,), "3")]
)
def test_a_key_that_is_no_field_is_refused_with_the_class(key: Any, named: str) -> None:
    with pytest.raises(SpiderError) as caught:

        class Odd(Book, key=key): ...

    assert str(caught.value) == f"item Odd: key names no field: {named}"


@pytest.mark.parametrize(
    ("kind", "stream", "columns"),
    [
        (Book, "book", ("isbn", "title")),
        (Loan, "loan", ("isbn", "title", "reader")),
        (Tagged, "tagged", ("type", "a")),
        (Camel, "camel", ("kind", "firstName")),
        (Box[int], "box", ("v",)),
        (Point, "point", ("y", "x")),
        (Size, "size", ("wide",)),
        (Zoo, "item", ("zebra", "ape", "lion")),
        (dict, "item", None),
        (dict[str, int], "item", None),
        (Item, "item", None),
    ],
)
def test_an_item_type_has_a_stream_and_columns(
    kind: Any, stream: str, columns: tuple[str, ...] | None
) -> None:
    assert (stream_of(kind), names_of(known_fields(kind))) == (stream, columns)


@pytest.mark.parametrize("item", [Tagged(), Camel(), Loan(isbn="1", reader="me"), Size(2)])
def test_the_columns_are_the_keys_of_the_line_in_order(item: Any) -> None:
    line = ItemKinds((type(item),)).check(item).line
    assert names_of(known_fields(type(item))) == tuple(json.loads(line))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (BadName, "item BadName: cannot be read as annotated: name 'Nowhere' is not defined"),
        (BadUnion, "item BadUnion: cannot be read as annotated: Type unions may not contain"),
    ],
)
def test_annotations_nobody_can_read_are_refused_at_load(kind: Any, words: str) -> None:
    for ask in (known_fields, lambda kind: ItemKinds((kind,))):
        with pytest.raises(SpiderError) as caught:
            ask(kind)
        assert str(caught.value).startswith(words)


@pytest.mark.parametrize("kind", [int, str, list[Book], "Book", T])
def test_what_can_be_no_item_type_is_refused_at_load(kind: Any) -> None:
    with pytest.raises(SpiderError, match="takes item types, got"):
        ItemKinds((kind,))


@pytest.mark.parametrize("kind", [dict, Item, object, NoneType, Box[int], Zoo, Point, Size])
def test_what_can_be_an_item_type_is_taken(kind: Any) -> None:
    assert ItemKinds((kind,)).types == (kind,)


def test_a_field_named_as_ours_is_refused_if_there_are_several_types() -> None:
    class Odd(Item):
        _type: str = ""

    assert ItemKinds((Odd,)).check(Odd()).line == b'{"_type":""}'
    with pytest.raises(SpiderError, match="item Odd: the field '_type' is kept"):
        ItemKinds((Odd, Book))
