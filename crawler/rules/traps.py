"""Does a URL lead into an endless space?"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_MOST_SEGMENTS = 20
_MOST_PARAMETERS = 30
_MOST_COPIES = 3
_MOST_IN_A_ROW = 4
"""Copies of one word, of which three may be so: `/new-york/new-york/new-york/`."""
_MOST_ANYWHERE = 4
_MOST_NUMBERS = 5
"""Copies of a number or letter in a row that may well be: `/tiles/3/3/3`."""
_MOST_SESSIONS = 3
"""As often is a URL followed that differs in the id of its session only."""
_MOST_SIDS = 20
_MOST_FOLDERS = 4_096
"""Remembered; a hostile host's are 5 kB each."""
_YEARS_AHEAD = 3
LAST_YEAR = 2150
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
_WHOLE_DAY = re.compile(_DAY.pattern + r"(?:\2\d\d?(?!\d))?")
_PARTS = re.compile(r"(?:^|[&_.\[-])(?:month|mon|week|day|[mdw])\]?=(\d\d?)(?=&|$)", re.IGNORECASE)
_YEAR = re.compile(r"(?:^|[&_.\[-])(?:year|yr|jahr|annee|anno)\]?=(\d{4})(?=&|$)", re.IGNORECASE)
_DATE = re.compile(
    r"(?:^|[&_.\[-])(?:date|day|month|week|cal|calendar|start|end|from|to|ym|d|m)\]?="
    r"(\d{4})(?P<rest>-(?:0?[1-9]|1[0-2])(-\d\d?)?)(?=[&T]|$)",
    re.IGNORECASE,
)
# A name like `sid` may be anything's: only what looks drawn at random is an id of a session there.
_SESSION = re.compile(
    r"[?&;](?:(?:phpsessid|[aj]sessionid|aspsessionid\w*|oscsid|zenid)"
    r"=(?=[a-z_]*\d)[0-9a-z_]{16,}[^&;/?]*"
    r"|(?:cfid=[\w-]+&)?cftoken=[\w-]{8,}"
    r"|(sid|session_?id)=(?:[0-9a-f]{32,}+|(?=[0-9a-z]{24})\d*+(?:[a-z]++\d++){3}[0-9a-z]*+)"
    r"(?=[&;/?]|$))"
    r"|/\(s\([0-9a-z]{16,}\)\)",
    re.IGNORECASE,
)
# What is left without such an id names a page of its own: `viewtopic.php?t=7`.
_NAMED = re.compile(
    r"[?&](?:\w*id|[cftn]|art|article|item|post|product|thread|topic)=\d", re.IGNORECASE
)


class Trap(NamedTuple):
    """What a URL shows signs of; `is_sure` where no site of use has such URLs."""

    kind: str
    is_sure: bool


_REPETITION = Trap("repetition", is_sure=True)
_REPEATED = Trap("repetition", is_sure=False)
_DEPTH = Trap("depth", is_sure=True)
_PARAMETERS = Trap("query", is_sure=True)
_FAR_DATE = Trap("calendar", is_sure=False)
_IN_SESSION = Trap("session", is_sure=False)


class _Folder(NamedTuple):
    """What the folder of a page says of all pages in it."""

    trap: Trap | None
    segments: Sequence[str]
    is_year: bool


def trap_of(url: str, *, year: int) -> Trap | None:
    """Return the trap that a canonical URL looks like, None for most; `year` is this year.

    `repetition`: a sequence of folders, or a parameter with its value, is there three times; of one
    folder that is a sign, as is one all over. `depth`: more than 20 segments. `query`: more than 30
    parameters. `calendar`: a date more than three years ahead, or before 1970 in a calendar.
    `session`: a session's id. 2 µs.
    """
    path, _, query = url.partition("?")
    cut = path.rindex("/") + 1
    folder, name = _folder(path[:cut], year), path[cut:]
    trap = folder.trap
    if trap is not None and trap.is_sure:
        return trap
    if name in folder.segments and name:
        trap = _surer(trap, _repetition([*folder.segments, name]))
    if trap is None:
        trap = _name_trap(path, name, year, is_day=folder.is_year)
    return _surer(trap, _query_trap(path, query, year)) if query else trap


def far_date(url: str, *, year: int) -> str:
    """Return the date more than three years ahead that is in a URL, its year first; "" if none."""
    path, _, query = url.partition("?")
    found = _WHOLE_DAY.search(path)
    if found is not None and int(found[1]) > year + _YEARS_AHEAD:
        return found[0]
    found = _YEAR.search(query) or _DATE.search(query)
    if found is None or int(found[1]) <= year + _YEARS_AHEAD:
        return ""
    rest = found["rest"] if found.re is _DATE else " ".join(_PARTS.findall(query))
    return found[1] + rest


def without_session(url: str) -> str:
    """Return a URL without the id of a session."""
    return _SESSION.sub("", url)


def is_surely_session(url: str, found: int) -> bool:
    """True if an id in a URL is a session's, as `found` of them were found with the same rest.

    What is called `sid` may name the page itself, so that the rest must name one without it.
    """
    session = _SESSION.search(url)
    if session is None or session[1] is None:
        return found > _MOST_SESSIONS
    return found > _MOST_SIDS and _NAMED.search(without_session(url)) is not None


@lru_cache(maxsize=_MOST_FOLDERS)
def _folder(folder: str, year: int) -> _Folder:
    segments = folder.split("/")[3:-1]
    is_year = bool(segments) and len(segments[-1]) == 4 and segments[-1].isdecimal()
    trap: Trap | None = None
    if len(segments) > _MOST_SEGMENTS:
        return _Folder(_DEPTH, (), is_year)  # no thousand segments of a hostile URL are kept
    if len(set(segments)) < len(segments):
        trap = _repetition(segments)
    if trap is None and (";" in folder or "(" in folder) and _SESSION.search(folder):
        trap = _IN_SESSION
    if trap is None:
        trap = _day(folder, folder, year)
    return _Folder(trap, segments, is_year)


def _surer(one: Trap | None, other: Trap | None) -> Trap | None:
    return other if other is not None and (one is None or other.is_sure) else one


def _repetition(segments: Sequence[str]) -> Trap | None:
    """Return the trap of segments that are there three times in a row, or a word all over."""
    trap: Trap | None = None
    different = {*segments}
    for segment in different:
        if segments.count(segment) > _MOST_ANYWHERE and _LETTER.search(segment):
            # `/node_modules/a/node_modules/b/...` has as many names of its own.
            if len(segments) > 2 * len(different):
                return _REPETITION
            trap = _REPEATED
    for period in range(1, len(segments) // _MOST_COPIES + 1):
        run = 0
        for index in range(period, len(segments)):
            run = run + 1 if segments[index] == segments[index - period] else 0
            copied = segments[index - period + 1 : index + 1]
            is_wordy = any(map(_LETTER.search, copied)) and (period > 1 or len(copied[0]) > 1)
            most = _MOST_COPIES if is_wordy else _MOST_NUMBERS
            if run >= period * (most - 1) and copied[0]:
                if period > 1 or run >= _MOST_IN_A_ROW - 1:
                    return _REPETITION
                trap = _REPEATED
    return trap


def _name_trap(path: str, name: str, year: int, *, is_day: bool) -> Trap | None:
    """Return the trap of a page's own name."""
    if len(name) > 5 and name[:4].isdecimal() and (trap := _day(path, name, year)):
        return trap
    if is_day and (trap := _day(path, path, year)):
        return trap
    return _IN_SESSION if ";" in name and _SESSION.search(name) else None


def _day(path: str, text: str, year: int) -> Trap | None:
    """Return the trap of a date in `text`, which is a part of `path`."""
    found = _DAY.search(text)
    if found is None:
        return None
    named = int(found[1])
    if named > year + _YEARS_AHEAD:
        is_date = (
            named <= LAST_YEAR
            or _CALENDAR.search(path)
            or (found[2] == "-" and _EVENTS.search(path))
        )
        return _FAR_DATE if is_date else None
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
            is_date = named <= LAST_YEAR or found.re is _YEAR or found[3] is not None
            return _FAR_DATE if is_date else None
        if named < _FIRST_YEAR and _CALENDAR.search(path + "?"):
            return _FAR_DATE
    if len(query) > 15 and _SESSION.search("?" + query):
        return _IN_SESSION
    return None
