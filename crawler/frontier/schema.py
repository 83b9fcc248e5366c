"""The SQLite file of a frontier."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import msgspec

from crawler.errors import RunError, TargetError
from crawler.frontier.store import Store
from crawler.oserrors import refused
from crawler.owned import check_own

FILE = "frontier.db"
LOCK = ".lock"
"""Names in a run's folder; whoever opens the file holds the lock meanwhile."""

FORMAT = 7
_APPLICATION = 0x63726177  # "craw"
# Processes of a run wait for each other's transactions, milliseconds each. The lock of another
# program is waited for no longer than a signal may take to end the crawl.
_BUSY_SECONDS = 10.0
_BRIEF_SECONDS = 1.0
_CACHE_KIB = 32_768
# 64 MB. A crawl writes all over the file: what changes again and again is copied there only once.
# With 10 million known URLs, 62,000 are offered a second, not 49,000 (benchmarks/frontier.py).
_WAL_PAGES = 16_000

# `queue` holds a request until it is settled, also while some process has it: what a process had
# when it died is queued by nothing being done. `rank` is priority and depth in one number.
# `shapes` counts what was queued of one; the key is its digest, with the host in it.
_TABLES = """
CREATE TABLE sizes (
    next_id INTEGER NOT NULL, queued INTEGER NOT NULL, delayed INTEGER NOT NULL,
    known INTEGER NOT NULL, change INTEGER NOT NULL, saved REAL NOT NULL, ahead REAL NOT NULL);
INSERT INTO sizes VALUES (1, 0, 0, 0, 0, 0.0, 0.0);
CREATE TABLE known (key INTEGER PRIMARY KEY);
CREATE TABLE item_keys (key INTEGER PRIMARY KEY);
CREATE TABLE claims (request INTEGER PRIMARY KEY, key INTEGER NOT NULL);
CREATE TABLE hosts (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, due REAL NOT NULL,
    queued INTEGER NOT NULL DEFAULT 0, pages INTEGER NOT NULL DEFAULT 0,
    answers INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    delay REAL NOT NULL DEFAULT 0, alone_until REAL NOT NULL DEFAULT 0, alone TEXT,
    given_up TEXT, notes BLOB, holder INTEGER);
CREATE INDEX free_hosts ON hosts (due, id) WHERE holder IS NULL AND queued > 0;
CREATE INDEX held_hosts ON hosts (holder) WHERE holder IS NOT NULL;
CREATE INDEX given_up_hosts ON hosts (id) WHERE given_up IS NOT NULL;
CREATE TABLE queue (
    host INTEGER NOT NULL, rank INTEGER NOT NULL, id INTEGER NOT NULL, taken INTEGER,
    request BLOB NOT NULL, PRIMARY KEY (host, rank, id)) WITHOUT ROWID;
CREATE INDEX taken ON queue (host, taken) WHERE taken IS NOT NULL;
CREATE TABLE delayed (
    due REAL NOT NULL, id INTEGER NOT NULL, host INTEGER NOT NULL, rank INTEGER NOT NULL,
    request BLOB NOT NULL, PRIMARY KEY (due, id)) WITHOUT ROWID;
CREATE TABLE shapes (shape BLOB PRIMARY KEY, pages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE blamed (
    key INTEGER PRIMARY KEY, crashes INTEGER NOT NULL, suspect INTEGER NOT NULL);
CREATE TABLE failed (id INTEGER PRIMARY KEY, request BLOB NOT NULL, kinds TEXT NOT NULL);
CREATE TABLE callbacks (name TEXT PRIMARY KEY, queued INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counts (
    name TEXT PRIMARY KEY, n INTEGER NOT NULL, change INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX counts_changes ON counts (change);
CREATE TABLE examples (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
CREATE TABLE files (
    part INTEGER NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL,
    joined INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (part, name)) WITHOUT ROWID;
CREATE TABLE kept (
    name TEXT PRIMARY KEY, value BLOB NOT NULL, change INTEGER NOT NULL, writer INTEGER NOT NULL
    ) WITHOUT ROWID;
CREATE INDEX kept_changes ON kept (change);
CREATE INDEX kept_gone ON kept (change) WHERE value = x'';
CREATE TABLE processes (
    no INTEGER PRIMARY KEY AUTOINCREMENT, in_hand INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0, hungry INTEGER NOT NULL DEFAULT 0);
CREATE TABLE wishes (
    no INTEGER PRIMARY KEY AUTOINCREMENT, host INTEGER NOT NULL, process INTEGER NOT NULL,
    lender INTEGER, granted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE shares (
    host INTEGER NOT NULL, process INTEGER NOT NULL, slots INTEGER NOT NULL,
    PRIMARY KEY (host, process)) WITHOUT ROWID;
"""


def check_files(path: Path) -> None:
    """See that a frontier's files are files, no links. Raises `RunError`.

    SQLite itself follows links, and can be told not to only in C.
    """
    for ending in ("", "-wal", "-shm", "-journal"):
        try:
            check_own(f"{path}{ending}")
        except OSError as error:
            raise RunError(str(refused(f"{path}{ending}", error))) from None


def connect(path: Path, *, durable: str = "process") -> Store:
    """Open a frontier's file, made if it is not there. Raises `RunError`, `TargetError`."""
    check_files(path)
    with suppress(OSError):  # it is there, or SQLite says why not
        # Cookies and the headers of requests are in it, so nobody else may read it. One that is
        # there is not opened: to close it would let go of SQLite's locks.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with mapped(path):
        # Used by one thread after the other, never by two at once.
        connection = sqlite3.connect(
            path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=Store,
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        full = durable == "full"
        for pragma in (
            f"synchronous = {'FULL' if full else 'NORMAL'}",
            f"fullfsync = {int(full)}",
            f"cache_size = -{_CACHE_KIB}",
            f"wal_autocheckpoint = {_WAL_PAGES}",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection


def _prepare(connection: Store, path: Path) -> None:
    """See that the file is a frontier of ours, or make it one."""
    connection.execute("PRAGMA journal_mode = WAL")
    with connection.transaction():
        if is_ours(connection, path):
            return
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")


def is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """False if a file is still to be made a frontier. Raises `RunError` if it is something else."""
    application = _number(connection, "application_id")
    version = _number(connection, "user_version")
    if (application, version) == (_APPLICATION, FORMAT):
        return True
    if application == _APPLICATION:
        age = "a newer" if version > FORMAT else "an older"
        raise RunError(f"{path}: written by {age} version (its format is {version}, ours {FORMAT})")
    if application or version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise RunError(f"{path}: is no frontier of a crawl")
    return False


def check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `RunError` if the file lost its end; for who has it alone. Costs no time by its size.

    SQLite itself would find that out when it needs the pages that are not there.
    """
    with mapped(path):
        _wait_for_others(connection, 0.0)  # whoever reads it is not waited for
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        _wait_for_others(connection, _BUSY_SECONDS)
        if busy:
            return  # somebody reads an older state: what the file lacks may be in the log
        pages = _number(connection, "page_count")
        due = pages * _number(connection, "page_size")
    if (size := path.stat().st_size) < due:
        raise RunError(f"{path}: is truncated: it has {size:,} of its {due:,} bytes")


class Patience:
    """How long a transaction waits for another program's; briefly once one has waited in vain."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._is_brief = False

    @contextmanager
    def of(self, transaction: AbstractContextManager[None]) -> Iterator[None]:
        """Do a transaction, and see if it has to wait."""
        try:
            with transaction:
                yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                self._be_brief(brief=True)
            raise
        self._be_brief(brief=False)

    def _be_brief(self, *, brief: bool) -> None:
        if brief != self._is_brief:
            self._is_brief = brief
            _wait_for_others(self._db, _BRIEF_SECONDS if brief else _BUSY_SECONDS)


def _wait_for_others(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as ours: a disk that is full or gone, a file that is broken."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TargetError(f"{path}: {_words(error)}") from None
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise  # a bug of ours
        raise _broken(path, error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> RunError:
    return RunError(
        f"{path}: is broken ({error}); what the run has kept so far is whole, but it cannot go on"
    )


def _words(error: sqlite3.OperationalError) -> str:
    known = {
        "SQLITE_FULL": "no space left on the disk",
        "SQLITE_BUSY": f"locked by another program for more than {_BUSY_SECONDS:g} s",
        "SQLITE_READONLY": "no permission to write",
        "SQLITE_CANTOPEN": "cannot be opened",
    }
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_IOERR"):
        return f"cannot be written or read ({name})"
    return known.get(name, f"{error} ({name})")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    number: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return number
