"""How many items have a field filled."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

import attrs
import pytest
from msgspec import UNSET, Struct, UnsetType

from crawler.fills import Fills, fill_rates
from crawler.items import Item, ItemKinds
from crawler.outcome import Outcome, Verdict
from crawler.request import Request


class Book(Item, rename="camel"):
    isbn: str | None = None
    page_count: int | UnsetType = UNSET
    tags: list[str] = []


class Short(Item, omit_defaults=True, tag=True):
    title: str | None = None


class Inner(Struct):
    text: str = ""


class Loosest(Item):
    v: Any


@dataclasses.dataclass
class Point:
    x: int | None
    name: str = ""


@attrs.define
class Size:
    wide: int | None
    _unit: str = "cm"


class Loose(TypedDict):
    a: str
    b: NotRequired[str]


def outcome(*items: object) -> Outcome:
    lines = [ItemKinds().check(item) for item in items]
    return Outcome(Request("http://a/"), Verdict.DONE, items=lines)


def rates(
    *items: object, batches: int = 1, before: Sequence[str] = (), promised: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """Return what the fill rates are after these items, counted a batch at a time."""
    counts: dict[str, int] = dict.fromkeys(before, 0)
    fills = Fills(counts, promised=promised)
    for number in range(batches):
        one = outcome(*items[number::batches])
        for line in one.items:
            counts[f"items.{line.stream}"] = counts.get(f"items.{line.stream}", 0) + 1
        for name, n in fills.count([one]).items():
            counts[name] = counts.get(name, 0) + n
    return fill_rates(counts, promised=promised)


@pytest.mark.parametrize("batches", [1, 3])
def test_a_rate_is_the_share_of_items_with_a_field_that_is_not_empty(batches: int) -> None:
    items = [
        Book(isbn="1", page_count=3, tags=["a"]),
        Book(isbn=None, page_count=3, tags=["a"]),
        Book(isbn="", page_count=0),
    ]
    assert rates(*items, batches=batches) == {
        "book": {"isbn": 0.3333, "pageCount": 1.0, "tags": 0.6666}
    }


@pytest.mark.parametrize("value", [None, "", [], {}, (), Inner])
def test_empty_is_what_has_nothing_in_it(value: Any) -> None:
    filled = value is Inner
    assert rates(Loosest(v=Inner() if filled else value)) == {"loosest": {"v": float(filled)}}


@pytest.mark.parametrize("value", [0, 0.0, False, Decimal(0), " ", [None], [""], {"a": None}])
def test_nought_and_false_are_values(value: Any) -> None:
    assert rates(Loosest(v=value)) == {"loosest": {"v": 1.0}}


def test_what_a_line_leaves_out_is_empty() -> None:
    assert rates(Short(), Short(title="a")) == {"short": {"title": 0.5}}
    assert rates(Book(isbn="1", tags=["a"])) == {
        "book": {"isbn": 1.0, "pageCount": 0.0, "tags": 1.0}
    }


def test_other_classes_and_dicts_have_rates_too() -> None:
    assert rates(Point(1, "a"), Point(None)) == {"point": {"x": 0.5, "name": 0.5}}
    assert rates(Size(1), Size(None)) == {"size": {"wide": 0.5}}
    assert rates(Loose(a="1"), Loose(a="", b="2")) == {"item": {"a": 0.5, "b": 0.5}}
    assert rates({"a": 1, "b": None}, {"b": 2, "c": []}) == {"item": {"a": 0.5, "b": 0.5}}


def test_models_have_rates_by_the_names_in_their_lines() -> None:
    pydantic = pytest.importorskip("pydantic", reason="pip install pydantic")
    alias = pydantic.Field(default=None, alias="priceInEuros")
    config = pydantic.ConfigDict(serialize_by_alias=True)
    price = pydantic.create_model(
        "Price", __config__=config, euros=(float | None, alias), name=(str, "a")
    )
    assert rates(price(priceInEuros=1), price()) == {"price": {"priceInEuros": 0.5, "name": 1.0}}


def test_only_what_is_always_filled_has_all() -> None:
    items = [Point(1, "a")] * 99_999 + [Point(None, "a")]
    assert rates(*items, batches=4) == {"point": {"x": 0.9999, "name": 1.0}}


def test_fields_that_a_site_invents_are_counted_up_to_a_hundred() -> None:
    one = Fills({}, promised=["isbn", "item.title"])
    added = one.count([outcome(*({f"name {n}": n, "isbn": 1} for n in range(1, 1_000)))])
    added |= one.count([outcome({"x" * 10_000: 1, "title": "a"})])
    assert len(added) == 101
    assert max(map(len, added)) < 100


def test_of_dicts_with_more_fields_only_those_that_are_promised_are_told() -> None:
    items = [*({f"name {n}": n} for n in range(1, 101)), {"isbn": "1"}]
    assert rates(*items) == {}
    told = rates(*items, promised=["item.isbn", "name 7"])
    assert told == {"item": {"isbn": 0.0099, "name 7": 0.0099}}


def test_a_later_life_counts_the_same_fields() -> None:
    before = [f"filled.item.f{n}" for n in range(100)]
    fills = Fills(dict.fromkeys(before, 5))
    added = fills.count([outcome({"f3": 1, "new": 2})])
    assert added == {"filled.item.f3": 1, "more_fields.item": 1}
