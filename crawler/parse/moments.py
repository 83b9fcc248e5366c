"""Dates and times as fields have them."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final

from crawler.errors import MissingExtra, SpiderError

_LONGEST: Final = 100
# Not all that `fromisoformat` takes: no weeks, and no row of digits, which may be a timestamp.
_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?: ?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
# With points the day comes first wherever they are in use; "en" would have the month there.
_POINTS: Final = re.compile(r"(?<![0-9.])[0-9]{1,2}\. ?[0-9]{1,2}\. ?([0-9]{4}|[0-9]{2})(?![0-9.])")


def moment(text: str, languages: tuple[str, ...]) -> datetime | None:
    """Read a date, with or without a time; None for what is none, or has no day, month or year.

    ISO 8601 is read at once; all else takes dateparser, of the extra `convert`, some milliseconds.
    Words like "yesterday" are counted from now, in UTC. In `5.6.2024` the day is first, unless one
    of `languages` is "en-US".
    """
    text = text.strip()
    try:
        if _ISO.fullmatch(text):
            return datetime.fromisoformat(text.upper())
        if len(text) > _LONGEST or not text:
            return None
        points = "en-US" not in languages and _POINTS.search(text)
        if points and points[0] == text and len(points[1]) == 4:
            return datetime.strptime(text.replace(" ", ""), "%d.%m.%Y")
        return _reader(languages, day_first=bool(points))(text)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=100)
def _reader(languages: tuple[str, ...], *, day_first: bool) -> Callable[[str], datetime | None]:
    try:
        from dateparser.date import (  # type: ignore[import-untyped]  # it ships no types
            DateDataParser,
        )
    except ImportError:
        raise MissingExtra("a date that is not ISO 8601", "convert") from None
    settings: dict[str, object] = {"REQUIRE_PARTS": ["day", "month", "year"], "TIMEZONE": "UTC"}
    if day_first:
        settings |= {"DATE_ORDER": "DMY", "PREFER_LOCALE_DATE_ORDER": False}
    try:
        parser = DateDataParser(locales=list(languages), settings=settings)
        parser.get_date_data("1 1 2000")
    except ValueError as error:
        raise SpiderError(f"languages={languages!r}: {error}") from None

    def read(text: str) -> datetime | None:
        found: datetime | None = parser.get_date_data(text).date_obj
        return found

    return read
