"""Hosts in SQLite, and those that are ours."""

import heapq
import sqlite3
from collections.abc import Callable, Iterable
from itertools import count

import msgspec

from crawler.outcome import HostNotes

_encode = msgspec.msgpack.Encoder().encode
_encode_names = msgspec.json.Encoder().encode
_decode = msgspec.msgpack.Decoder(HostNotes).decode


class Held:
    """A host that this process holds: what of it is out, and what else it is held for."""

    __slots__ = (
        "asking",
        "borrowed",
        "delay",
        "dry",
        "due",
        "entered",
        "given_up",
        "id",
        "is_empty",
        "leaving",
        "name",
        "notes",
        "out",
        "shared",
        "slots",
    )

    def __init__(
        self, number: int, name: str, due: float, delay: float, notes: HostNotes | None
    ) -> None:
        self.id = number
        self.name = name
        self.due = due
        self.delay = delay
        self.notes = notes
        self.out: dict[int, int] = {}  # request id → rank
        self.asking = False  # somebody was sent to find the notes
        self.borrowed = 0  # requests made out of turn
        self.dry = False  # the last look into its queue found nothing
        self.is_empty = False  # nothing is in its queue but what is out
        self.given_up = False
        self.leaving = False  # another process shall have it
        self.shared = False
        self.slots: int | None = None  # of a shared host: how many may be in flight here
        self.entered: tuple[float, int] | None = None

    def notes_at(self, now: float) -> HostNotes | None:
        """Return the notes, if they are there and count yet."""
        return self.notes if self.notes is not None and self.notes.are_fresh(now) else None

    @property
    def is_idle(self) -> bool:
        """True if nothing holds it."""
        return not (self.out or self.asking or self.borrowed)

    def restock(self) -> None:
        """Hear that its queue may have got something."""
        self.dry = self.is_empty = False


class Change:
    """What one transaction does to a host."""

    __slots__ = (
        "added",
        "alone",
        "answers",
        "delay",
        "due",
        "given_up",
        "id",
        "notes",
        "pages",
        "pushed",
        "released",
        "seconds",
        "was_given_up",
        "was_pages",
    )

    def __init__(self, number: int, *, pages: int = 0, given_up: str | None = None) -> None:
        self.id = number
        self.was_pages = pages
        self.was_given_up = given_up
        self.due = 0.0
        self.delay: float | None = None
        self.alone: tuple[float, str | None] = (0.0, None)
        self.added = 0
        self.pushed = 0  # of what is added, what nobody has yet
        self.pages = 0
        self.answers = 0
        self.seconds = 0.0
        self.notes: HostNotes | None = None
        self.given_up: str | None = None
        self.released = False

    def refusal(self, host_pages: int | None) -> str | None:
        """Return why a host may not be asked for anything more, or None."""
        if self.given_up or self.was_given_up:
            return "host_given_up"
        if host_pages is not None and self.was_pages + self.pages >= host_pages:
            return "host_pages"
        return None


class Hosts:
    """The table of hosts, for whoever has a transaction open, and a heap of those held here."""

    def __init__(self, connection: sqlite3.Connection, *, ask_notes: bool) -> None:
        self._db = connection
        self._fresh_notes = None if ask_notes else _encode(HostNotes())
        self.held: dict[str, Held] = {}
        self._heap: list[tuple[float, int, Held]] = []
        self._entries = count()

    def changes(self, names: Iterable[str]) -> dict[str, Change]:
        """Return changes of those of the hosts called so that are known, at once."""
        rows = self._db.execute(
            "SELECT name, id, pages, given_up FROM hosts"
            " WHERE name IN (SELECT value FROM json_each(?))",
            (_encode_names(list(names)).decode(),),
        )
        return {name: Change(id_, pages=n, given_up=why) for name, id_, n, why in rows}

    def change(self, name: str, now: float) -> Change:
        """Return a change of the host called `name`, which is made if it is new."""
        row = self._db.execute(
            "SELECT id, pages, given_up FROM hosts WHERE name = ?", (name,)
        ).fetchone()
        if row is not None:
            return Change(row[0], pages=row[1], given_up=row[2])
        # Due from now: hosts that are known longer do not wait for all the new ones.
        notes = self._fresh_notes if name else _encode(HostNotes())
        made = self._db.execute(
            "INSERT INTO hosts (name, due, notes) VALUES (?, ?, ?)", (name, now, notes)
        )
        assert made.lastrowid is not None
        return Change(made.lastrowid)

    def save(self, changes: Iterable[Change]) -> None:
        """Write changes down; a due time never moves back."""
        self._db.executemany(
            "UPDATE hosts SET due = max(due, ?), delay = coalesce(?, delay),"
            " alone_until = max(alone_until, ?), alone = coalesce(?, alone),"
            " queued = queued + ?, pages = pages + ?,"
            " answers = answers + ?, seconds = seconds + ?, notes = coalesce(?, notes),"
            " given_up = coalesce(given_up, ?), holder = CASE WHEN ? THEN NULL ELSE holder END"
            " WHERE id = ?",
            [
                (
                    change.due,
                    change.delay,
                    *change.alone,
                    change.added,
                    change.pages,
                    change.answers,
                    change.seconds,
                    _encode(change.notes) if change.notes is not None else None,
                    change.given_up,
                    change.released,
                    change.id,
                )
                for change in changes
            ],
        )

    def why_alone(self, number: int, now: float) -> str:
        """Return why a host that rests is left alone, "" if it is not."""
        row = self._db.execute(
            "SELECT alone FROM hosts WHERE id = ? AND alone_until > ?", (number, now)
        ).fetchone()
        return row[0] if row is not None else ""

    def pardon(self, number: int) -> None:
        """Let a host that was given up, or could not be reached, be asked anew."""
        held, _ = self.find(number)
        _, given_up = self._db.execute(
            "SELECT pages, given_up FROM hosts WHERE id = ?", (number,)
        ).fetchone()
        notes = held.notes
        if notes is not None and (notes.unreachable or (given_up and notes.crawl_delay)):
            self._db.execute("UPDATE hosts SET notes = NULL WHERE id = ?", (number,))
        if given_up:
            self._db.execute("UPDATE hosts SET given_up = NULL WHERE id = ?", (number,))

    def rest(
        self, numbers: Iterable[int], now: float, *, seconds: Callable[[HostNotes], float]
    ) -> None:
        """Leave hosts in peace as if each had been asked just now."""
        for number in numbers:
            held, _ = self.find(number)
            if held.name and (pause := seconds(held.notes or HostNotes())):
                self._db.execute(
                    "UPDATE hosts SET due = max(due, ?) WHERE id = ?", (now + pause, number)
                )

    def free(self, now: float, limit: int) -> list[Held]:
        """Return hosts that nobody holds and that are due, the longest due first."""
        rows = self._db.execute(
            "SELECT id, name, due, delay, notes FROM hosts"
            " WHERE holder IS NULL AND queued > 0 AND due <= ? ORDER BY due, id LIMIT ?",
            (now, limit),
        )
        return [held_of(*row) for row in rows]

    def find(self, number: int) -> tuple[Held, int | None]:
        """Return a host as it is now, and who holds it."""
        *row, holder = self._db.execute(
            "SELECT id, name, due, delay, notes, holder FROM hosts WHERE id = ?", (number,)
        ).fetchone()
        return held_of(*row), holder

    def refresh(self, held: Held, now: float) -> Change:
        """Bring a held host up to date with the table; return what was known of it so far."""
        held.due, held.delay, notes, pages, given_up = self._db.execute(
            "SELECT due, delay, notes, pages, given_up FROM hosts WHERE id = ?", (held.id,)
        ).fetchone()
        if notes is not None and held.notes_at(now) is None:
            held.notes = _decode(notes)  # where it is shared, another process may have asked
        return Change(held.id, pages=pages, given_up=given_up)

    def shift(self, seconds: float) -> None:
        """Move all due times."""
        self._db.execute(
            "UPDATE hosts SET due = due + ?, alone_until = alone_until + ?", (seconds, seconds)
        )

    def hold(self, hosts: Iterable[Held], process: int | None) -> None:
        """Write down that a process holds hosts, or that nobody does."""
        self._db.executemany(
            "UPDATE hosts SET holder = ? WHERE id = ?", [(process, host.id) for host in hosts]
        )

    def first_free(self) -> float | None:
        """Return when the next host that nobody holds may be leased, or None if there is none."""
        row = self._db.execute(
            "SELECT due FROM hosts WHERE holder IS NULL AND queued > 0 ORDER BY due LIMIT 1"
        ).fetchone()
        return row[0] if row is not None else None

    def first_held(self) -> float | None:
        """Return when the next held host is to be looked at, or None if there is none."""
        return self._heap[0][0] if self._heap else None

    def enter(self, held: Held) -> None:
        """Let a held host be looked at when it is due."""
        if held.entered is None or held.due < held.entered[0]:
            held.entered = (held.due, next(self._entries))
            heapq.heappush(self._heap, (*held.entered, held))

    def due(self, now: float) -> list[Held]:
        """Return held hosts that are to be looked at, out of the heap."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            due, number, held = heapq.heappop(self._heap)
            if held.entered == (due, number):
                held.entered = None
                if self.held.get(held.name) is held:
                    found.append(held)
        return found


def held_of(number: int, name: str, due: float, delay: float, notes: bytes | None) -> Held:
    """Return a host as its row has it."""
    return Held(number, name, due, delay, _decode(notes) if notes is not None else None)
