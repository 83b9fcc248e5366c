"""Which URLs are known, in SQLite."""

import hashlib
import sqlite3
from collections.abc import Collection, Iterable

from crawler.request import Request
from crawler.urls import KeyRules

_RECENT = 100_000


class Known:
    """The table of known URLs, for whoever has a transaction open.

    What was offered lately is kept in memory: most links of a site lead to the same pages. It is
    kept as Python's own 64-bit hash, keyed anew in each process: a tenth of the price of the key
    that lies on disk, and no likelier to take two URLs for one.
    """

    def __init__(self, connection: sqlite3.Connection, *, rules: KeyRules) -> None:
        self._db = connection
        self._rules = rules
        self._recent: set[int] = set()
        self._less_recent: set[int] = set()
        self._keys: set[int] | None = None  # all of them
        self._most_keys = 0

    @property
    def is_in_memory(self) -> bool:
        """True if `has` does not ask the table."""
        return self._keys is not None

    def load(self, most: int) -> None:
        """Keep all that is known in memory as well, while that is no more than `most`."""
        self._keys, self._most_keys = None, most
        rows = self._db.execute("SELECT key FROM known LIMIT ?", (most + 1,)).fetchall()
        if len(rows) <= most:
            self._keys = {key for (key,) in rows}

    def forget(self) -> None:
        """Forget what is in memory: a transaction that was undone may have brought it."""
        self._recent.clear()
        self._less_recent.clear()
        self._keys = None

    def key_of(self, request: Request) -> int:
        """Return under which key a request's URL is known."""
        return request.fingerprint(self._rules)

    def has(self, key: int) -> bool:
        """True if the URL of this key is known."""
        if self._keys is not None:
            return key in self._keys
        row = self._db.execute("SELECT 1 FROM known WHERE key = ?", (key,)).fetchone()
        return row is not None

    def sifted(self, found: Iterable[Request]) -> list[Request]:
        """Return those that `find` has to look at: most links of a page were offered lately."""
        recent, less_recent = self._recent, self._less_recent
        return [
            request
            for request in found
            if ((lately := hash(request.url)) not in recent and lately not in less_recent)
            or request.again
            or request.seeded
            or request.body is not None
            or request.method != "GET"
        ]

    def find(self, request: Request) -> tuple[bool, bool]:
        """Make a request's URL known; return if it was not, and if the request is to be queued."""
        lately = _lately(request)
        if not request.seeded and (lately in self._recent or lately in self._less_recent):
            return False, request.again
        key = self.key_of(request)
        if request.seeded and not self.add(_nth(key, request.seeded)):
            return False, False  # queued by an earlier life of the seeding
        self.remember(request)
        is_new = self.add(key)
        return is_new, is_new or request.again

    def remember(self, request: Request) -> None:
        """Hear that a request's URL is known, or will be."""
        if len(self._recent) >= _RECENT:
            self._less_recent, self._recent = self._recent, set()
        self._recent.add(_lately(request))

    def add(self, key: int) -> bool:
        """Make a key known; return if it was not."""
        self._keep([key])
        return self._db.execute("INSERT OR IGNORE INTO known VALUES (?)", (key,)).rowcount == 1

    def add_new(self, keys: Collection[int]) -> None:
        """Make keys known that are not."""
        self._keep(keys)
        self._db.executemany("INSERT INTO known VALUES (?)", [(key,) for key in keys])

    def remove(self, key: int) -> None:
        """Make a key unknown."""
        self._db.execute("DELETE FROM known WHERE key = ?", (key,))
        self._recent.clear()
        self._less_recent.clear()
        if self._keys is not None:
            self._keys.discard(key)

    def _keep(self, keys: Collection[int]) -> None:
        if self._keys is not None:
            self._keys.update(keys)
            if len(self._keys) > self._most_keys:
                self._keys = None


def _lately(request: Request) -> int:
    """Return what stands for a request's URL in memory; `sifted` has the same for a plain one."""
    lately = hash(request.url)
    if request.body is not None or request.method != "GET":
        lately = hash((lately, request.method, request.body))
    return lately


def _nth(key: int, number: int) -> int:
    """Return the key of a URL as one seed of those that are made again."""
    text = b"%d seed %d" % (key, number)
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little", signed=True)
