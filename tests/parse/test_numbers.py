"""Numbers and prices as sites write them."""

import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import MissingExtra
from crawler.parse.numbers import number, price


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"),
        (" -5.50 ", "-5.50"),
        ("+3", "3"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\xa0234,567", "1234.567"),
        ("1\u202f234\u202f567", "1234567"),
        ("1'234.5", "1234.5"),
        ("1’234’567", "1234567"),
        ("12,34,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1234567,89", "1234567.89"),
        ("12,5", "12.5"),
        ("0,123", "0.123"),
        ("4,567", "4567"),
        ("4.567", "4.567"),
        (".5", "0.5"),
        ("5.", "5"),
        ("−5,5", "-5.5"),
        ("1.5e-7", "1.5E-7"),
        ("٣٫١٤", "3.14"),
        ("١٬٢٣٤", "1234"),
        ("\u200f۱۲۳\u200f", "123"),
        ("१२३", "123"),
        ("１２", "12"),
        *((text, None) for text in ("", "..", "-", "1,2,3", "1 2345", "192.168.0.1", "1,23,45")),
        *((text, None) for text in ("²", "½", "1_000", "0x1", "nan", "inf", "12 34", "x5")),
        *((text, None) for text in ("1.2.3,4", "1,234,5", "5e", "1e9999", "--5", "9" * 300)),
    ],
)
def test_a_number_is_read_however_its_digits_are_grouped(text: str, value: str | None) -> None:
    assert number(text) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("text", "whole", "decimal", "value"),
    [
        ("1.234", True, None, "1234"),
        ("0.123", True, None, "0.123"),
        ("1234.567", True, None, "1234.567"),
        ("1.234", False, ",", "1234"),
        ("1,234", False, ",", "1.234"),
        ("1,234", False, ".", "1234"),
        ("1.234", True, ".", "1.234"),
        ("12.5", False, ",", None),
    ],
)
def test_what_may_be_either_is_decided_by_who_knows(
    text: str, whole: bool, decimal: str | None, value: str | None
) -> None:
    found = number(text, whole=whole, decimal=decimal)
    assert found == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,56 €", "1234.56"),
        ("$1,234.56", "1234.56"),
        ("£51.77", "51.77"),
        ("1.234 €", "1234"),
        ("35€ 99", "35.99"),
        ("1\u202f299,00\xa0€", "1299.00"),
        ("Rs. 1,23,456.50", "123456.50"),
        ("CHF 1’234.50", "1234.50"),
        ("ر.س.\u200f ١٢٣", "123"),
        ("4.5 out of 5", "4.5"),
        ("10-20 €", "10"),
        ("-5,00 €", "-5.00"),
        ("EUR -5,00", "-5.00"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("−\xa05 €", "-5"),
        ("Preis - 5 €", "5"),
        ("A-5", "5"),
        ("5 Masks", "5"),
        *(
            (text, None)
            for text in (
                "",
                "Free",
                "Freezer",
                "50%",
                "10 20 €",
                "$1.2M",
                "12k+",
                "5 million",
                "1.2.3 €",
                "€ ²",
            )
        ),
        ("5 " + "€" * 300, None),
    ],
)
def test_a_price_is_the_first_number_of_a_text(text: str, value: str | None) -> None:
    assert price(text) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("£51.77", "51.77"),
        ("1.234,56\xa0€", "1234.56"),
        ("US$ 1,234", "1234"),
        ("$.99", "0.99"),
        ("EUR-5", "5"),
        ("EUR -5", "-5"),
        ("-R$5", "-5"),
        ("12,– €", "12"),
        ("CHF 12.-", "12"),
        ("Rs.99", "99"),
        ("12,50 kr.", "12.50"),
        ("١٢٣ SAR", "123"),
        ("1,234円", "1234"),
    ],
)
def test_a_lone_currency_needs_no_extra(
    text: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text != "EUR-5":  # a hyphen, or a minus?
        monkeypatch.setitem(sys.modules, "price_parser", None)
    assert price(text) == Decimal(value)


@pytest.mark.parametrize("text", ["99¢", "KWD 1.234", "$1.2M", "5 km", "€5 EUR", "12-€", "from $5"])
def test_what_is_more_than_a_lone_currency_is_left_to_the_extra(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "price_parser", None)
    with pytest.raises(MissingExtra):
        price(text)


def test_a_price_keeps_to_the_separator_it_is_told() -> None:
    assert price("1,659 €", decimal=",") == Decimal("1.659")
    assert price("$1.234", decimal=".") == Decimal("1.234")


@given(st.decimals(min_value=-(10**14), max_value=10**14, places=3))
def test_a_number_in_any_style_is_the_number(value: Decimal) -> None:
    english = f"{value:,.2f}"
    styles = {
        english: ".",
        english.translate(str.maketrans(",.", ".,")): ",",
        english.translate(str.maketrans(",.", "\u202f,")): ",",
        english.translate(str.maketrans(",", "’")): ".",
        english.translate(str.maketrans("0123456789,.", "٠١٢٣٤٥٦٧٨٩٬٫")): ".",
    }
    for text, decimal in styles.items():
        assert number(text) == number(text, decimal=decimal) == Decimal(f"{value:.2f}"), text
        assert price(f"{text} kr") == Decimal(f"{value:.2f}"), text
