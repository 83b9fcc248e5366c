"""Which payloads an archive holds already."""

import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from crawler.errors import TargetError
from crawler.export.warc_records import Seen
from crawler.oserrors import refused
from crawler.owned import check_own
from crawler.records.page_index import Place

log = logging.getLogger(__name__)

_BUSY_SECONDS = 10.0
# A payload counts once it is committed, which another file knows; to the process that wrote it at
# once, for what that writes later is committed later.
_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sure INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS seen (
    digest TEXT PRIMARY KEY, url TEXT NOT NULL, date TEXT NOT NULL, file INTEGER NOT NULL,
    offset INTEGER NOT NULL, length INTEGER NOT NULL) WITHOUT ROWID;
"""


class Digests:
    """Digests of a run's payloads, for all its processes; in SQLite, since they may be many.

    It is made of what the archive says, so one that is broken is begun anew: then some payloads are
    stored once more. All methods block, and raise `TargetError`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ours: dict[str, int] = {}
        self._db = self._opened()

    def find(self, digest: str) -> Seen | None:
        """Return where a payload is stored already."""
        with self._mapped():
            row = self._db.execute(
                "SELECT url, date, name, offset, length, sure FROM seen JOIN files ON no = file"
                " WHERE digest = ?",
                (digest,),
            ).fetchone()
        if row is None or (row[2] not in self._ours and row[3] + row[4] > row[5]):
            return None
        return Seen(row[0], row[1], Place(*row[2:5]))

    def add(self, seen: Mapping[str, Seen], *, sure: Mapping[str, int]) -> None:
        """Add payloads by their digests; up to what length files of ours are `sure` by now."""
        with self._transaction():
            rows = [
                (digest, one.url, one.date, self._number(at.file), at.offset, at.length)
                for digest, one in seen.items()
                for at in (one.place,)
            ]
            self._db.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._make_sure(sure)

    def cut(self, lengths: Mapping[str, int]) -> None:
        """Forget what is behind these lengths of files; up to there they are sure."""
        with self._transaction():
            self._make_sure(lengths)
            self._db.executemany(
                "DELETE FROM seen WHERE file = (SELECT no FROM files WHERE name = ?)"
                " AND offset + length > ?",
                lengths.items(),
            )

    def close(self, *, sure: Mapping[str, int]) -> None:
        """Close; up to what length files of ours are sure by now."""
        with suppress(TargetError), self._transaction():
            self._make_sure(sure)
        self._db.close()

    def _make_sure(self, lengths: Mapping[str, int]) -> None:
        self._db.executemany(
            "UPDATE files SET sure = ? WHERE name = ?",
            [(length, name) for name, length in lengths.items()],
        )

    def _number(self, name: str) -> int:
        """Return the number of a file of ours."""
        if name not in self._ours:
            self._db.execute("INSERT OR IGNORE INTO files (name) VALUES (?)", (name,))
            row = self._db.execute("SELECT no FROM files WHERE name = ?", (name,)).fetchone()
            self._ours[name] = row[0]
        return self._ours[name]

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._refusal(error) from None
            log.warning("%s: is broken (%s), and begun anew", self._path, error)
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{self._path}{ending}")
        with self._mapped():
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        for ending in ("", "-wal", "-shm"):
            try:
                check_own(f"{self._path}{ending}")
            except OSError as error:
                raise refused(f"{self._path}{ending}", error) from None
        # Used on one thread after the other, never by two at once.
        db = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.executescript(_TABLES)
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        ours = dict(self._ours)
        with self._mapped():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._ours = ours
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: sqlite3.Error) -> TargetError:
        full = getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
        return TargetError(f"{self._path}: {'no space left on the disk' if full else error}")
