"""Which databases `-o` can name."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from crawler.errors import OutputError
from crawler.export.databases.wanted import Wanted
from crawler.outcome import Mark
from crawler.protocols import Follower


class Module(Protocol):
    """What the module of a database has."""

    async def open(self, wanted: Wanted, mark: Mark | None) -> Follower:
        """Open it as it was left, or with nothing of this run's. Raises `TargetError`."""

    def check(self, wanted: Wanted) -> None:
        """Raise `OutputError` if a run could not begin with it."""


class Database(Struct, frozen=True):
    """A kind of database: what returns the module that writes it, with what that needs.

    `load` raises `OutputError` if a package is missing.
    """

    load: Callable[[], Module]
    is_file: bool = True


def _sqlite() -> Module:
    from crawler.export.databases import sqlite

    return sqlite


def _duck() -> Module:
    try:
        from crawler.export.databases import duck
    except ModuleNotFoundError as error:
        raise _missing(error, "duckdb") from None
    return duck


def _postgres() -> Module:
    try:
        from crawler.export.databases import postgres
    except ModuleNotFoundError as error:
        raise _missing(error, "postgres") from None
    return postgres


def _missing(error: ModuleNotFoundError, extra: str) -> OutputError:
    return OutputError(f"-o needs {error.name} here: pip install 'crawlkeeper[{extra}]'")


DATABASES: dict[str, Database] = {
    ".db": Database(_sqlite),
    ".sqlite": Database(_sqlite),
    ".sqlite3": Database(_sqlite),
    ".duckdb": Database(_duck),
    "postgresql": Database(_postgres, is_file=False),
    "postgres": Database(_postgres, is_file=False),
}
"""By the suffix of a file, or the scheme of a URL."""
