"""Requests in SQLite: queued, delayed, failed."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import structs

from crawler.frontier.known import Known
from crawler.request import Request

_MOST_WOKEN = 1_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Request).decode

Row = tuple[int, int, int, bytes]
"""A queued request as it lies in the table: host, rank, id, itself."""
Place = tuple[int, int, int]
"""Where it lies: host, rank, id."""

_AT = "WHERE host = ? AND rank = ? AND id = ?"
BEHIND_ALL = -(2**31) + 1_000
_SEEDING: Place = (1, 0, 1)
"""A run's first request, of its first host."""


def rank_of(request: Request) -> int:
    """Return the place of a request in its host's queue: higher priority, then smaller depth."""
    return (-request.priority << 31) + min(request.depth + request.lag, 2**31 - 1)


class Requests:
    """The tables of requests, for whoever has a transaction open."""

    def __init__(self, connection: sqlite3.Connection, *, known: Known) -> None:
        self._db = connection
        self._known = known
        self._confirmed: set[int] = set()  # claims made by this process, not by a dead one

    def push(self, host: int, number: int, request: Request) -> Row:
        """Return the row of a request that is to be queued."""
        return (host, rank_of(request), number, _encode(request))

    def insert(self, rows: Sequence[Row]) -> None:
        """Queue rows."""
        self._db.executemany("INSERT INTO queue VALUES (?, ?, ?, NULL, ?)", rows)

    def remove(self, places: Iterable[tuple[int, int, int]]) -> None:
        """Take settled requests out, by host, rank and id."""
        self._db.executemany("DELETE FROM queue WHERE host = ? AND rank = ? AND id = ?", places)

    def delay(self, rows: Iterable[tuple[float, int, int, int, Request]]) -> None:
        """Put requests aside: due, id, host, rank, request."""
        self._db.executemany(
            "INSERT INTO delayed VALUES (?, ?, ?, ?, ?)",
            [(due, id_, host, rank, _encode(request)) for due, id_, host, rank, request in rows],
        )

    def wake(self, now: float) -> Counter[int]:
        """Queue delayed requests that are due; return how many of which host."""
        rows = self._db.execute(
            "SELECT host, rank, id, request, due FROM delayed WHERE due <= ? ORDER BY due LIMIT ?",
            (now, _MOST_WOKEN),
        ).fetchall()
        if rows:
            self.insert([row[:4] for row in rows])
            gone = [(row[4], row[2]) for row in rows]
            self._db.executemany("DELETE FROM delayed WHERE due = ? AND id = ?", gone)
        return Counter(row[0] for row in rows)

    def shift(self, seconds: float) -> None:
        """Move the times of all delayed requests."""
        self._db.execute("UPDATE delayed SET due = due + ?", (seconds,))

    def first(self, host: int, limit: int, *, without: Mapping[int, int]) -> list[Request]:
        """Return the first requests of a host that nobody has, leaving out ids of our own."""
        found = self._db.execute(
            "SELECT id, request FROM queue WHERE host = ? AND taken IS NULL"
            " ORDER BY rank, id LIMIT ?",
            (host, limit + len(without)),
        )
        fresh = [(number, data) for number, data in found if number not in without]
        return [_read(number, data) for number, data in fresh[:limit]]

    def mark_taken(self, host: int, places: Iterable[tuple[int, int]], process: int) -> None:
        """Note that a process has requests of a host it shares, by rank and id."""
        self._db.executemany(
            "UPDATE queue SET taken = ? WHERE host = ? AND rank = ? AND id = ?",
            [(process, host, rank, number) for rank, number in places],
        )

    def count_taken(self, host: int) -> int:
        """Return how many requests of a shared host somebody has."""
        row = self._db.execute(
            "SELECT count(*) FROM queue WHERE host = ? AND taken IS NOT NULL", (host,)
        ).fetchone()
        return int(row[0])

    def drop(self, host: int, *, without: Iterable[int]) -> Counter[str]:
        """Drop a host's queue but for ids that somebody has; return how many of which callback."""
        kept = msgspec.json.encode(list(without)).decode()
        where = (
            "FROM queue WHERE host = ? AND taken IS NULL"
            " AND id NOT IN (SELECT value FROM json_each(?))"
        )
        dropped: Counter[str] = Counter()
        for (data,) in self._db.execute(f"SELECT request {where}", (host, kept)):
            dropped[_decode(data).callback] += 1
        self._db.execute(f"DELETE {where}", (host, kept))
        return dropped

    def is_queued(self, place: Place) -> bool:
        """True if a request is in the queue, be it out or not."""
        return self._queued(place) is not None

    def blame(self, place: Place, *, alone: bool) -> bool:
        """Blame a request for the death of a process, if it is still to be settled.

        If it was not `alone`, any one of several may be to blame: it becomes a suspect, and is
        alone with the process from then on. Either way it comes after all others of its host: who
        kills the process from outside hits another one then. Returns if that counts as a crash.
        """
        request = self._queued(place)
        if request is None:
            return False
        counts = alone or request.suspect
        crashes = request.crashes + counts
        if request.kind == "seed":  # it is never alone, and has no host
            self._rewrite(place, structs.replace(request, crashes=crashes))
            return counts
        suspect, priority = not alone or request.suspect, BEHIND_ALL - crashes
        request = structs.replace(request, crashes=crashes, suspect=suspect, priority=priority)
        self.remove([place])
        self.insert([self.push(place[0], place[2], request)])
        return counts

    def seeding_went_on(self) -> None:
        """Forget deaths in the seeding: it has found more than it had before them."""
        request = self._queued(_SEEDING)
        if request is not None and request.crashes:
            self._rewrite(_SEEDING, structs.replace(request, crashes=0))

    def claim(self, finals: Mapping[int, int]) -> set[int]:
        """Make final URLs known to their requests; return the ids of those that came too late."""
        late = set()
        for number, key in finals.items():
            row = self._db.execute("SELECT key FROM claims WHERE request = ?", (number,)).fetchone()
            if row is not None and row[0] != key:
                self._release(number, row[0])
            if row is None or row[0] != key:
                if not self._known.add(key):
                    late.add(number)
                    continue
                self._db.execute("INSERT INTO claims VALUES (?, ?)", (number, key))
                self._db.execute("UPDATE sizes SET known = known + 1")
            self._confirmed.add(number)
        return late

    def settle_claims(self, numbers: Iterable[int]) -> None:
        """Hear that requests are settled: their claims hold for good.

        One of an earlier life that was not made again (the page is no redirect any more) ends.
        """
        # Most crawls have none. What failed keeps its own, so it is looked for, never gone through.
        if self._db.execute("SELECT 1 FROM claims LIMIT 1").fetchone() is None:
            return
        claims = self._db.execute(
            "SELECT request, key FROM claims WHERE request IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(list(numbers)).decode(),),
        ).fetchall()
        for number, key in claims:
            if number in self._confirmed:
                self._db.execute("DELETE FROM claims WHERE request = ?", (number,))
            else:
                self._release(number, key)

    def forget_claims(self, numbers: Iterable[int]) -> None:
        """Hear that the transaction of `settle_claims` is true."""
        if self._confirmed:
            self._confirmed.difference_update(numbers)

    def keep_failed(self, failed: Iterable[tuple[Request, Sequence[str]]]) -> None:
        """Keep requests that failed, and as what, for whoever wants to try them again."""
        rows = [(request.id, _encode(request), " ".join(kinds)) for request, kinds in failed]
        self._db.executemany("INSERT OR REPLACE INTO failed VALUES (?, ?, ?)", rows)

    def take_failed(self, limit: int, *, seeding: bool = False) -> list[tuple[Request, list[str]]]:
        """Take failed requests and the kinds of their failures out, as if they were never tried.

        `seeding`: only the run's first request, which is what seeds it.
        """
        where = "WHERE id = 1" if seeding else ""
        rows = self._db.execute(
            f"SELECT id, request, kinds FROM failed {where} ORDER BY id LIMIT ?", (limit,)
        ).fetchall()
        self._db.executemany("DELETE FROM failed WHERE id = ?", [row[:1] for row in rows])
        return [
            (
                structs.replace(_read(number, data), attempt=1, crashes=0, suspect=False),
                kinds.split(),
            )
            for number, data, kinds in rows
        ]

    def count_callbacks(self, changes: Mapping[str, int]) -> None:
        """Add to the numbers of queued requests by callback."""
        self._db.executemany(
            "INSERT INTO callbacks VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET queued = queued + excluded.queued",
            [(name, change) for name, change in changes.items() if change],
        )

    def _queued(self, place: Place) -> Request | None:
        row = self._db.execute(f"SELECT request FROM queue {_AT}", place).fetchone()
        return _decode(row[0]) if row is not None else None

    def _rewrite(self, place: Place, request: Request) -> None:
        self._db.execute(f"UPDATE queue SET request = ? {_AT}", (_encode(request), *place))

    def _release(self, number: int, key: int) -> None:
        """End a claim: its URL may be asked for by others."""
        self._known.remove(key)
        self._db.execute("DELETE FROM claims WHERE request = ?", (number,))
        self._db.execute("UPDATE sizes SET known = known - 1")


def copy_of(request: Request) -> Request:
    """Return a request as the queue would give it: a callback may change its `data`."""
    if request.data is None:
        return request
    return _read(request.id, _encode(request))


def _read(number: int, data: bytes) -> Request:
    request = _decode(data)
    structs.force_setattr(request, "id", number)  # nobody else has this object yet
    return request
