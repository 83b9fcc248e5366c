"""How the items of two runs differ."""

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from crawler.errors import RunError, TargetError, UsageError
from crawler.exporting import Kept

_DIGEST_BYTES = 16
_decoder = msgspec.json.Decoder(dict[str, Raw])

_TABLE = """CREATE TABLE {name} (
    key BLOB PRIMARY KEY, keyed INTEGER, type TEXT, line BLOB, n INTEGER DEFAULT 1
) WITHOUT ROWID"""
_INSERT = """INSERT INTO {name} (key, keyed, type, line) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET line = excluded.line, n = n + 1"""
_ONLY_IN = """SELECT {name}.type, {name}.line, iif({name}.keyed, 1, {name}.n - coalesce(other.n, 0))
    FROM {name} LEFT JOIN {other} AS other USING (key)
    WHERE other.key IS NULL OR (NOT {name}.keyed AND {name}.n > other.n)
    ORDER BY {name}.type, key"""
_UNLIKE = """SELECT new.type, old.line, new.line FROM new JOIN old USING (key)
    WHERE new.line <> old.line ORDER BY new.type, key"""


class Change(Struct, frozen=True, omit_defaults=True):
    """A difference: an item that one run has more of, or two of one key that are not alike.

    `item` is it whole, or the key of what changed; `fields` are those that did, each with its value
    before and after.
    """

    change: Literal["added", "removed", "changed"]
    type: str
    item: Mapping[str, Any]
    fields: Mapping[str, tuple[Any, Any]] = {}


def differences(before: Kept, after: Kept, *, keys: Sequence[str] = ()) -> Iterator[Change]:
    """Yield what was added, changed and removed; items are told apart by `keys`, or their types'.

    Of one key the last item counts; those without a key are compared whole. Memory is flat: what
    is compared is on disk. Raises `RunError`, `UsageError` for keys that no item has, `TargetError`
    if there is no room for temporary files.
    """
    with (
        _saying(),
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "items.db", isolation_level=None)) as db,
    ):
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        old, new = _Reader(before, keys), _Reader(after, keys)
        for name, reader in (("old", old), ("new", new)):
            db.execute(_TABLE.format(name=name))
            db.executemany(_INSERT.format(name=name), reader.rows())
        if keys and not (old.has_keys or new.has_keys):
            raise UsageError(f"--key: no item has all of the fields {', '.join(keys)}")
        yield from _only_in(db, "new", other="old")
        for kind, one, other in db.execute(_UNLIKE):
            if fields := _changed(one, other):
                yield Change("changed", kind, new.key_of(kind, other), fields)
        yield from _only_in(db, "old", other="new")


@contextmanager
def _saying() -> Iterator[None]:
    """Raise `TargetError` for what temporary files may fail at."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise TargetError(
            f"no items can be compared, as temporary files cannot be written: {error}; "
            "TMPDIR names another folder for them"
        ) from None


def _only_in(db: sqlite3.Connection, name: str, *, other: str) -> Iterator[Change]:
    word: Literal["added", "removed"] = "added" if name == "new" else "removed"
    for kind, line, number in db.execute(_ONLY_IN.format(name=name, other=other)):
        change = Change(word, kind, msgspec.json.decode(line))
        yield from (change for _ in range(number))


def _changed(before: bytes, after: bytes) -> dict[str, tuple[Any, Any]]:
    """Return the fields that two items have not alike; one that is not there is null."""
    old, new = msgspec.json.decode(before), msgspec.json.decode(after)
    names = dict.fromkeys([*old, *new])
    pairs = {name: (old.get(name), new.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if not _alike(*pair)}


def _alike(one: Any, other: Any) -> bool:
    """True for values that JSON has alike: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


class _Reader:
    """Reads a run's items with what tells them apart."""

    def __init__(self, kept: Kept, keys: Sequence[str]) -> None:
        self._kept = kept
        self._keys = {name: tuple(keys) or own for name, own in kept.streams.keys.items()}
        self.has_keys = False

    def rows(self) -> Iterator[tuple[bytes, bool, str, bytes]]:
        """Yield each item: a digest of its key, if it has one, its type, its JSON object."""
        for line in self._kept.lines():
            try:
                kind, item = self._kept.streams.split(line)
                members = _decoder.decode(item)
            except ValueError as error:
                raise RunError(f"{self._kept.path}: a line that is no item: {error}") from None
            names = self._keys.get(kind, ())
            keyed = bool(names) and all(name in members for name in names)
            self.has_keys |= keyed
            pieces = [bytes(members[name]) for name in names] if keyed else [item]
            yield _digest([kind.encode(), *pieces]), keyed, kind, item

    def key_of(self, kind: str, item: bytes) -> dict[str, Any]:
        """Return what tells an item apart."""
        members = msgspec.json.decode(item)
        return {name: members[name] for name in self._keys[kind]}


def _digest(pieces: Iterable[bytes]) -> bytes:
    # JSON has no raw newline, so pieces cannot run into each other.
    return hashlib.blake2b(b"\n".join(pieces), digest_size=_DIGEST_BYTES).digest()
