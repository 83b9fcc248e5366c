"""Which stored page is where: a SQLite file."""

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec import Struct

from crawler import urls
from crawler.archive import warc
from crawler.archive.answer import date_of
from crawler.archive.run_pages import failures_of, has_body, pages_of
from crawler.archive.sources import Sources
from crawler.errors import InvalidUrl, NotStored, RunError
from crawler.owned import check_own, open_folder
from crawler.records.page_index import PageLine, digest_of
from crawler.urls import KeyRules

_VERSION = "1"
_CACHE_KIB = 32_768
_BATCH = 1_000
_SCHEMA = """
CREATE TABLE marks (text TEXT NOT NULL);
CREATE TABLE captures (
    key INTEGER NOT NULL, date INTEGER NOT NULL, source INTEGER NOT NULL, at INTEGER NOT NULL,
    name INTEGER, beside INTEGER, digest INTEGER, revisit INTEGER NOT NULL);
CREATE TABLE hops (key INTEGER PRIMARY KEY, status INTEGER NOT NULL, url TEXT);
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

    def originals(self, *, name: str, url: str, digest: str) -> Iterator[Place]:
        """Yield where the body of a revisit may be: nothing that is one itself."""
        query = "SELECT source, at FROM captures WHERE revisit = 0 AND {} = ? LIMIT 2"
        if name:
            yield from (Place(*row) for row in self._rows(query.format("name"), _hash(name)))
        if digest:
            yield from (Place(*row) for row in self._rows(query.format("digest"), _hash(digest)))
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
        return _hash(text if method == "GET" and sent is None else f"{method} {text}\n{sent}")

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
                for number, _ in enumerate(self._fill(connection)):
                    if number % _BATCH == 0 and stopped():
                        raise RunError("the indexing of stored pages was stopped")
                connection.execute("COMMIT")
                connection.executescript(_INDEXES)
                connection.execute("INSERT INTO marks VALUES (?)", (marks,))
            except sqlite3.Error as error:
                raise RunError(f"{self._path or 'the index'}: cannot be made: {error}") from None
            failing.pop_all()
        return connection

    def _fill(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Write what the sources have, with a rest after each page."""
        for number, run in enumerate(self._sources.runs):
            for at, line in pages_of(run):
                self._add_line(connection, number, at, line)
                yield
            for failure in failures_of(run):
                is_status = failure.kind == "status" and 100 <= (failure.status or 0) < 1_000
                if is_status and _is_known(failure.url):
                    key = self.key(failure.url, method=failure.method)
                    row = (key, failure.status, None)
                    connection.execute("INSERT OR IGNORE INTO hops VALUES (?, ?, ?)", row)
                yield
        for number, file in enumerate(self._sources.files, len(self._sources.runs)):
            for record in warc.scan(file):
                self._add_record(connection, number, record)
                yield

    def _add_line(
        self, connection: sqlite3.Connection, source: int, at: int, line: PageLine
    ) -> None:
        final = line.final or line.url
        led = line.redirects or ((line.url,) if line.final else ())
        if not all(map(_is_known, (line.url, final, *led))):
            return
        moved = final != line.url and line.method != "GET"
        method, sent = ("GET", None) if moved else (line.method, line.sent)
        if line.file is not None and has_body(line):
            key = self.key(final, method=method, sent=sent)
            row = (key, date_of(line.fetched), source, at, _hash(line.file), None, None, 0)
            connection.execute("INSERT INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        for here, there in pairwise((*led, final)):
            is_first = here == line.url
            key = self.key(here, method=line.method, sent=line.sent) if is_first else self.key(here)
            hop = (key, 303 if is_first and moved else 302, there)
            if here != there:
                connection.execute("INSERT OR REPLACE INTO hops VALUES (?, ?, ?)", hop)
        if not line.depth and line.parent and _is_known(line.parent):
            listed = (self.key(line.parent), led[0] if led else line.url)
            connection.execute("INSERT INTO listed VALUES (?, ?)", listed)

    def _add_record(self, connection: sqlite3.Connection, source: int, record: warc.Record) -> None:
        name, beside = _hash_if(record.name), _hash_if(record.beside)
        if record.kind == "request":
            key = self.key(record.url, method=record.method, sent=digest_of(record.body or None))
            connection.execute("INSERT INTO asked VALUES (?, ?, ?)", (name, beside, key))
            return
        digest, is_revisit = _hash_if(record.digest), record.kind == "revisit"
        key = self.key(record.url)
        row = (key, record.date, source, record.offset, name, beside, digest, is_revisit)
        connection.execute("INSERT INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _is_known(url: str) -> bool:
    """True for a URL as we write them: what is read from files may be anything."""
    try:
        return urls.canonicalize(url) == url
    except InvalidUrl:
        return False


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _hash_if(text: str) -> int | None:
    return _hash(text) if text else None


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


def all_urls(sources: Sources) -> Iterable[str]:
    """Yield the URL of every stored page, as it stands there."""
    for run in sources.runs:
        yield from (line.url for _, line in pages_of(run) if line.file is not None)
    if not sources.runs:
        for file in sources.files:
            yield from (r.url for r in warc.scan(file) if r.kind != "request")
