"""Which stored page is where: a SQLite file."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from crawler import urls
from crawler.archive.rows import Rows, number_of
from crawler.archive.sources import Sources
from crawler.errors import NotStored, RunError
from crawler.owned import check_own, open_folder
from crawler.urls import KeyRules

_VERSION = "2"
_CACHE_KIB = 32_768
_BATCH = 1_000
_SCHEMA = """
CREATE TABLE marks (text TEXT NOT NULL);
CREATE TABLE captures (
    key INTEGER NOT NULL, date INTEGER NOT NULL, source INTEGER NOT NULL, at INTEGER NOT NULL,
    name INTEGER, beside INTEGER, digest INTEGER, revisit INTEGER NOT NULL);
CREATE TABLE hops (key INTEGER PRIMARY KEY, status INTEGER NOT NULL, url TEXT);
CREATE TABLE files (
    key INTEGER PRIMARY KEY, date INTEGER NOT NULL, source INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE listed (parent INTEGER NOT NULL, url TEXT NOT NULL);
CREATE TABLE asked (name INTEGER, beside INTEGER, key INTEGER NOT NULL);
"""
# Rows in the order of the file, then the indexes: a third of the time that it takes row by row.
_INDEXES = """
CREATE INDEX of_key ON captures (key);
CREATE INDEX of_name ON captures (name);
CREATE INDEX of_beside ON captures (beside);
CREATE INDEX of_digest ON captures (digest) WHERE revisit = 0;
CREATE INDEX of_parent ON listed (parent);
UPDATE captures SET key = asked.key FROM asked WHERE captures.beside = asked.name;
UPDATE captures SET key = asked.key FROM asked WHERE captures.name = asked.beside;
DROP TABLE asked;
"""


class Place(Struct, frozen=True):
    """Where a page is: the number of its run or file, and the byte in it."""

    source: int
    at: int


class Hop(Struct, frozen=True):
    """What a run knows of a URL without having its page: a redirect, or a status alone."""

    status: int
    url: str | None


class Index:
    """Finds places by what is asked for. Rows are numbers: millions of pages need no memory.

    Runs are numbered from 0, WARC files from where these end. Used in one thread. It is kept at
    `path`, and made anew when the sources have changed; without a path it goes when it is closed.
    `stopped()` is asked now and then. Raises `RunError`.
    """

    def __init__(self, sources: Sources, *, path: Path | None, rules: KeyRules) -> None:
        self._sources = sources
        self._path = path
        self._rules = rules
        self._connection: sqlite3.Connection | None = None

    def open(self, stopped: Callable[[], bool]) -> bool:
        """Open what there is, or make it; return whether it was made."""
        marks = f"{_VERSION}\n{self._rules}\n{self._sources.marks}"
        if self._path is None:
            self._connection = self._made("", marks, stopped)
            return True
        with _alone_in(self._path.parent):  # of several processes one makes it
            try:
                check_own(self._path)
                return self._open_or_make(self._path, marks, stopped)
            except OSError as error:
                raise RunError(f"{self._path}: cannot be written: {error.strerror}") from None

    def _open_or_make(self, path: Path, marks: str, stopped: Callable[[], bool]) -> bool:
        if path.exists() and self._is_of(path, marks):
            return False
        beside = path.with_name(f".{path.name}.part")
        beside.unlink(missing_ok=True)
        try:
            self._made(str(beside), marks, stopped).close()
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        self._connection = self._connect(str(path))
        return True

    def close(self) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def find(self, url: str, *, method: str = "GET", sent: str | None = None) -> list[Place]:
        """Return where the answers to a request are, the best first: the newest.

        A file of a page that was written over since holds another answer, and is left out.
        """
        found = self._rows(
            "SELECT source, at FROM captures c WHERE key = ? AND NOT EXISTS ("
            "SELECT 1 FROM captures d WHERE d.name = c.name AND d.source = c.source "
            "AND d.rowid > c.rowid AND c.source < ?) ORDER BY date DESC, rowid DESC LIMIT 8",
            self.key(url, method=method, sent=sent),
            len(self._sources.runs),
        )
        return [Place(*row) for row in found]

    def file(self, url: str) -> Place | None:
        """Return where the line of a downloaded file is: of several the newest."""
        rows = self._rows("SELECT source, at FROM files WHERE key = ?", self.key(url))
        return Place(*rows[0]) if rows else None

    def originals(self, *, name: str, url: str, digest: str) -> Iterator[Place]:
        """Yield where the body of a revisit may be: nothing that is one itself."""
        query = "SELECT source, at FROM captures WHERE revisit = 0 AND {} = ? LIMIT 2"
        if name:
            yield from (Place(*row) for row in self._rows(query.format("name"), number_of(name)))
        if digest:
            yield from (
                Place(*row) for row in self._rows(query.format("digest"), number_of(digest))
            )
        elif url:
            yield from (Place(*row) for row in self._rows(query.format("key"), self.key(url)))

    def hop(self, url: str, *, method: str = "GET", sent: str | None = None) -> Hop | None:
        """Return what else is known of a request."""
        key = self.key(url, method=method, sent=sent)
        rows = self._rows("SELECT status, url FROM hops WHERE key = ?", key)
        return Hop(*rows[0]) if rows else None

    def listed(self, url: str) -> list[str]:
        """Return the pages that were found in a sitemap, of which only those are stored.

        One that named none itself may have named the others.
        """
        rows = self._rows("SELECT url FROM listed WHERE parent = ?", self.key(url))
        return [url for (url,) in rows or self._rows("SELECT url FROM listed")]

    def key(self, url: str, *, method: str = "GET", sent: str | None = None) -> int:
        """Return the number that stands for a request."""
        text = urls.key(url, self._rules)
        return number_of(text if method == "GET" and sent is None else f"{method} {text}\n{sent}")

    def _rows(self, query: str, *values: object) -> list[Any]:
        assert self._connection is not None, "an index is open"
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise NotStored(f"{self._path}: cannot be read: {error}") from None

    def _connect(self, name: str) -> sqlite3.Connection:
        connection = sqlite3.connect(name, isolation_level=None)
        try:
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _is_of(self, path: Path, marks: str) -> bool:
        """Open the index that is there, if it is of these sources as they are now."""
        with suppress(sqlite3.Error):
            connection = self._connect(str(path))
            try:
                if connection.execute("SELECT text FROM marks").fetchone() == (marks,):
                    self._connection = connection
            finally:
                if self._connection is None:
                    connection.close()
        return self._connection is not None

    def _made(self, name: str, marks: str, stopped: Callable[[], bool]) -> sqlite3.Connection:
        with ExitStack() as failing:
            try:
                connection = self._connect(name)
                failing.callback(connection.close)
                # Whoever finds it has it whole: it gets its name when it is.
                connection.execute("PRAGMA journal_mode = OFF")
                connection.execute("PRAGMA synchronous = OFF")
                connection.executescript(_SCHEMA)
                connection.execute("BEGIN")
                rows = Rows(connection, key=self.key)
                for number, _ in enumerate(rows.of(self._sources)):
                    if number % _BATCH == 0 and stopped():
                        raise RunError("the indexing of stored pages was stopped")
                connection.execute("COMMIT")
                connection.executescript(_INDEXES)
                connection.execute("INSERT INTO marks VALUES (?)", (marks,))
            except sqlite3.Error as error:
                raise RunError(f"{self._path or 'the index'}: cannot be made: {error}") from None
            failing.pop_all()
        return connection


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes out of the block: who comes later waits."""
    try:
        fd = open_folder(folder)
    except OSError as error:
        raise RunError(f"{folder}: cannot be read: {error.strerror}") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
