"""What may stand in an item's fields, and how it stands in the line."""

import dataclasses
import datetime as dt
import enum
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from yarl import URL

from crawler.errors import ItemError
from crawler.items import Item, ItemKinds

NAN, INF = math.nan, math.inf


class Cover(enum.Enum):
    SOFT = "soft"


class Price(Struct):
    euros: float
    old: list[float] = []


@dataclasses.dataclass
class Point:
    x: Any


@attrs.define
class Size:
    wide: Any


class Loose(Item):
    v: Any


class Strict(Item):
    when: dt.datetime
    day: dt.date
    price: Decimal
    id: UUID
    cover: Cover
    raw: bytes
    tags: set[str]
    pair: tuple[int, str]
    took: dt.timedelta
    deep: dict[str, list[Price]]


STRICT = Strict(
    when=dt.datetime(2020, 1, 2, 3, 4, tzinfo=dt.UTC),
    day=dt.date(2020, 1, 2),
    price=Decimal("1.10"),
    id=UUID(int=1),
    cover=Cover.SOFT,
    raw=b"\xff",
    tags={"a"},
    pair=(1, "b"),
    took=dt.timedelta(seconds=3),
    deep={"x": [Price(1.5)]},
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


def refusal(item: object) -> str:
    with pytest.raises(ItemError) as caught:
        ItemKinds().check(item)
    return str(caught.value)


def test_typed_values_are_written_as_text_and_read_back_as_themselves() -> None:
    taken = ItemKinds((Strict,)).check(STRICT)
    assert taken.item == STRICT
    assert json.loads(taken.line) == {
        "when": "2020-01-02T03:04:00Z",
        "day": "2020-01-02",
        "price": "1.10",
        "id": "00000000-0000-0000-0000-000000000001",
        "cover": "soft",
        "raw": "/w==",
        "tags": ["a"],
        "pair": [1, "b"],
        "took": "PT3S",
        "deep": {"x": [{"euros": 1.5, "old": []}]},
    }


@given(PLAIN)
def test_untyped_values_are_what_json_makes_of_them(value: object) -> None:
    taken = ItemKinds().check(Loose(v=value))
    assert json.loads(taken.line) == {"v": value}
    assert taken.item == Loose(v=value)
    assert b"\n" not in taken.line


@pytest.mark.parametrize("number", [NAN, INF, -INF, Decimal("NaN"), Decimal("-Infinity")])
@pytest.mark.parametrize(
    ("around", "where"),
    [
        (lambda n: n, "$.v"),
        (lambda n: [1, n], "$.v[1]"),
        (lambda n: (n,), "$.v[0]"),
        (lambda n: {n}, "$.v[0]"),
        (lambda n: frozenset([n]), "$.v[0]"),
        (Point, "$.v.x"),
        (Size, "$.v.wide"),
        (lambda n: {"a": [{"b": n}]}, "$.v.a[0].b"),
        (lambda n: [None, Price(n)], "$.v[1].euros"),
        (lambda n: Loose(v=[n]), "$.v.v[0]"),
    ],
)
def test_no_number_without_a_place_in_json_is_exported(
    number: object, around: Any, where: str
) -> None:
    assert refusal(Loose(v=around(number))) == f"Loose: {where} is not a number that JSON has"
    assert refusal({"v": around(number)}) == f"dict: {where} is not a number that JSON has"


def test_nan_in_a_typed_field_is_called_by_its_name() -> None:
    assert refusal(Price(1.0, [2.0, NAN])) == "Price: $.old[1] is not a number that JSON has"


@pytest.mark.parametrize("value", [None, "null", "NaN", "Infinity", ["NaN", None]])
def test_what_only_looks_like_nan_is_taken(value: object) -> None:
    assert ItemKinds().check(Loose(v=value)).item == Loose(v=value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "a value of type object has no place in JSON"),
        (URL("http://a/"), "a value of type URL has no place in JSON"),
        (len, "a value of type builtin_function_or_method has no place in JSON"),
        ("\ud800", "'utf-8' codec can't encode character '\\ud800'"),
    ],
)
def test_a_value_without_a_place_in_json_is_refused(value: object, words: str) -> None:
    assert refusal(Loose(v=value)).startswith(f"Loose: {words}")


async def _title() -> str:
    return "x"


async def test_a_forgotten_await_is_told() -> None:
    title = _title()
    words = "a value of type coroutine (an await is missing before _title) has no place in JSON"
    assert refusal(Loose(v=title)) == f"Loose: {words} - at `$.v`"
    await title


@pytest.mark.parametrize(
    ("item", "where"),
    [
        ({"a": 1, "b": [None, {"c": object()}]}, " - at `$.b[1].c`"),
        (Loose(v=Loose(v=len)), " - at `$.v.v`"),
        ({"a": 1, None: 2}, ""),
    ],
)
def test_where_a_value_without_a_place_in_json_stands_is_told(item: object, where: str) -> None:
    assert refusal(item).partition(" has no place in JSON")[2] == where


@pytest.mark.parametrize("inside", [None, NAN])
def test_an_item_too_deep_to_walk_is_refused(inside: object) -> None:
    deep: list[Any] = [inside]
    for _ in range(20_000):
        deep = [deep]
    assert "recursion" in refusal({"v": deep})
    circle: list[Any] = []
    circle.append(circle)
    assert "recursion" in refusal({"v": circle})
