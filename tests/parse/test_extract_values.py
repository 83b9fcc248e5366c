"""Text of pages, read as the types of fields."""

import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import pytest
from msgspec import NODEFAULT

from crawler import css
from crawler.errors import MissingExtra, SpiderError, WrongValue
from tests.parse.test_extract import only

Price = NewType("Price", Decimal)


class Colour(Enum):
    RED = "red"


def read(kind: Any, text: str, *, default: Any = NODEFAULT, **options: Any) -> Any:
    """Return the text of an element, read as a field of that type."""
    return only(Annotated[kind, css("p", **options)], f"<p>{text}</p>", default)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "12", 12),
        (int, " 1,234 ", 1_234),
        (int, "1.234", 1_234),
        (int, "12.00", 12),
        (int, "٣٤", 34),
        (int, "12 reviews", 12),
        (float, "1,234.5", 1_234.5),
        (float, "1.234,50 €", 1_234.5),
        (float, "$1,234.56", 1_234.56),
        (float, "1.234", 1.234),
        (float, "1e3", 1_000.0),
        (Decimal, "£51.70", Decimal("51.70")),
        (Decimal, "0.1", Decimal("0.1")),
        (Price, "1\xa0299,00&nbsp;€", Decimal("1299.00")),
        (float | None, "4,5", 4.5),
        (bool, "Yes", True),
        (bool, " off ", False),
        (bool, "1", True),
        (date, "2024-05-06", date(2024, 5, 6)),
        (date, "2024-05-06T23:00:00Z", date(2024, 5, 6)),
        (date, "May 6, 2024", date(2024, 5, 6)),
        (datetime, "2024-05-06", datetime(2024, 5, 6)),  # as it is written
        (datetime, "2024-05-06 10:00:00Z", datetime(2024, 5, 6, 10, tzinfo=UTC)),
        (time, "10:30:00", time(10, 30)),
        (time, " 10:30 ", time(10, 30)),
        (Colour, "red", Colour.RED),
        (Literal["new", "used"], " used ", "used"),
        (int | bool, "5", 5),
        (int | str, "5", "5"),
        (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678" * 4)),
    ],
)
def test_text_is_read_as_the_type_of_its_field(kind: Any, text: str, value: object) -> None:
    if kind is UUID:
        value = UUID(text)
    found = read(kind, text)
    assert (found, type(found)) == (value, type(value))
    assert read(list[kind], text) == [value]


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (int, "12.5", "expected a whole number, got '12.5'"),
        (int, "many", "expected a number, got 'many'"),
        (float, "Free", "expected a number, got 'Free'"),
        (float, "1e999", "expected a number, got '1e999'"),
        (float, "nan", "expected a number, got 'nan'"),
        (float, "192.168.0.1", "expected a number, got '192.168.0.1'"),
        (float, "50%", "expected a number, got '50%'"),
        (Decimal, "1" * 300, "expected a number, got '111"),
        (bool, "In stock", "expected yes or no (exists=True asks whether there is an element)"),
        (date, "May 2024", "expected a date, got 'May 2024'"),
        (date, "2024-02-30", "expected a date, got '2024-02-30'"),
        (datetime, "soon", "expected a date, got 'soon'"),
        (Colour, "blue", "expected 'red', got 'blue'"),
        (Literal["new", "used"], "old", "expected 'new' or 'used', got 'old'"),
        (time, "10", "expected a time, as 21:30, got '10'"),
        (time, "25:00", "expected a time, as 21:30, got '25:00'"),
    ],
)
def test_other_text_is_an_error_that_says_what_was_expected(
    kind: Any, text: str, said: str
) -> None:
    for wanted in (kind, list[kind]):
        with pytest.raises(WrongValue) as caught:
            read(wanted, text)
        assert str(caught.value).startswith(f"One.value: {said}")


def test_options_say_what_a_page_does_not() -> None:
    assert read(float, "1.234", decimal=",") == 1_234.0
    assert read(float, "1,234", decimal=",") == 1.234
    assert read(float, "1.234 km", decimal=".") == 1.234
    assert read(date, "05/06/2024") == date(2024, 5, 6)
    assert read(date, "05/06/2024", languages=("en-GB",)) == date(2024, 6, 5)
    assert read(date, "6. Mai 2024", languages=("de", "fr")) == date(2024, 5, 6)
    assert read(date, "6 mai 2024", languages=("de", "fr")) == date(2024, 5, 6)


@pytest.mark.parametrize("kind", [int, float, bool, date, Colour])
def test_blank_text_is_missing_where_it_is_no_text_and_left_out_of_lists(kind: Any) -> None:
    assert read(kind, " &nbsp; ", default=None) is None
    assert read(list[kind], " &nbsp; ") == []


def test_without_the_extra_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "price_parser", None)
    monkeypatch.setitem(sys.modules, "dateparser.date", None)
    assert read(float, "1.234,50") == 1_234.5
    assert read(date, "2024-05-06") == date(2024, 5, 6)
    install = r"needs an extra: pip install 'crawlkeeper\[convert\]'"
    with pytest.raises(MissingExtra, match=rf"a number with other text \('5 km'\) {install}"):
        read(float, "5 km")
    with pytest.raises(MissingExtra, match=rf"a date that is not ISO 8601 {install}"):
        read(date, "6. Mai 2024", languages=("de", "nl", "it"))


def test_a_language_that_nobody_speaks_is_named() -> None:
    with pytest.raises(SpiderError, match=r"languages=\('xx',\): Unknown locale\(s\): 'xx'"):
        read(date, "6. Mai 2024", languages=("xx",))
