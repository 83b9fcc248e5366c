"""Who is to blame for the death of a process."""

import sqlite3

from msgspec import structs

from crawler.frontier.known import Known
from crawler.frontier.presence import Flight
from crawler.frontier.requests import BEHIND_ALL, Requests
from crawler.request import Request


class Blame:
    """Blames requests for deaths, in an open transaction.

    What was handed out before the commit that brings it is not in the queue after a death: its
    blame waits under its key for the next time that it is found.
    """

    def __init__(self, connection: sqlite3.Connection, requests: Requests, known: Known) -> None:
        self._db = connection
        self._requests = requests
        self._known = known
        self.keys: set[int] = set()
        """Under which it waits, as far as this process knows."""

    def look(self) -> None:
        """See what blame waits for its request."""
        self.keys = {key for (key,) in self._db.execute("SELECT key FROM blamed")}

    def put(self, flight: Flight, *, alone: bool) -> bool:
        """Blame a request, if it is still to be settled; return if that counts as a crash.

        `alone`: nobody else may be to blame; see `Requests.blame`.
        """
        place = (flight.host, flight.rank, flight.id)
        if not flight.key or self._requests.is_queued(place):
            return self._requests.blame(place, alone=alone)
        row = self._db.execute(
            "SELECT crashes, suspect FROM blamed WHERE key = ?", (flight.key,)
        ).fetchone()
        crashes, suspect = row or (0, False)
        counts = alone or bool(suspect)
        self._db.execute(
            "INSERT OR REPLACE INTO blamed VALUES (?, ?, ?)",
            (flight.key, crashes + counts, not alone or suspect),
        )
        self.keys.add(flight.key)
        return counts

    def of(self, request: Request) -> Request:
        """Return a request that is found, with the blame that waits for it."""
        if not self.keys or (number := self._known.key_of(request)) not in self.keys:
            return request
        key = (number,)
        row = self._db.execute("SELECT crashes, suspect FROM blamed WHERE key = ?", key).fetchone()
        if row is None:
            return request
        self._db.execute("DELETE FROM blamed WHERE key = ?", key)
        self.keys.discard(number)
        crashes, suspect = row
        return structs.replace(
            request, crashes=crashes, suspect=bool(suspect), priority=BEHIND_ALL - crashes
        )
