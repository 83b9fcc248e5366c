"""What tells two items apart."""

import subprocess
import sys
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from crawler.errors import SpiderError
from crawler.item_keys import digest_of
from crawler.items import Item, ItemKinds


class Book(Item, key="isbn"):
    isbn: Any
    title: str = ""


class Loan(Book, key=("isbn", "reader")):
    reader: str | UnsetType = UNSET


class Price(Item, key="isbn", on_duplicate="update"):
    isbn: str


class Shelf(Struct):
    names: set[str]


def key(item: Item) -> int | None:
    return ItemKinds([type(item)]).check(item).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("978", "978"),
        (1, 1.0),
        (0.0, -0.0),
        (2**40, float(2**40)),
        ([1, {"a": 2.0}], [1.0, {"a": 2}]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (Shelf(names={"a", "b", "c"}), Shelf(names={"c", "b", "a"})),
        (Decimal("1.50"), "1.50"),  # what stands in the line
    ],
)
def test_keys_that_are_equal_are_one(one: object, other: object) -> None:
    assert key(Book(isbn=one, title="a")) == key(Book(isbn=other, title="b")) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", 1),
        (1, True),
        (0, False),
        ("a", "A"),
        ("\u00e9", "e\u0301"),  # text counts by its code points, as it does in a database
        ("", " "),
        ("a", ["a"]),
        ([1, 2], [2, 1]),
        ([], {}),
        ([None], []),
        (1.5, 1),
        (2**53 + 1, 2**53),
        ("('a', 'b')", ("a", "b")),
    ],
)
def test_keys_that_are_not_equal_are_two(one: object, other: object) -> None:
    assert key(Book(isbn=one)) != key(Book(isbn=other))


def test_a_key_belongs_to_its_type_and_to_all_of_its_fields() -> None:
    assert digest_of("book", ["1"]) != digest_of("loan", ["1"])
    assert key(Loan(isbn="1", reader="a")) != key(Loan(isbn="1", reader="b"))
    assert key(Loan(isbn="ab", reader="c")) != key(Loan(isbn="a", reader="bc"))


@pytest.mark.parametrize("item", [Book(isbn=None), Loan(isbn="1"), Loan(isbn=None, reader="a")])
def test_an_item_of_which_a_part_of_the_key_is_missing_has_none(item: Item) -> None:
    assert key(item) is None


def test_an_item_whose_versions_are_kept_is_not_told_apart() -> None:
    assert key(Price(isbn="1")) is None


def test_a_subclass_is_of_the_stream_of_its_declared_type_and_has_its_key() -> None:
    kinds = ItemKinds([Book])
    assert kinds.check(Loan(isbn="1", reader="a")).key == kinds.check(Book(isbn="1")).key


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(one=_JSON, other=_JSON)
@example(one="\ud7ff", other="\U0001f600")
def test_keys_are_told_apart_as_their_json_is(one: Any, other: Any) -> None:
    assert digest_of("book", [one]) == digest_of("book", [_turned(one)])
    if one is not None and other is not None:
        assert (digest_of("book", [one]) == digest_of("book", [other])) == _are_same(one, other)


def _turned(value: Any) -> Any:
    """Return an equal value: dicts in another order, whole numbers as floats and back."""
    match value:
        case bool():
            return value
        case int() if float(value) == value and int(float(value)) == value:
            return float(value)
        case list():
            return list(map(_turned, value))
        case dict():
            return {name: _turned(value[name]) for name in reversed(value)}
    return value


def _are_same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_are_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_are_same(one[n], other[n]) for n in one)
    return bool(one == other)


def test_a_digest_is_the_same_in_every_process() -> None:
    code = (
        "from crawler.item_keys import digest_of;"
        "print(digest_of('book', [{'b': {'x', 'yy', 'zzz', 'é'}, 'a': 1.0}]))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(told) == 1


def test_what_becomes_of_duplicates_is_inherited_and_may_be_said_anew() -> None:
    class Dearer(Price):
        cents: int = 0

    class Once(Price, on_duplicate="drop"):
        pass

    assert (Dearer.item_on_duplicate, Once.item_on_duplicate) == ("update", "drop")
    assert (Dearer.item_key, Once.item_key, Book.item_on_duplicate) == (("isbn",),) * 2 + ("drop",)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"key": "url", "on_duplicate": "merge"}, "on_duplicate must be 'drop' or 'update', got"),
        ({"on_duplicate": "update"}, 'item Odd: on_duplicate needs a key: key="isbn"'),
    ],
)
def test_what_cannot_be_done_with_duplicates_is_refused(
    keywords: dict[str, Literal["drop"]], words: str
) -> None:
    with pytest.raises(SpiderError, match=words):

        class Odd(Item, **keywords):
            url: str
