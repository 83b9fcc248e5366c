"""What connections to databases in a file do alike."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar

from crawler.export.databases.names import quoted
from crawler.export.databases.target import CURSORS, Found, Place, Rows


class Embedded:
    """Cursors and transactions of a session: see `Session`.

    `saying` is the context that raises the database's `errors` as `TargetError`.
    """

    begins: ClassVar[str]
    """The statement that begins a transaction."""
    cursors: ClassVar[str]
    """The columns of the table of cursors."""

    def __init__(
        self,
        connection: Any,
        *,
        saying: Callable[[], AbstractContextManager[None]],
        errors: type[Exception],
    ) -> None:
        self._connection = connection
        self._saying = saying
        self._errors = errors

    @abstractmethod
    def tables(self, names: Sequence[str]) -> Found:
        """See `Session`."""

    @abstractmethod
    def _insert(self, rows: Rows) -> None:
        """Add rows, or put them in the place of those with their keys."""

    def cursor(self, run: str, target: str) -> int | None:
        """See `Session`."""
        if CURSORS not in self.tables([CURSORS]):
            return None
        with self._saying():
            rows = self._run(
                f"SELECT cursor FROM {CURSORS} WHERE run = ? AND target = ?", run, target
            )
        return rows[0][0] if rows else None

    def begin(self, place: Place, *, drop: Sequence[str]) -> None:
        """See `Session`."""
        with self._transaction():
            for name in drop:
                self._run(f"DROP TABLE {quoted(name)}")
            self._run(f"CREATE TABLE IF NOT EXISTS {CURSORS} ({self.cursors})")
            self._run(
                f"INSERT INTO {CURSORS} VALUES (?, ?, ?)", place.run, place.target, place.cursor
            )

    def write(self, rows: Sequence[Rows], place: Place) -> bool:
        """See `Session`."""
        with self._transaction():
            moved = self._run(
                f"UPDATE {CURSORS} SET cursor = ? WHERE run = ? AND target = ? AND cursor = ? "
                "RETURNING 1",
                place.cursor,
                place.run,
                place.target,
                place.was,
            )
            for some in rows if moved else ():
                self._insert(some)
        return bool(moved)

    def close(self) -> None:
        """See `Session`."""
        with self._saying():
            self._connection.close()

    def _run(self, sql: str, *values: object) -> list[Any]:
        rows: list[Any] = self._connection.execute(sql, values).fetchall()
        return rows

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._saying():
            self._run(self.begins)
            try:
                yield
                self._run("COMMIT")
            except BaseException:
                with suppress(self._errors):  # some errors have rolled it back
                    self._run("ROLLBACK")
                raise
