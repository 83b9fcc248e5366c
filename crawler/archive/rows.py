"""What the sources have, written down as rows of the index."""

import hashlib
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol

from crawler import urls
from crawler.archive.answer import date_of
from crawler.archive.run_files import FileLine, files_of
from crawler.archive.run_pages import failures_of, has_body, pages_of
from crawler.archive.scanning import scan
from crawler.archive.sources import Sources
from crawler.archive.warc import Record
from crawler.errors import InvalidUrl
from crawler.records.page_index import PageLine, digest_of


class Key(Protocol):
    """Gives the number that stands for a request."""

    def __call__(self, url: str, *, method: str = "GET", sent: str | None = None) -> int:
        """Return it; `sent` is the digest of the request's body."""


class Rows:
    """Writes rows in the order of the sources."""

    def __init__(self, connection: sqlite3.Connection, *, key: Key) -> None:
        self._connection = connection
        self._key = key

    def of(self, sources: Sources) -> Iterator[None]:
        """Write what the sources have, with a rest after each page."""
        for number, run in enumerate(sources.runs):
            for at, line in pages_of(run):
                self._add_line(number, at, line)
                yield
            for at, file in files_of(run):
                self._add_file(number, at, file)
                yield
            for failure in failures_of(run):
                is_status = failure.kind == "status" and 100 <= (failure.status or 0) < 1_000
                if is_status and _is_known(failure.url):
                    key = self._key(failure.url, method=failure.method)
                    row = (key, failure.status, None)
                    self._connection.execute("INSERT OR IGNORE INTO hops VALUES (?, ?, ?)", row)
                yield
        for number, path in enumerate(sources.files, len(sources.runs)):
            for record in scan(path):
                self._add_record(number, record)
                yield

    def _add_line(self, source: int, at: int, line: PageLine) -> None:
        final = line.final or line.url
        led = line.redirects or ((line.url,) if line.final else ())
        if not all(map(_is_known, (line.url, final, *led))):
            return
        moved = final != line.url and line.method != "GET"
        method, sent = ("GET", None) if moved else (line.method, line.sent)
        if line.file is not None and has_body(line):
            key = self._key(final, method=method, sent=sent)
            row = (key, date_of(line.fetched), source, at, number_of(line.file), None, None, 0)
            self._connection.execute("INSERT INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        for here, there in pairwise((*led, final)):
            is_first = here == line.url
            key = (
                self._key(here, method=line.method, sent=line.sent) if is_first else self._key(here)
            )
            hop = (key, 303 if is_first and moved else 302, there)
            if here != there:
                self._connection.execute("INSERT OR REPLACE INTO hops VALUES (?, ?, ?)", hop)
        if not line.depth and line.parent and _is_known(line.parent):
            listed = (self._key(line.parent), led[0] if led else line.url)
            self._connection.execute("INSERT INTO listed VALUES (?, ?)", listed)

    def _add_file(self, source: int, at: int, file: FileLine) -> None:
        final = file.final or file.url
        if not (_is_known(file.url) and _is_known(final)):
            return
        row = (self._key(final), date_of(file.fetched), source, at)
        self._connection.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET date = excluded.date,"
            "source = excluded.source, at = excluded.at WHERE excluded.date >= date",
            row,
        )
        if file.final:
            hop = (self._key(file.url), 302, final)
            self._connection.execute("INSERT OR IGNORE INTO hops VALUES (?, ?, ?)", hop)

    def _add_record(self, source: int, record: Record) -> None:
        name, beside = _number_if(record.name), _number_if(record.beside)
        if record.kind == "request":
            key = self._key(record.url, method=record.method, sent=digest_of(record.body or None))
            self._connection.execute("INSERT INTO asked VALUES (?, ?, ?)", (name, beside, key))
            return
        digest, is_revisit = _number_if(record.digest), record.kind == "revisit"
        key = self._key(record.url)
        row = (key, record.date, source, record.offset, name, beside, digest, is_revisit)
        self._connection.execute("INSERT INTO captures VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _is_known(url: str) -> bool:
    """True for a URL as we write them: what is read from files may be anything."""
    try:
        return urls.canonicalize(url) == url
    except InvalidUrl:
        return False


def number_of(text: str) -> int:
    """Return the number that stands for a text in an index."""
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _number_if(text: str) -> int | None:
    return number_of(text) if text else None
