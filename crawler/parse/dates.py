"""Dates as sites write them.

Source: www.w3.org/TR/NOTE-datetime (sitemaps, Atom) and RFC 822 (RSS, robots directives).
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

_W3C = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?"
    r" ?(?:(Z)|([+-])(\d\d):?(\d\d))?)?)?)?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST = 60
_END = datetime.max.replace(tzinfo=UTC)


class Span(NamedTuple):
    """What a date may mean: `2024` is a whole year, `2024-05-06` a day."""

    first: datetime
    last: datetime


def span(text: str) -> Span | None:
    """Read a date; without time zone it is UTC. None for what is no date."""
    text = text.strip()[:_LONGEST]
    try:
        found = _W3C.fullmatch(text)
        return _w3c(found) if found else _rfc822(text)
    except (ValueError, OverflowError):
        return None


def _rfc822(text: str) -> Span:
    moment = parsedate_to_datetime(text)
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return Span(moment, moment)


def _w3c(found: re.Match[str]) -> Span:
    year, month, day, hour, minute, second = (
        int(part) if part else None for part in found.groups()[:6]
    )
    zone = UTC
    if found[8]:
        ahead = timedelta(hours=int(found[9]), minutes=int(found[10]))
        zone = timezone(ahead if found[8] == "+" else -ahead)
    first = datetime(
        year or 0, month or 1, day or 1, hour or 0, minute or 0, min(second or 0, 59), tzinfo=zone
    )
    if month is None:
        return Span(first, _before(first, years=1))
    if day is None:
        return Span(first, _before(first, years=month // 12, month=month % 12 + 1))
    length = timedelta(seconds=1) if second is not None else timedelta(minutes=1)
    if hour is None:
        length = timedelta(days=1)
    return Span(first, first + (length - timedelta.resolution))


def _before(first: datetime, *, years: int, month: int = 1) -> datetime:
    """The last moment before a month that begins so many years later."""
    if first.year + years > _END.year:
        return _END
    return first.replace(year=first.year + years, month=month) - timedelta.resolution
