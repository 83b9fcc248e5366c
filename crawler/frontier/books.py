"""What a run adds up to, in SQLite."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Set

import msgspec

from crawler.outcome import MOST_EXAMPLES, MOST_SLOWEST, Batch, Part, Position, Totals
from crawler.rules.gate import KEPT, trap_kept

_STAYING = -1
"""The part of files that are joined to none, whoever writes them."""

_MOST_GONE = 3_000
"""Names that came to nothing and are still told to other processes."""


class Sizes:
    """The frontier's size, and its running numbers."""

    __slots__ = ("change", "delayed", "known", "next_id", "queued", "saved")

    def __init__(self, row: tuple[int, int, int, int, int, float]) -> None:
        self.next_id, self.queued, self.delayed, self.known, self.change, self.saved = row


class Books:
    """Counters, sizes, items' keys, positions of files, what is kept; in an open transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.part = 0
        """Which of the run's line files are this process's."""

    def sizes(self) -> Sizes:
        """Return the frontier's size now."""
        return Sizes(
            self._db.execute(
                "SELECT next_id, queued, delayed, known, change, saved FROM sizes"
            ).fetchone()
        )

    def is_empty(self) -> bool:
        """True if nothing is queued or delayed anywhere."""
        sizes = self.sizes()
        return not sizes.queued and not sizes.delayed

    def resize(
        self, *, queued: int = 0, delayed: int = 0, known: int = 0, next_id: int | None = None
    ) -> None:
        """Add to the frontier's size."""
        self._db.execute(
            "UPDATE sizes SET queued = queued + ?, delayed = delayed + ?, known = known + ?,"
            " next_id = coalesce(?, next_id)",
            (queued, delayed, known, next_id),
        )

    def ahead(self) -> float:
        """Return how far the run's clock is ahead of the system's monotonic one."""
        return float(self._db.execute("SELECT ahead FROM sizes").fetchone()[0])

    def set_ahead(self, seconds: float) -> None:
        """Set how far the run's clock is ahead."""
        self._db.execute("UPDATE sizes SET ahead = ?", (seconds,))

    def hosts(self) -> int:
        """Return how many hosts are known, seeding's own left out."""
        # The largest number, not a count: of a million rows that would take its time.
        row = self._db.execute("SELECT coalesce(max(id), 0) FROM hosts").fetchone()
        seeding = self._db.execute("SELECT count(*) FROM hosts WHERE name = ''").fetchone()
        return int(row[0] - seeding[0])

    def first_delayed(self) -> float | None:
        """Return when the first delayed request is due."""
        row = self._db.execute("SELECT due FROM delayed ORDER BY due LIMIT 1").fetchone()
        return row[0] if row is not None else None

    def add(self, name: str, number: int) -> None:
        """Add to a counter."""
        self._add({name: number})

    def count(self, name: str) -> int:
        """Return a counter."""
        row = self._db.execute("SELECT n FROM counts WHERE name = ?", (name,)).fetchone()
        return row[0] if row is not None else 0

    def counts(self, *, since: int = 0) -> Counter[str]:
        """Return the counters, of those changed since `Sizes.change` was `since`."""
        changed = self._db.execute("SELECT name, n FROM counts WHERE change >= ?", (since,))
        return Counter(dict(changed))

    def known_items(self, keys: Collection[int]) -> set[int]:
        """Return those of the keys that committed items have."""
        found = self._db.execute(
            "SELECT key FROM item_keys WHERE key IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(list(keys)).decode(),),
        )
        return {key for (key,) in found}

    def callbacks(self) -> dict[str, int]:
        """Return how many requests are queued for which callback."""
        return dict(self._db.execute("SELECT name, queued FROM callbacks WHERE queued > 0"))

    def commit(self, batch: Batch, now: float, *, process: int) -> None:
        """Write a batch's counters, items' keys, positions, examples, and what it keeps."""
        self._add(batch.counts)
        # Of a key that is there already an error: no item is ever counted twice.
        self._db.executemany("INSERT INTO item_keys VALUES (?)", [(k,) for k in batch.item_keys])
        self.write_position(self.part, batch.position)
        self.write_position(_STAYING, batch.lengths)
        for part, joined in batch.joined.items():
            self._db.executemany(
                "UPDATE files SET joined = ? WHERE part = ? AND name = ?",
                [(length, part, name) for name, length in joined.items()],
            )
        for words in batch.examples:
            self._db.execute(
                "INSERT INTO examples (words) SELECT ? WHERE (SELECT count(*) FROM examples) < ?",
                (words, MOST_EXAMPLES),
            )
        self._db.execute("UPDATE sizes SET saved = ?, change = change + 1", (now,))
        self._db.executemany(
            "INSERT INTO kept VALUES (?, ?, (SELECT change FROM sizes), ?) ON CONFLICT (name)"
            " DO UPDATE SET value = excluded.value, change = excluded.change,"
            " writer = excluded.writer",
            [(name, value, process) for name, value in batch.kept.items()],
        )
        if not all(batch.kept.values()):
            self._forget_gone()

    def write_position(self, part: int, position: Position) -> None:
        """Write how far the files of a part are committed."""
        self._db.executemany(
            "INSERT INTO files (part, name, bytes) VALUES (?, ?, ?)"
            " ON CONFLICT (part, name) DO UPDATE SET bytes = excluded.bytes",
            [(part, name, length) for name, length in position.items()],
        )

    def parts(self) -> dict[int, Part]:
        """Return the parts, but for the run's own files, that are not wholly joined."""
        rows = self._db.execute(
            "SELECT part, name, bytes, joined FROM files WHERE part > 0 AND joined < bytes"
        )
        parts: dict[int, Part] = {}
        for part, name, length, joined in rows:
            found = parts.setdefault(part, Part({}, {}))
            found.committed[name], found.joined[name] = length, joined
        return parts

    def position(self, part: int) -> Position:
        """Return how far the files of a part are committed."""
        return dict(self._db.execute("SELECT name, bytes FROM files WHERE part = ?", (part,)))

    def lengths(self) -> Position:
        """Return how long the files are that stay where they are."""
        return self.position(_STAYING)

    def kept(self, *, since: int = -1, not_by: int = -1) -> Mapping[str, bytes]:
        """Return what is kept by name, changed after number `since` by others than `not_by`."""
        return dict(
            self._db.execute(
                "SELECT name, value FROM kept WHERE change > ? AND writer <> ? ORDER BY change",
                (since, not_by),
            )
        )

    def totals(self) -> Totals:
        """Return what the run came to so far."""
        slowest = self._db.execute(
            "SELECT name, answers, seconds / answers AS mean FROM hosts WHERE answers"
            " ORDER BY mean DESC LIMIT ?",
            (MOST_SLOWEST,),
        )
        given_up = self._db.execute(
            "SELECT name, given_up FROM hosts WHERE given_up IS NOT NULL ORDER BY id"
        )
        examples = self._db.execute("SELECT words FROM examples ORDER BY id")
        traps = self._db.execute(
            "SELECT name, value FROM kept WHERE name BETWEEN ? AND ? ORDER BY change",
            (KEPT, KEPT + "\x7f"),
        )
        return Totals(
            counts=self.counts(),
            slowest=slowest.fetchall(),
            given_up=dict(given_up.fetchall()),
            examples=[words for (words,) in examples],
            traps=dict(trap_kept(name, value) for name, value in traps),
        )

    def forget_failures(self, kinds: Mapping[str, int], *, urls: Set[str]) -> None:
        """Take failures back, and the examples of these URLs."""
        self._add({f"failed.{kind}": -number for kind, number in kinds.items()})
        for number, words in self._db.execute("SELECT id, words FROM examples").fetchall():
            if words.rpartition(": ")[2] in urls:
                self._db.execute("DELETE FROM examples WHERE id = ?", (number,))

    def _forget_gone(self) -> None:
        """Delete what is empty for so long that whoever listens has heard of it."""
        self._db.execute(
            "DELETE FROM kept WHERE value = x'' AND change < (SELECT change FROM kept"
            " WHERE value = x'' ORDER BY change DESC LIMIT 1 OFFSET ?)",
            (_MOST_GONE,),
        )

    def _add(self, counts: Mapping[str, int]) -> None:
        self._db.executemany(
            "INSERT INTO counts VALUES (?, ?, (SELECT change FROM sizes)) ON CONFLICT (name)"
            " DO UPDATE SET n = n + excluded.n, change = excluded.change",
            counts.items(),
        )
