"""How many pages of which URL shape are queued, in SQLite."""

import hashlib
import sqlite3

from crawler.request import Request
from crawler.rules.shapes import shape_of


class Shapes:
    """The table of shapes, for whoever has a transaction open.

    What is queued counts, not what is delivered: so a trap fills neither the crawl nor the queue.
    """

    def __init__(self, connection: sqlite3.Connection, *, most: int | None) -> None:
        self._db = connection
        self._most = most

    def has_room(self, request: Request) -> bool:
        """Count a page of its shape; False if there are enough."""
        if self._most is None or request.kind != "page":
            return True
        digest = hashlib.blake2b(shape_of(request.url).encode(), digest_size=8).digest()
        counted = self._db.execute(
            "INSERT INTO shapes VALUES (?, 1) ON CONFLICT (shape)"
            " DO UPDATE SET pages = pages + 1 WHERE pages < ?",
            (digest, self._most),
        )
        return counted.rowcount == 1
