"""Pydantic models as items, where pydantic is installed."""

import json
import math
from typing import Any

import pytest

from crawler.errors import ItemError, SpiderError
from crawler.fields import names_of
from crawler.items import Item, ItemKinds, is_item, known_fields

pydantic: Any = pytest.importorskip("pydantic", reason="pip install pydantic")


class Price(pydantic.BaseModel):  # type: ignore[misc]  # Any to type checkers without pydantic
    euros: float
    tags: list[str] = []


class Aliased(pydantic.BaseModel):  # type: ignore[misc]  # as above
    model_config = pydantic.ConfigDict(serialize_by_alias=True)
    euros: float = pydantic.Field(alias="priceInEuros")
    secret: str = pydantic.Field(default="", exclude=True)


class Computed(pydantic.BaseModel):  # type: ignore[misc]  # as above
    model_config = pydantic.ConfigDict(extra="forbid")
    a: int = 1

    @pydantic.computed_field  # type: ignore[untyped-decorator,prop-decorator]  # as above
    @property
    def twice(self) -> int:
        return self.a * 2


class Shelf(Item):
    first: Price
    rest: Any = None


def refusal(item: object) -> str:
    with pytest.raises(ItemError) as caught:
        ItemKinds().check(item)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("item", "written"),
    [
        (Price(euros=1), {"euros": 1.0, "tags": []}),
        (Aliased(priceInEuros=2), {"priceInEuros": 2.0}),
        (Computed(), {"a": 1, "twice": 2}),
    ],
)
def test_a_model_is_written_as_pydantic_writes_it(item: Any, written: object) -> None:
    taken = ItemKinds((type(item),)).check(item)
    assert json.loads(taken.line) == written
    assert taken.item == item
    assert names_of(known_fields(type(item))) == tuple(json.loads(taken.line))


def test_a_model_is_frozen_as_it_is_yielded() -> None:
    price = Price(euros=1, tags=["a"])
    taken = ItemKinds().check(price)
    price.tags.append("b")
    assert taken.item == Price(euros=1, tags=["a"])


def test_a_model_that_was_made_or_changed_unchecked_is_refused() -> None:
    price: Any = Price(euros=1)
    price.euros = "x"
    assert "Expected `float`" in refusal(price)
    assert refusal(Price.model_construct()) == "Price: missing fields: euros"


def test_nan_in_a_model_is_refused() -> None:
    assert refusal(Price(euros=math.nan)) == "Price: $.euros is not a number that JSON has"
    assert "$.p.euros is not" in refusal({"p": Price(euros=math.nan)})


def test_models_may_stand_inside_other_items() -> None:
    shelf = Shelf(first=Price(euros=1), rest=[Price(euros=2)])
    taken = ItemKinds((Shelf,)).check(shelf)
    assert taken.item.first == Price(euros=1)
    assert taken.item.rest == [{"euros": 2.0, "tags": []}]
    assert "$.first" in refusal(Shelf(first={"euros": "x"}))  # type: ignore[arg-type]


def test_a_model_that_is_no_object_is_refused() -> None:
    assert refusal(pydantic.RootModel[list[int]]([1])).endswith("an item must be a JSON object")


def test_only_instances_are_items() -> None:
    assert is_item(Price(euros=1))
    assert not is_item(Price)


def test_a_model_is_a_declared_type_like_any_other() -> None:
    kinds = ItemKinds((Price, Shelf))
    assert kinds.check(Price(euros=1)).stream == "price"
    with pytest.raises(ItemError, match="expected an item of type Price or Shelf, got Computed"):
        kinds.check(Computed())
    with pytest.raises(SpiderError):
        ItemKinds((int, Price))
