"""The processes of one run."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from crawler.errors import LeasesLost, RunError
from crawler.frontier.presence import Flight, Presence, flights, is_dead, is_there


class Dead(Struct, frozen=True):
    """A process that died: how many requests it had in hand, and whose callbacks were running.

    `hosts` are the numbers of those it held, alone or with others.
    """

    number: int
    in_hand: int
    flights: Sequence[Flight]
    hosts: Sequence[int]


class Peers:
    """Who else crawls the run: the table of processes, and their files in a folder beside it.

    All but `forget` and `close` need a transaction open.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._db = connection
        self._folder = folder
        self.number = 0
        self.presence: Presence | None = None
        self.several = False

    def enter(self, *, alone: bool) -> list[Dead]:
        """Become a process of the run; return what `bury` does of those that died.

        `alone`: somebody has to be first, and only one may be. Raises `RunError`.
        """
        live = [number for number in self._numbers() if is_there(self._path(number))]
        if alone and live:
            raise RunError(f"{self._folder.parent}: is being crawled now; --join adds a process")
        if not alone and not live:
            raise RunError(f"{self._folder.parent}: nobody crawls it now; --resume goes on with it")
        dead = self.bury(number for number in self._numbers() if number not in live)
        made = self._db.execute("INSERT INTO processes (no) VALUES (NULL)")
        assert made.lastrowid is not None
        self.number = made.lastrowid
        self.several = bool(live)
        self.presence = Presence(self._path(self.number))
        return dead

    def are_we_alone(self) -> bool:
        """True if no other process is in the run, be it alive or not."""
        return self._numbers() == [self.number]

    def others(self) -> set[int]:
        """Return the numbers of the others that live."""
        numbers = {number for number in self._numbers() if number != self.number}
        return {number for number in numbers if not is_dead(self._path(number))}

    def look(self) -> list[int]:
        """Return the numbers of the others that are dead, or silent with something in hand.

        Who is stopped in a terminal (Ctrl-Z) and holds nothing may go on later.
        """
        others = [number for number in self._numbers() if number != self.number]
        dead = [
            number
            for number in others
            if is_dead(self._path(number))
            and (self._holds(number) or not is_there(self._path(number)))
        ]
        self.several = len(others) > len(dead)
        return dead

    def bury(self, dead: Iterable[int]) -> list[Dead]:
        """Let go all that dead processes held; once that is true, `forget` them."""
        buried = []
        for number in list(dead):
            (in_hand,) = self._db.execute(
                "SELECT in_hand FROM processes WHERE no = ?", (number,)
            ).fetchone()
            path, hosts = self._path(number), self._hosts_of(number)
            buried.append(Dead(number, in_hand, flights(path), hosts))
            self.leave(number)
        return buried

    def forget(self, dead: Iterable[Dead]) -> None:
        """Remove the files of dead processes: what they say is written down."""
        for process in dead:
            with suppress(OSError):
                self._path(process.number).unlink()

    def leave(self, number: int) -> None:
        """Let go all that a process held."""
        for (host,) in self._db.execute(
            "SELECT host FROM shares WHERE process = ?", (number,)
        ).fetchall():
            self.leave_share(host, number)
        self._db.execute("UPDATE hosts SET holder = NULL WHERE holder = ?", (number,))
        self._db.execute("DELETE FROM wishes WHERE process = ?", (number,))
        self._db.execute("UPDATE wishes SET lender = NULL WHERE lender = ?", (number,))
        self._db.execute("DELETE FROM processes WHERE no = ?", (number,))

    def stay(self, *, in_hand: int, reserved: int) -> None:
        """Say that we are not hungry, with so much in hand."""
        self._db.execute(
            "UPDATE processes SET in_hand = ?, reserved = ?, hungry = 0 WHERE no = ?",
            (in_hand, reserved, self.number),
        )

    def check(self) -> None:
        """Raise `LeasesLost` if others have taken this process for dead."""
        row = self._db.execute("SELECT 1 FROM processes WHERE no = ?", (self.number,))
        if row.fetchone() is None:
            raise LeasesLost(
                f"process {self.number} of the run did not stir for so long that it was taken for "
                "dead; others have what it held"
            )

    def starve(self) -> None:
        """Say that we find nothing to do while others have it."""
        self._db.execute("UPDATE processes SET hungry = 1 WHERE no = ?", (self.number,))

    def hungry(self) -> int | None:
        """Return the number of another process that stirs and finds nothing to do, or None."""
        rows = self._db.execute(
            "SELECT no FROM processes WHERE hungry AND no <> ?", (self.number,)
        ).fetchall()
        stirring = (number for (number,) in rows if not is_dead(self._path(number)))
        return next(stirring, None)

    def reserved_elsewhere(self) -> int:
        """Return how many pages of `max_pages` the others have set aside."""
        row = self._db.execute(
            "SELECT coalesce(sum(reserved), 0) FROM processes WHERE no <> ?", (self.number,)
        ).fetchone()
        return int(row[0])

    def shares(self) -> dict[int, int]:
        """Return the hosts shared with us, and our slots of each."""
        return dict(
            self._db.execute("SELECT host, slots FROM shares WHERE process = ?", (self.number,))
        )

    def shares_of(self, host: int) -> dict[int, int]:
        """Return the processes that share a host, and their slots."""
        return dict(self._db.execute("SELECT process, slots FROM shares WHERE host = ?", (host,)))

    def share(self, host: int, *, own: int, other: int, given: int) -> None:
        """Share a host of ours: `given` slots to process `other`, `own` stay here."""
        self._db.executemany(
            "INSERT INTO shares VALUES (?, ?, ?)"
            " ON CONFLICT (host, process) DO UPDATE SET slots = excluded.slots",
            [(host, self.number, own), (host, other, given)],
        )
        # Nobody's alone: neither free nor held.
        self._db.execute("UPDATE hosts SET holder = 0 WHERE id = ?", (host,))

    def leave_share(self, host: int, number: int) -> None:
        """Give a process's slots of a host to another that shares it; the last one frees it."""
        mine = (host, number)
        slots = self.shares_of(host).get(number, 0)
        self._db.execute("DELETE FROM shares WHERE host = ? AND process = ?", mine)
        self._db.execute("UPDATE queue SET taken = NULL WHERE host = ? AND taken = ?", mine)
        others = list(self.shares_of(host))
        if others:
            self._db.execute(
                "UPDATE shares SET slots = slots + ? WHERE host = ? AND process = ?",
                (slots, host, others[0]),
            )
        else:
            self._db.execute("UPDATE hosts SET holder = NULL WHERE id = ?", (host,))

    def close(self) -> None:
        """Be no process of the run any more; again is fine."""
        if self.presence is not None:
            self.presence.close()

    def _holds(self, number: int) -> bool:
        (held,) = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM hosts WHERE holder = ?1)"
            " OR EXISTS (SELECT 1 FROM shares WHERE process = ?1)"
            " OR EXISTS (SELECT 1 FROM wishes WHERE process = ?1)"
            " OR EXISTS (SELECT 1 FROM processes WHERE no = ?1 AND (in_hand OR reserved))",
            (number,),
        ).fetchone()
        return bool(held)

    def _hosts_of(self, number: int) -> list[int]:
        rows = self._db.execute(
            "SELECT id FROM hosts WHERE holder = ?1"
            " UNION SELECT host FROM shares WHERE process = ?1",
            (number,),
        )
        return [host for (host,) in rows]

    def _numbers(self) -> list[int]:
        return [number for (number,) in self._db.execute("SELECT no FROM processes")]

    def _path(self, number: int) -> Path:
        return self._folder / str(number)
