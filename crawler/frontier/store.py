"""A SQLite connection whose transactions may become true together."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from crawler.errors import TargetError


class Store(sqlite3.Connection):
    """A connection on which a transaction may be left open, and others join it.

    SQLite undoes all that is open when one statement of it fails (a disk is full). What was left
    open before is then done again with the next transaction, statement by statement. Raises
    `TargetError` if somebody else wrote in between: then it would be something else.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._left: list[tuple[str, list[Any], bool]] = []  # what is open: statement, values, many
        self._version = 0  # by SQLite's count of what others wrote, when it was opened
        self._keeps = False
        self.is_open = False
        """True while something is seen here alone, not true yet."""

    @contextmanager
    def transaction(self, *, opens: bool = False, closes: bool = False) -> Iterator[None]:
        """Do all of the block or nothing of it; nobody else writes meanwhile.

        One that `opens` is not true before the next that `closes`; those in between join it.
        """
        stays = opens or (self.is_open and not closes)
        self._begin()
        if stays and not self.is_open:
            self._version = self._written_by_others()
        before = len(self._left)
        self._keeps = stays
        try:
            yield
            if not stays:
                super().execute("COMMIT")
        except BaseException:
            del self._left[before:]
            self._undo()
            raise
        finally:
            self._keeps = False
        self.is_open = stays
        if not stays:
            self._left.clear()

    def forsake(self) -> None:
        """Undo what is open."""
        self._undo()
        self._left.clear()
        self.is_open = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """See `sqlite3.Connection.execute`."""
        if self._keeps and not sql.startswith("SELECT"):
            self._left.append((sql, parameters, False))
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """See `sqlite3.Connection.executemany`; without rows nothing is asked of SQLite."""
        rows = list(parameters)
        if not rows:
            return self.cursor()
        if self._keeps:
            self._left.append((sql, rows, True))
        return super().executemany(sql, rows)

    def _begin(self) -> None:
        if self.in_transaction:
            return
        super().execute("BEGIN IMMEDIATE")
        try:
            if self._left and self._written_by_others() != self._version:
                raise TargetError(
                    "another process wrote while the disk was full; go on with --resume"
                )
            for sql, values, many in self._left:
                (super().executemany if many else super().execute)(sql, values)
        except BaseException:
            self._undo()
            raise

    def _written_by_others(self) -> int:
        (version,) = super().execute("PRAGMA data_version").fetchone()
        return int(version)

    def _undo(self) -> None:
        if self.in_transaction:
            super().execute("ROLLBACK")
