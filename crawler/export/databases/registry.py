"""Which databases `-o` can name."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from crawler.export.databases.wanted import Wanted
from crawler.extras import require
from crawler.outcome import Mark
from crawler.protocols import Follower


class Module(Protocol):
    """What the module of a database has."""

    async def open(self, wanted: Wanted, mark: Mark | None) -> Follower:
        """Open it as it was left, or with nothing of this run's. Raises `TargetError`."""

    def check(self, wanted: Wanted) -> None:
        """Raise `OutputError` if a run could not begin with it."""


class Database(Struct, frozen=True):
    """A kind of database: what imports the module that writes it, and the extra that it needs."""

    load: Callable[[], Module]
    extra: str = ""


def _sqlite() -> Module:
    from crawler.export.databases import sqlite

    return sqlite


def _duck() -> Module:
    from crawler.export.databases import duck

    return duck


def _postgres() -> Module:
    from crawler.export.databases import postgres

    return postgres


DATABASES: dict[str, Database] = {
    ".db": Database(_sqlite),
    ".sqlite": Database(_sqlite),
    ".sqlite3": Database(_sqlite),
    ".duckdb": Database(_duck, extra="duckdb"),
    "postgresql": Database(_postgres, extra="postgres"),
    "postgres": Database(_postgres, extra="postgres"),
}
"""By the suffix of a file, or the scheme of a URL."""


def check(name: str, wanted: Wanted, *, is_known: bool) -> None:
    """Raise `OutputError` if a run could not begin with a database, `MissingExtra`.

    One whose name is not known before there is a run is not looked at.
    """
    kind = DATABASES[name]
    if kind.extra:
        require(wanted.name, kind.extra)
    if is_known:
        kind.load().check(wanted)
