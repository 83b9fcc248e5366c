"""Hears what other processes of a run did."""

import sqlite3
from collections.abc import Mapping

from crawler.frontier.ledger import Ledger
from crawler.frontier.life import Life

_BURIAL = 20
"""Of so many looks, one is whether the others are alive."""


class Hearing:
    """Looks what the others did, on the frontier's thread."""

    def __init__(self, connection: sqlite3.Connection, *, ledger: Ledger, life: Life) -> None:
        self._db = connection
        self._ledger = ledger
        self._life = life
        self._looks = 0
        self._seen = 0  # SQLite's own count of changes
        # Our own, of what is kept: by now that is told by the restart; later it would undo news.
        self._told = ledger.books.sizes().change

    def look(self) -> Mapping[str, bytes] | None:
        """Return what others kept, or None if they did nothing."""
        self._looks += 1
        is_time = self._looks % _BURIAL == 0 or not self._ledger.peers.several
        buried = is_time and self._life.bury()
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version == self._seen and not buried:
            return None
        self._seen = version
        self._ledger.peers.check()
        self._ledger.look_again()
        return self.news()

    def look_anew(self) -> None:
        """Have the next look see what the last one has not come to."""
        self._seen = 0

    def news(self) -> Mapping[str, bytes]:
        """Return what others kept since the last call."""
        books = self._ledger.books
        change = books.sizes().change
        kept = books.kept(since=self._told, not_by=self._ledger.peers.number)
        self._told = change
        return kept
