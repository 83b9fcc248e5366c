"""Requests out of turn to hosts of other processes."""

import sqlite3

from msgspec import Struct

from crawler.frontier.hosts import Held


class Wish(Struct, frozen=True):
    """What another process asks of a host of ours: its number there, and the host."""

    number: int
    held: Held


class Lending:
    """Who wants to ask a host that another process holds; its holder says when.

    A wish is a row: made by whoever wants, taken up by a holder, granted when the host's turn is
    there, and gone when the request is made, or will not be. In an open transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def wish(self, host: int, process: int) -> int:
        """Ask for a turn on a host; return the wish's number."""
        made = self._db.execute("INSERT INTO wishes (host, process) VALUES (?, ?)", (host, process))
        assert made.lastrowid is not None
        return made.lastrowid

    def is_granted(self, number: int) -> bool:
        """True if the turn is there."""
        row = self._db.execute("SELECT granted FROM wishes WHERE no = ?", (number,)).fetchone()
        return row is not None and bool(row[0])

    def withdraw(self, number: int) -> None:
        """Wish no more, or be refused: the request is made, or will not be."""
        self._db.execute("DELETE FROM wishes WHERE no = ?", (number,))

    def end(self, host: int, process: int) -> None:
        """Hear that a process made a request it was granted."""
        self._db.execute(
            "DELETE FROM wishes WHERE no = (SELECT no FROM wishes"
            " WHERE host = ? AND process = ? AND granted ORDER BY no LIMIT 1)",
            (host, process),
        )

    def wished(self, process: int) -> set[int]:
        """Return the hosts of which others wish something that nobody took up yet."""
        rows = self._db.execute(
            "SELECT host FROM wishes WHERE lender IS NULL AND process <> ?", (process,)
        )
        return {host for (host,) in rows}

    def take_up(self, held: dict[int, Held], process: int) -> list[Wish]:
        """Return the wishes of others for hosts of ours that nobody took up yet."""
        rows = self._db.execute(
            "SELECT no, host FROM wishes WHERE lender IS NULL AND process <> ?", (process,)
        ).fetchall()
        wishes = [Wish(number, held[host]) for number, host in rows if host in held]
        self._db.executemany(
            "UPDATE wishes SET lender = ? WHERE no = ?",
            [(process, wish.number) for wish in wishes],
        )
        return wishes

    def grant(self, number: int) -> None:
        """Say that the turn is there."""
        self._db.execute("UPDATE wishes SET granted = 1 WHERE no = ?", (number,))

    def is_over(self, number: int) -> bool:
        """True if a wish is gone."""
        row = self._db.execute("SELECT 1 FROM wishes WHERE no = ?", (number,)).fetchone()
        return row is None
