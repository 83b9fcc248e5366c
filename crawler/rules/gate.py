"""May a URL that is new be queued, and how far behind?"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

from crawler import urls
from crawler.request import Request
from crawler.rules.crowds import Crowd, Crowds
from crawler.rules.dates import Dates
from crawler.rules.shapes import names_of
from crawler.rules.traps import Trap, is_surely_session, trap_of, without_session

log = logging.getLogger(__name__)

Mode = Literal["skip", "report", "ignore"]
Count = Callable[[str], None]

KEPT = "trap "
"""How the names of traps begin that are kept for the run."""
_MOST_SEEN = 100
"""Traps that are named, by host and kind."""
_MOST_QUERIES = 1_000
_MOST_NAMINGS = 1_000
_MOST_PATHS = 2_000
_MOST_KNOWN = 100_000
"""Namings of all paths."""
_MOST_PAGES = 20_000
_LARGE_TREE = 1_000
_TREE_DEPTH = 6

_QUERIES = Trap("query", is_sure=False)
_NAMINGS = Trap("query", is_sure=True)
_TREE = Trap("tree", is_sure=False)
_SESSIONS = Trap("session", is_sure=True)
_CALENDAR = Trap("calendar", is_sure=True)


class Gate:
    """Judges each URL that a crawl has found and did not know, before it is queued.

    `mode` says what becomes of traps: `skip` leaves out those that are surely one. A `Memory`: the
    first URL of each host and kind is named to the whole run. Seeds are the user's own, and what is
    made `again` is wanted: neither is judged.
    """

    def __init__(self, mode: Mode = "skip", *, year: int | None = None) -> None:
        self._mode = mode
        self._year = datetime.now(UTC).year if year is None else year
        self._crowds = Crowds()
        self._dates = Dates(self._year)
        self._namings: dict[str, set[int]] = {}
        self._known_namings = 0
        self._queries: dict[str, int] = {}
        self._sessions: dict[int, int] = {}
        self.seen: dict[tuple[str, str], str] = {}
        """Traps that were met: host and kind → a URL."""
        self._new: dict[str, bytes] = {}

    def admit(self, request: Request, count: Count) -> int | None:
        """Return how many levels deeper than it is a request is queued; None: it is left out.

        `count` is called with the names of counters: `trap.KIND`, and `left_out.trap`.
        """
        if request.kind != "page" or request.again or not (request.depth or request.parent):
            return 0
        crowd = self._crowds.join(request.url)
        if self._mode != "ignore":
            trap = trap_of(request.url, year=self._year) or self._growing(request.url, crowd)
            if trap is not None and trap.kind == "session":
                trap = self._in_session(request.url, trap)
            elif trap is not None and trap.kind == "calendar":
                trap = _CALENDAR if self._dates.are_endless(request.url) else trap
            if trap is not None and not self._passes(trap, request.url, count):
                return None
        return crowd.lag if request.depth else 0

    def changes(self) -> Mapping[str, bytes]:
        """Return the traps that are new, by host and kind."""
        new, self._new = self._new, {}
        return new

    def learn(self, name: str, value: bytes) -> None:
        """Hear of a trap that an earlier life or another process met."""
        if name.startswith(KEPT):
            key, url = trap_kept(name, value)
            self.seen.setdefault(key, url)

    def _passes(self, trap: Trap, url: str, count: Count) -> bool:
        """Name and count a trap; False if it is left out."""
        passes = self._mode == "report" or not trap.is_sure
        count(f"trap.{trap.kind}")
        if not passes:
            count("left_out.trap")
        key = (urls.host_of(url), trap.kind)
        if key not in self.seen and len(self.seen) < _MOST_SEEN:
            self.seen[key] = url
            self._new[KEPT + " ".join(key)] = url.encode()
            verb = "followed" if passes else "left out"
            log.warning("looks like a trap (%s), %s: %s", trap.kind, verb, url)
        return passes

    def _in_session(self, url: str, trap: Trap) -> Trap:
        """Count how many sessions a page was found in."""
        page = hash(without_session(url))
        if len(self._sessions) >= _MOST_PAGES:
            self._sessions.clear()
        found = self._sessions[page] = self._sessions.get(page, 0) + 1
        return _SESSIONS if is_surely_session(url, found) else trap

    def _growing(self, url: str, crowd: Crowd) -> Trap | None:
        """Return the trap that shows by how many URLs there are of a kind."""
        if crowd.is_many and crowd.size > _LARGE_TREE and url.count("/") > _TREE_DEPTH:
            return _TREE
        return self._exploding(url) if url.count("&") > 2 else None

    def _exploding(self, url: str) -> Trap | None:
        """Count the queries of four and more parameters of one path, and their sets of names."""
        path, _, query = url.partition("?")
        if len(self._queries) >= _MOST_PATHS or self._known_namings >= _MOST_KNOWN:
            self._queries.clear()
            self._namings.clear()
            self._known_namings = 0
        queries = self._queries[path] = self._queries.get(path, 0) + 1
        namings = self._namings.setdefault(path, set())
        names = hash(names_of(query))
        if names not in namings:
            if len(namings) >= _MOST_NAMINGS:
                return _NAMINGS
            namings.add(names)
            self._known_namings += 1
        return _QUERIES if queries > _MOST_QUERIES else None


def trap_kept(name: str, value: bytes) -> tuple[tuple[str, str], str]:
    """Return host, kind and URL of a trap, from what is kept of it."""
    host, _, kind = name.removeprefix(KEPT).rpartition(" ")
    return (host, kind), value.decode()
