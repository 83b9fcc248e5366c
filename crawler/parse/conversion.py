"""Text into the values that fields have."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

import msgspec

from crawler.parse.markers import Marker
from crawler.parse.moments import moment
from crawler.parse.numbers import SIMPLE, number, price
from crawler.urls import join, without_credentials

Convert = Callable[[str], object]
"""Reads text; raises `ValueError` that says what was expected."""

_YES: Final = frozenset(("true", "yes", "y", "on", "1"))
_NO: Final = frozenset(("false", "no", "n", "off", "0"))
_LONG: Final = 16
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}.*)?", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"/@(\w+)$")
"""What an XPath query that ends so finds."""
_URLS: Final = frozenset(("href", "src", "action", "formaction", "poster", "cite", "background"))


def converter(kind: Any, marker: Marker) -> Convert | None:
    """Return what reads text as `kind`, None if it stays as it is, as types of pydantic's own do.

    What is no text, number, date or truth value is read by msgspec: enums, literals, UUIDs.
    """
    decimal, languages = marker.decimal, marker.languages
    if kind is Any or kind is object or _takes_text(kind):
        return None
    if kind is int:
        return lambda text: _whole(text, decimal)
    if kind is float:
        return lambda text: _float(text, decimal)
    if kind is Decimal:
        return lambda text: _number(text, decimal)
    if kind is bool:
        return _truth
    if kind is datetime:
        return lambda text: _moment(text, languages)
    if kind is date:
        return lambda text: _moment(text, languages).date()
    if kind is time:
        return _time
    choices = _choices(kind)
    return lambda text: _read(text, kind, choices)


def is_url(kind: Any, marker: Marker) -> bool:
    """True for a field that is made an absolute URL."""
    if marker.url is not None:
        return marker.url
    attr = marker.attr
    if attr is None and marker.is_xpath and (found := _ATTRIBUTE.search(marker.query or "")):
        attr = found[1]
    return _takes_text(kind) and marker.regex is None and (attr or "").lower() in _URLS


def _takes_text(kind: Any) -> bool:
    """True for text, and for what msgspec does not know, such as pydantic's `HttpUrl`."""
    return kind is str or isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.CustomType)


def absolute(href: str, base: str) -> str:
    """Return the URL that `href` leads to from `base`, canonical. Raises `InvalidUrl`."""
    return without_credentials(join(base, href))


def _choices(kind: Any) -> str:
    """Return what an enum or a `Literal` admits, in words; nothing for other types."""
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    values = [one.value for one in kind] if is_enum else get_args(kind)
    return " or ".join(map(repr, values)) if is_enum or get_origin(kind) is Literal else ""


def _read(text: str, kind: Any, choices: str) -> object:
    try:
        return msgspec.convert(text.strip(), kind, strict=False)
    except msgspec.ValidationError:
        if choices:
            raise ValueError(choices) from None
        raise


def _number(text: str, decimal: str | None, *, whole: bool = False) -> Decimal:
    found = number(text, whole=whole, decimal=decimal)
    if found is None:
        found = price(text, decimal=decimal)
    if found is None:
        raise ValueError("a number")
    return found


def _whole(text: str, decimal: str | None) -> int:
    if text.isdecimal() and len(text) < _LONG:
        return int(text)
    found = _number(text, decimal, whole=True)
    if found != found.to_integral_value():
        raise ValueError("a whole number")
    return int(found)


def _float(text: str, decimal: str | None) -> float:
    if decimal != "," and SIMPLE.fullmatch(text):
        return float(text)
    found = float(_number(text, decimal))
    if not math.isfinite(found):
        raise ValueError("a number")
    return found


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError("yes or no (exists=True asks whether there is an element)")


def _time(text: str) -> time:
    try:
        if _TIME.fullmatch(text := text.strip()):
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("a time, as 21:30")


def _moment(text: str, languages: tuple[str, ...]) -> datetime:
    found = moment(text, languages)
    if found is None:
        raise ValueError("a date")
    return found
