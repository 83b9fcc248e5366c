"""Numbers and prices as sites write them."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from crawler.errors import MissingExtra

# The longest of what is a number or a price with some words; it also bounds what price-parser,
# whose patterns go back and forth, has to look through.
_LONGEST: Final = 200
SIMPLE: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]+)?")
"""What every computer writes."""
_NUMBER: Final = re.compile(r"([+-]?) ?([0-9][0-9 ',.]*|[.,][0-9]+)((?:[eE][+-]?[0-9]{1,3})?)")
_GROUPS: Final = re.compile(
    r"[0-9]+|[0-9]{1,3}(?:([ ',.])[0-9]{2,3}(?:\1[0-9]{2,3})*)?(?<=[0-9]{3})"
)
# A minus belongs to the number if the text begins with it, or only signs stand between them.
_MINUS: Final = re.compile(r"^-|(?:^|[^\w-])-[^\w\s-]*$")
_TIMES: Final = re.compile(r"\s?(?:[KkMB]|[bm]n|Mio|Mrd|thousand|million|billion)\b")
_APOSTROPHE: Final = re.compile("(?<=[0-9])'(?=[0-9])")
_MONEY: Final = re.compile(
    r"(-?) ?((?:kr|Rs|Fr|руб)\.|[^\d\s.,+-]*) ?(?<!\w)(-?) ?([0-9][0-9 ',.]*|[.,][0-9]+)"
    r"(?:(?<=[.,])[-–—]{1,2})? ?([^\d\s-]*)"
)
# What stands beside a price; not what has thousandths, such as KWD, nor what are hundredths: "99¢".
_CURRENCY: Final = re.compile(
    r"[A-Z]{0,3}[$£€¥￥₡₦₩₪₫₭₮₱₲₴₵₸₹₺₼₽₾฿₿]|(?:kr|Rs|руб)\.?|Fr\.|zł|Kč|Ft|TL|lei|лв|円|元|"
    "AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|"
    "BYN|BZD|CAD|CDF|CHF|CLP|CNY|COP|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|"
    "GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IRR|ISK|JMD|JPY|KES|KGS|KHR|"
    "KMF|KPW|KRW|KYD|KZT|LAK|LBP|LKR|LRD|LSL|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|"
    "MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|PAB|PEN|PGK|PHP|PKR|PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|"
    "SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SYP|SZL|THB|TJS|TMT|TOP|TRY|TTD|TWD|TZS|UAH|UGX|"
    "USD|UYU|UZS|VES|VND|VUV|WST|XAF|XCD|XCG|XOF|XPF|YER|ZAR|ZMW|ZWG"
)
_AS_ASCII: Final = {
    0x066B: ".",  # decimal and group separators of Arabic
    0x066C: ",",
    0x2212: "-",
    0x2019: "'",
    0x02BC: "'",
    **dict.fromkeys((0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
}


def number(text: str, *, whole: bool = False, decimal: str | None = None) -> Decimal | None:
    """Read a number, in any script's digits; None for what is none.

    Digits may be grouped by points, commas, blanks or apostrophes. What stands before decimals is
    `decimal`, or the last of two different separators; a single comma with three digits behind it
    groups, and so does such a point if the number is to be `whole`.

    >>> number("1.234,50"), number("1,234"), number("1.234"), number("1.234", whole=True)
    (Decimal('1234.50'), Decimal('1234'), Decimal('1.234'), Decimal('1234'))
    """
    text = text.strip()
    if decimal != "," and not whole and SIMPLE.fullmatch(text):
        return Decimal(text)
    if len(text) > _LONGEST:
        return None
    return _number(_plain(text), whole=whole, decimal=decimal)


def price(text: str, *, decimal: str | None = None) -> Decimal | None:
    """Read the first number of a text that has more than that: its currency, words.

    With anything but a currency it needs the extra `convert`, if there are digits at all. A single
    separator with three digits behind it groups.
    """
    if len(text) > _LONGEST or not any(map(str.isdecimal, text)):
        return None
    if (amount := _money(_plain(text), decimal=decimal)) is not None:
        return amount
    try:
        from price_parser import Price
    except ImportError:
        raise MissingExtra(f"a number with other text ({text!r:.40})", "convert") from None
    text = _APOSTROPHE.sub("", _plain(text))
    found = Price.fromstring(text, decimal_separator=decimal)
    if found.amount is None or found.amount_text is None:
        return None
    amount = _number(found.amount_text, whole=True, decimal=decimal)
    if amount is None and "€" in found.amount_text:  # "35€99"
        amount = found.amount
    before, _, after = text.partition(found.amount_text)
    if amount is None or _TIMES.match(after):  # "$1.2M" is not 1.2
        return None
    return -amount if _MINUS.search(before) else amount


def _money(text: str, *, decimal: str | None) -> Decimal | None:
    """Read a number with one currency beside it, and nothing else: `-£51.77`, `12,– €`."""
    found = _MONEY.fullmatch(text)
    if found is None:
        return None
    minus, before, other_minus, digits, after = found.groups()
    currency = before or after
    if (before and after) or (minus and other_minus) or not _CURRENCY.fullmatch(currency):
        return None
    return _number(f"{minus}{other_minus}{digits.strip()}", whole=True, decimal=decimal)


def _number(text: str, *, whole: bool, decimal: str | None) -> Decimal | None:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, digits, exponent = found.groups()
    point = decimal or _point(digits, whole=whole)
    head, _, tail = digits.partition(point) if point else (digits, "", "")
    if tail and not tail.isdecimal():
        return None
    if head and not _GROUPS.fullmatch(head):
        return None
    units = re.sub("[^0-9]", "", head)
    return Decimal(f"{sign}{units}{tail and '.'}{tail}{exponent}")


def _point(digits: str, *, whole: bool) -> str:
    """Return the separator that stands before decimals, as it looks; none if there are none."""
    last = max(digits.rfind("."), digits.rfind(","))
    separator = digits[last] if last >= 0 else ""
    if not separator or digits.count(separator) > 1:
        return ""
    head, tail = digits[:last], digits[last + 1 :]
    if len(tail) != 3 or not head.isdecimal() or len(head) > 3 or head[0] == "0":
        return separator
    return "" if separator == "," or whole else "."


def _plain(text: str) -> str:
    """Return text with the digits, signs and blanks of ASCII."""
    if text.isascii():
        return " ".join(text.split())
    text = " ".join(text.translate(_AS_ASCII).split())
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text
    )
