"""Runs a session that blocks in a thread of its own."""

from collections.abc import Callable, Sequence
from typing import Protocol

from crawler.export.databases.table import Change, Column, Dialect, Table
from crawler.export.databases.target import Found, Place, Rows
from crawler.file_thread import FileThread


class Blocking(Protocol):
    """What `Session` is, but for that it blocks."""

    dialect: Dialect

    def tables(self, names: Sequence[str]) -> Found:
        """See `Session`."""

    def cursor(self, run: str, target: str) -> int | None:
        """See `Session`."""

    def begin(self, place: Place, *, drop: Sequence[str]) -> None:
        """See `Session`."""

    def prepare(self, table: Table, *, exists: bool) -> None:
        """See `Session`."""

    def alter(self, table: Table, changes: Sequence[Change]) -> list[Column]:
        """See `Session`."""

    def write(self, rows: Sequence[Rows], place: Place) -> bool:
        """See `Session`."""

    def finish(self) -> None:
        """See `Session`."""

    def close(self) -> None:
        """Close the connection."""


class InThread:
    """Makes a session of a blocking one, which only its own thread ever touches."""

    def __init__(self, blocking: Blocking, thread: FileThread) -> None:
        self.dialect = blocking.dialect
        self._blocking = blocking
        self._thread = thread

    @classmethod
    async def open(cls, opener: Callable[[], Blocking]) -> "InThread":
        """Open a session in a new thread. Raises `TargetError`."""
        thread = FileThread("database")
        try:
            return cls(await thread.run(opener), thread)
        except BaseException:
            thread.close()
            raise

    async def tables(self, names: Sequence[str]) -> Found:
        """See `Session`."""
        return await self._thread.run(self._blocking.tables, names)

    async def cursor(self, run: str, target: str) -> int | None:
        """See `Session`."""
        return await self._thread.run(self._blocking.cursor, run, target)

    async def begin(self, place: Place, *, drop: Sequence[str]) -> None:
        """See `Session`."""
        await self._thread.run(self._blocking.begin, place, drop=drop)

    async def prepare(self, table: Table, *, exists: bool) -> None:
        """See `Session`."""
        await self._thread.run(self._blocking.prepare, table, exists=exists)

    async def alter(self, table: Table, changes: Sequence[Change]) -> list[Column]:
        """See `Session`."""
        return await self._thread.run(self._blocking.alter, table, changes)

    async def write(self, rows: Sequence[Rows], place: Place) -> bool:
        """See `Session`."""
        return await self._thread.run(self._blocking.write, rows, place)

    async def finish(self) -> None:
        """See `Session`."""
        await self._thread.run(self._blocking.finish)

    async def aclose(self) -> None:
        """See `Session`."""
        try:
            await self._thread.run(self._blocking.close)
        finally:
            self._thread.close()
