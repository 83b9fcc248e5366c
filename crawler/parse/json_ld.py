"""JSON-LD as pages have it: mostly JSON."""

import json
import math
import re
from collections.abc import Iterator
from html import unescape
from typing import Any, Final

import msgspec

Thing = dict[str, Any]
"""An object of JSON-LD, `@type` and all."""

_DEEPEST: Final = 100
_WRAPPING: Final = re.compile(r"\A\s*(?:(?://|/\*)?\s*(?:<!--|<!\[CDATA\[)\s*(?:\*/)?)")
# Both go on to the end if nobody closed them: so each is looked for once.
_COMMENTS: Final = re.compile(
    r'("(?:[^"\\]++|\\(?:.|\Z))*+(?:"|\Z))|/\*(?:.*?\*/|.*+)|//[^\n]*+', re.DOTALL
)
_COMMAS: Final = re.compile(r'("(?:[^"\\]++|\\(?:.|\Z))*+(?:"|\Z))|,(?=\s*+[}\]])', re.DOTALL)
# JSON has no others; PHP and hands write "it\'s".
_ESCAPES: Final = re.compile(r'(\\["\\/bfnrtu])|\\(.)', re.DOTALL)
_START: Final = re.compile(r"[\[{]")


def things_in(text: str) -> list[Thing] | None:
    """Return the objects that a script of JSON-LD has, those in lists one by one.

    Raw line breaks and needless escapes in strings, comments, commas before a closing bracket, NaN,
    several values in a row, and quotes as `&quot;` are forgiven. None for what cannot be read, or
    is nested deeper than 100 levels.
    """
    try:
        values = [msgspec.json.decode(text.encode("utf-8", "replace"))]
    except (msgspec.DecodeError, RecursionError):
        try:
            values = _encodable(list(_mended(text)))
        except (msgspec.DecodeError, RecursionError):
            return None
    things = [thing for value in values for thing in _objects(value)]
    return things if things and not any(_is_deep(thing) for thing in things) else None


def _objects(value: Any) -> Iterator[Thing]:
    """Yield an object, or those of a list, which may be one of lists."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
        elif isinstance(one, list):
            waiting += reversed(one)


def _mended(text: str) -> Iterator[Any]:
    if '"' not in text:  # a template escaped it as if it were text of HTML
        text = unescape(text)
    text = _ESCAPES.sub(r"\1\2", _WRAPPING.sub("", text))
    text = _COMMAS.sub(r"\1", _COMMENTS.sub(r"\1", text))
    decoder = json.JSONDecoder(
        strict=False, parse_constant=lambda _: None, parse_float=_finite, parse_int=_whole
    )
    end = 0
    while start := _START.search(text, end):
        try:
            value, end = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            return
        yield value


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) < 1_000 else None  # of more than 4,300 Python makes none


def _encodable(values: list[Any]) -> list[Any]:
    """Return JSON without halves of surrogate pairs, which no encoding has."""
    text = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
    return msgspec.json.decode(text, type=list[Any])


def _is_deep(thing: Thing) -> bool:
    level: list[Any] = [thing]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
