"""A look at a run's frontier, from outside."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from crawler.errors import RunError
from crawler.frontier.presence import is_crawled
from crawler.frontier.schema import FILE, check_files, is_ours
from crawler.outcome import Position

_BUSY_SECONDS = 5.0


class Glance(Struct, frozen=True):
    """What a frontier holds: counters, requests queued (later ones too), requests that failed.

    `position` is how far the run's own line files are committed, `unjoined` that further ones have
    lines that are not in these. `fresh`: nothing was ever put in. `died`: whoever crawled it last
    had no time to leave.
    """

    counts: Mapping[str, int] = {}
    queued: int = 0
    failed: int = 0
    position: Position = {}
    unjoined: bool = False
    fresh: bool = True
    died: bool = False

    def part(self, prefix: str) -> int:
        """Return the sum of the counters below `prefix.`."""
        return sum(n for name, n in self.counts.items() if name.startswith(f"{prefix}."))


def glance(folder: Path) -> Glance:
    """Read a frontier that may be crawled meanwhile: nothing is locked, nothing changed.

    Raises `RunError` if it cannot be read.
    """
    path = folder / FILE
    check_files(path)
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
        )
        try:
            return _read(connection, path, crawled=is_crawled(folder))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise RunError(f"{path}: cannot be read: {error}") from None


def _read(connection: sqlite3.Connection, path: Path, *, crawled: bool) -> Glance:
    connection.execute("BEGIN")  # all figures of one moment
    if not is_ours(connection, path):
        return Glance()
    next_id, queued = connection.execute("SELECT next_id, queued + delayed FROM sizes").fetchone()
    (failed,) = connection.execute("SELECT count(*) FROM failed").fetchone()
    (processes,) = connection.execute("SELECT count(*) FROM processes").fetchone()
    (unjoined,) = connection.execute(
        "SELECT count(*) FROM files WHERE part AND joined < bytes"
    ).fetchone()
    return Glance(
        counts=dict(connection.execute("SELECT name, n FROM counts")),
        queued=queued,
        failed=failed,
        position=dict(connection.execute("SELECT name, bytes FROM files WHERE part = 0")),
        unjoined=bool(unjoined),
        fresh=next_id == 1,
        died=bool(processes) and not crawled,
    )
