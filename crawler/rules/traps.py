"""Does a URL lead into an endless space?"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_MOST_SEGMENTS = 20
_MOST_PARAMETERS = 30
_MOST_COPIES = 3
_MOST_ANYWHERE = 4
_MOST_NUMBERS = 5
"""Copies of a number or letter in a row that may well be: `/tiles/3/3/3`."""
_MOST_FOLDERS = 4_096
"""Remembered; a hostile host's are 5 kB each."""
_YEARS_AHEAD = 3
_LAST_YEAR = 2150
"""Larger numbers are years only where a calendar says so: there are parts `2845-11`."""
_FIRST_YEAR = 1970

_LETTER = re.compile(r"[^\W\d]")
_FOUR_DIGITS = re.compile(r"\d{4}")
_CALENDAR = re.compile(r"/(?:calend[ae]r|calendrier|calendario|kalend[ae]r)s?[/.?]", re.IGNORECASE)
# Below these a number and another may be an event and its page: `/events/2045/10/`.
_EVENTS = re.compile(
    r"/(?:cal|agenda|termine|schedules?|events?|months?|weeks?|days?)[/.?]", re.IGNORECASE
)
_DAY = re.compile(r"(?<![\d-])(\d{4})([/-])(0?[1-9]|1[0-2])(?!\d)")
_YEAR = re.compile(r"(?:^|[&_.\[-])(?:year|yr|jahr|annee|anno)\]?=(\d{4})(?=&|$)", re.IGNORECASE)
_DATE = re.compile(
    r"(?:^|[&_.\[-])(?:date|day|month|week|cal|calendar|start|end|from|to|ym|d|m)\]?="
    r"(\d{4})-(?:0?[1-9]|1[0-2])(-\d\d?)?(?=[&T]|$)",
    re.IGNORECASE,
)
_SESSION = re.compile(
    r"[?&;](?:phpsessid|[aj]?sessionid|session_?id|aspsessionid\w*|oscsid|zenid|sid)"
    r"=(?=[a-z_]*\d)[0-9a-z_]{16,}[^&;/?]*|/\(s\([0-9a-z]{16,}\)\)",
    re.IGNORECASE,
)


class Trap(NamedTuple):
    """What a URL shows signs of; `is_sure` where no site of use has such URLs."""

    kind: str
    is_sure: bool


_REPETITION = Trap("repetition", is_sure=True)
_DEPTH = Trap("depth", is_sure=True)
_PARAMETERS = Trap("query", is_sure=True)
_IN_CALENDAR = Trap("calendar", is_sure=True)
_FAR_DATE = Trap("calendar", is_sure=False)
_IN_SESSION = Trap("session", is_sure=False)


class _Folder(NamedTuple):
    """What the folder of a page says of all pages in it."""

    trap: Trap | None
    segments: Sequence[str]
    is_year: bool


def trap_of(url: str, *, year: int) -> Trap | None:
    """Return the trap that a canonical URL looks like, None for most; `year` is this year.

    `repetition`: a sequence of folders, or a parameter with its value, is there three times.
    `depth`: more than 20 segments. `query`: more than 30 parameters. `calendar`: a date more than
    three years ahead, or before 1970 in a calendar. `session`: a session's id. 1 µs.
    """
    path, _, query = url.partition("?")
    cut = path.rindex("/") + 1
    folder, name = _folder(path[:cut], year), path[cut:]
    if folder.trap is not None:
        return folder.trap
    if name in folder.segments and name and _repeats([*folder.segments, name]):
        return _REPETITION
    if len(name) > 5 and name[:4].isdecimal() and (trap := _day(path, name, year)):
        return trap
    if folder.is_year and (trap := _day(path, path, year)):
        return trap
    if ";" in name and _SESSION.search(name):
        return _IN_SESSION
    return _query_trap(path, query, year) if query else None


def without_session(url: str) -> str:
    """Return a URL without the id of a session."""
    return _SESSION.sub("", url)


@lru_cache(maxsize=_MOST_FOLDERS)
def _folder(folder: str, year: int) -> _Folder:
    segments = folder.split("/")[3:-1]
    is_year = bool(segments) and len(segments[-1]) == 4 and segments[-1].isdecimal()
    trap: Trap | None = None
    if len(segments) > _MOST_SEGMENTS:
        return _Folder(_DEPTH, (), is_year)  # no thousand segments of a hostile URL are kept
    if len(set(segments)) < len(segments) and _repeats(segments):
        trap = _REPETITION
    elif (";" in folder or "(" in folder) and _SESSION.search(folder):
        trap = _IN_SESSION
    else:
        trap = _day(folder, folder, year)
    return _Folder(trap, segments, is_year)


def _repeats(segments: Sequence[str]) -> bool:
    """True if a sequence of segments is there three times in a row, or a word all over."""
    for segment in {*segments}:
        if segments.count(segment) > _MOST_ANYWHERE and _LETTER.search(segment):
            return True
    for period in range(1, len(segments) // _MOST_COPIES + 1):
        run = 0
        for index in range(period, len(segments)):
            run = run + 1 if segments[index] == segments[index - period] else 0
            copied = segments[index - period + 1 : index + 1]
            is_wordy = any(map(_LETTER.search, copied)) and (period > 1 or len(copied[0]) > 1)
            most = _MOST_COPIES if is_wordy else _MOST_NUMBERS
            if run >= period * (most - 1) and copied[0]:
                return True
    return False


def _day(path: str, text: str, year: int) -> Trap | None:
    """Return the trap of a date in `text`, which is a part of `path`."""
    found = _DAY.search(text)
    if found is None:
        return None
    named = int(found[1])
    if named > year + _YEARS_AHEAD:
        if _CALENDAR.search(path) or (found[2] == "-" and _EVENTS.search(path)):
            return _IN_CALENDAR
        return _FAR_DATE if named <= _LAST_YEAR else None
    return _FAR_DATE if named < _FIRST_YEAR and _CALENDAR.search(path) else None


def _query_trap(path: str, query: str, year: int) -> Trap | None:
    parameters = query.count("&") + 1
    if parameters > _MOST_PARAMETERS:
        return _PARAMETERS
    if parameters >= _MOST_COPIES:
        pairs = query.split("&")
        if len(set(pairs)) <= parameters - (_MOST_COPIES - 1) and any(
            pair[-1:] not in ("", "=") and pairs.count(pair) >= _MOST_COPIES for pair in set(pairs)
        ):
            return _REPETITION
    if _FOUR_DIGITS.search(query) and (found := _YEAR.search(query) or _DATE.search(query)):
        named = int(found[1])
        if named > year + _YEARS_AHEAD:
            is_date = named <= _LAST_YEAR or found.re is _YEAR or found[2] is not None
            return _IN_CALENDAR if is_date else None
        if named < _FIRST_YEAR and _CALENDAR.search(path + "?"):
            return _FAR_DATE
    if len(query) > 17 and _SESSION.search("?" + query):
        return _IN_SESSION
    return None
