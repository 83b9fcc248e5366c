"""When may we ask again?"""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct, structs

from crawler.outcome import HostNotes
from crawler.settings import Settings

_LONGEST_BACKOFF = 60.0
_LEASE_SECONDS = 2.0
_LARGEST_BATCH = 64
# A number of seconds has no upper bound (RFC 9110 10.2.3); this one keeps sums finite.
_LONGEST_WISH = 1e12

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
# The three forms of RFC 9110 5.6.7: IMF-fixdate, RFC 850, asctime.
_DATES = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"[a-z]{{3}}, (?P<day>\d\d) (?P<month>[a-z]{{3}}) (?P<year>\d{{4}}) {_TIME} GMT",
        rf"[a-z]{{6,9}}, (?P<day>\d\d)-(?P<month>[a-z]{{3}})-(?P<year>\d\d) {_TIME} GMT",
        rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds a Retry-After header asks for (RFC 9110 10.2.3).

    A date in the past is 0.0; what is neither seconds nor a date is None. `now` is seconds since
    the epoch.
    """
    text = (value or "").strip(" \t")
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WISH)
    for form in _DATES:
        if match := form.fullmatch(text):
            at = _seconds(match.groupdict(), now)
            return None if at is None else max(0.0, at - now)
    return None


def retry_in(
    attempt: int, *, backoff: float, asked: float | None, random: Callable[[], float]
) -> float:
    """Return the seconds to wait after attempt number `attempt` (from 1) failed.

    `backoff`, doubled with each attempt, at most 60 s, unless the server asked for its own time.
    """
    if asked is not None:
        return asked
    # Equal jitter: the fixed half is a rest the server can count on, the random half keeps requests
    # that failed together from coming back together.
    longest = min(backoff * 2.0 ** min(attempt - 1, 64), _LONGEST_BACKOFF)
    return longest / 2 + longest / 2 * random()


class Pace(Struct, frozen=True):
    """How fast a host is asked: seconds between two requests, and requests in flight."""

    delay: float
    per_host: int

    @property
    def batch(self) -> int:
        """How many requests such a host can be given in about two seconds."""
        if self.delay * _LARGEST_BATCH <= _LEASE_SECONDS:
            return _LARGEST_BATCH
        return max(1, math.ceil(_LEASE_SECONDS / self.delay))


def pace_of(*, delay: float, per_host: int, crawl_delay: float | None) -> Pace:
    """Return a host's pace; a crawl-delay replaces a smaller delay and allows one in flight."""
    if crawl_delay is None:
        return Pace(delay, per_host)
    return Pace(max(delay, crawl_delay), 1)


def crawl_delay_of(settings: Settings, notes: HostNotes | None) -> float | None:
    """Return the crawl-delay that counts, if a host's notes have one."""
    if notes is None or notes.crawl_delay is None:
        return None
    return min(notes.crawl_delay, settings.max_crawl_delay)


def pace_at(settings: Settings, crawl_delay: float | None, slots: int | None = None) -> Pace:
    """Return the pace of a host with this crawl-delay, `slots` requests in flight at most."""
    most = settings.per_host if slots is None else min(slots, settings.per_host)
    return pace_of(delay=settings.delay, per_host=most, crawl_delay=crawl_delay)


def unhurried(settings: Settings) -> Settings:
    """Return settings without politeness where stored pages answer: nobody is asked.

    Nor is anything asked for again: it would be answered the same.
    """
    if not settings.source:
        return settings
    return structs.replace(
        settings,
        delay=0.0,
        per_host=settings.concurrency,
        per_ip=None,
        throttle=False,
        host_failures=None,
        obey_robots=False,
        retries=0,
        proxy=None,
        trust_env=False,
    )


def rest_of(settings: Settings, notes: HostNotes) -> float:
    """Return the seconds that have to lie between two requests to a host."""
    return pace_at(settings, crawl_delay_of(settings, notes)).delay


def _seconds(parts: dict[str, str], now: float) -> float | None:
    month = parts["month"].lower()
    if month not in _MONTHS:
        return None
    try:
        return datetime(
            _year(parts["year"], now),
            _MONTHS.index(month) + 1,
            int(parts["day"]),
            int(parts["hour"]),
            int(parts["minute"]),
            min(int(parts["second"]), 59),  # a leap second has no place in datetime
            tzinfo=UTC,
        ).timestamp()
    except ValueError:
        return None


def _year(text: str, now: float) -> int:
    """Read a year; two digits more than 50 years ahead mean the past (RFC 9110 5.6.7)."""
    if len(text) == 4:
        return int(text)
    latest = datetime.fromtimestamp(now, UTC).year + 50
    return latest - (latest - int(text)) % 100
