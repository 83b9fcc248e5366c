"""Do the dates of a calendar go on and on?"""

from crawler.rules.shapes import shape_of
from crawler.rules.traps import LAST_YEAR, far_date

_MOST_NEAR = 300
"""Dates far ahead of one shape: a projection has a hundred years, a Nepali archive 25 of months."""
_MOST_LATE = 1_000
"""Dates beyond 2150: years of other calendars, and numbers that look like dates."""
_MOST_KNOWN = 20_000


class Dates:
    """Counts the different dates far ahead that URLs of one shape have.

    A process's own guess: forgotten with it, and cut when it grows large.
    """

    def __init__(self, year: int) -> None:
        self._year = year
        self._near: dict[int, set[int]] = {}
        self._late: dict[int, set[int]] = {}
        self._known = 0

    def are_endless(self, url: str) -> bool:
        """True for one more date of a shape that had too many; those it had are not."""
        date = far_date(url, year=self._year)
        if not date:
            return False
        if self._known >= _MOST_KNOWN:
            self._near.clear()
            self._late.clear()
            self._known = 0
        shape, key = hash(shape_of(url)), hash(date)
        near = self._near.setdefault(shape, set())
        late = self._late.setdefault(shape, set())
        if key in near or key in late:
            return False
        if len(near) >= _MOST_NEAR or len(late) >= _MOST_LATE:
            return True
        (late if int(date[:4]) > LAST_YEAR else near).add(key)
        self._known += 1
        return False
