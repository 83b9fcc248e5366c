"""A SQLite connection that changes things in transactions."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Store(sqlite3.Connection):
    """A connection whose changes are made in blocks."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of the block or nothing of it; nobody else writes meanwhile."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.in_transaction:  # SQLite itself has undone it where a disk is full
                self.execute("ROLLBACK")
            raise

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """See `sqlite3.Connection.executemany`; without rows nothing is asked of SQLite."""
        rows = list(parameters)
        return super().executemany(sql, rows) if rows else self.cursor()
