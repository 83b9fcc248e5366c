"""Items' lines, read into columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw, Struct

from crawler.errors import TargetUnfit
from crawler.export.databases.kinds import Kind, shape_of

_UNREAD = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_UNFIT = (ValueError, TypeError, ArithmeticError)
"""What reading a value, and turning it into what a database takes, raises; `ValidationError` and
pyarrow's errors are `ValueError`."""

Convert = Callable[[Sequence[Any]], Sequence[Any]]


class Misfit(Exception):
    """A key or a value that columns have no room for."""


class Reading(Struct, frozen=True):
    """How the values of a column are read: as a type of msgspec's, then converted all at once."""

    type: Any
    convert: Convert | None = None


class Reader:
    """Reads lines into one sequence of values for each key, in the order of the keys.

    Keys that are missing are None; those in `ignored` hold nothing but null.
    """

    def __init__(self, readings: Mapping[str, Reading], *, ignored: Sequence[str] = ()) -> None:
        self._readings = dict(readings)
        self._ignored = frozenset(ignored)
        self._cells = {key: msgspec.json.Decoder(reading.type) for key, reading in readings.items()}
        self._rows = self._decoder()

    def read(self, lines: Sequence[bytes]) -> list[Sequence[Any]]:
        """Return the columns of some lines. Raises `Misfit`."""
        if not self._readings:
            with suppress(TargetUnfit):
                if all(self._ignored.issuperset(row) for row in raw_rows(lines)):
                    return []
            raise Misfit
        if self._rows is None:
            return self._converted(zip(*self._slow(lines), strict=True))
        try:
            rows = self._rows.decode(b"[" + b",".join(lines) + b"]")
        except _UNREAD:
            raise Misfit from None
        return self._converted(zip(*map(msgspec.structs.astuple, rows), strict=True))

    def fits(self, key: str, raw: Raw) -> bool:
        """True if a value has room in the column of its key."""
        convert = self._readings[key].convert
        try:
            value = self._cells[key].decode(raw)
            return convert is None or bool(len(convert([value])))
        except (*_UNFIT, Misfit):
            return False

    def _converted(self, columns: Iterator[Sequence[Any]]) -> list[Sequence[Any]]:
        try:
            return [
                values if reading.convert is None else reading.convert(values)
                for reading, values in zip(self._readings.values(), columns, strict=False)
            ]
        except _UNFIT:
            raise Misfit from None

    def _decoder(self) -> "msgspec.json.Decoder[list[Any]] | None":
        """Return what reads rows at once; None for keys that no Struct can have."""
        names = {f"f{number}": key for number, key in enumerate([*self._readings, *self._ignored])}
        types = [
            *(reading.type for reading in self._readings.values()),
            *(None for _ in self._ignored),
        ]
        try:
            row = msgspec.defstruct(
                "Row",
                [(name, kind, None) for name, kind in zip(names, types, strict=True)],
                rename=names,
                forbid_unknown_fields=True,
                gc=False,
            )
        except ValueError:  # msgspec has no names with quotes, backslashes and controls
            return None
        return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]  # it is made here

    def _slow(self, lines: Sequence[bytes]) -> Iterator[list[Any]]:
        known = self._ignored.union(self._readings)
        for row in raw_rows(lines):
            if not known.issuperset(row):
                raise Misfit
            try:
                yield [
                    self._cells[key].decode(row[key]) if key in row else None
                    for key in self._readings
                ]
            except _UNREAD:
                raise Misfit from None


_raw = msgspec.json.Decoder(dict[str, Raw])


def raw_rows(lines: Sequence[bytes]) -> Iterator[dict[str, Raw]]:
    """Yield each line's values by their keys. Raises `TargetUnfit`."""
    for line in lines:
        try:
            yield _raw.decode(line)
        except _UNREAD as error:
            raise TargetUnfit(f"no item that fits a table: {error}") from None


def shape_of_raw(raw: Raw) -> Kind:
    """Return what a value needs. Raises `TargetUnfit`."""
    try:
        return shape_of(msgspec.json.decode(raw))
    except _UNREAD as error:
        raise TargetUnfit(f"no item that fits a table: {error}") from None


def texts(values: Sequence[Raw | None]) -> list[str | None]:
    """Return JSON as text; null is None."""
    return [
        None if value is None or (text := str(value, "utf-8")) == "null" else text
        for value in values
    ]


def is_last(keys: Sequence[Sequence[Any]]) -> list[bool] | None:
    """Return which rows are the last of their key; None if all are.

    A row without a key's value is like no other.
    """
    rows = list(zip(*keys, strict=True))
    last = {key: number for number, key in enumerate(rows)}
    if len(last) == len(rows):
        return None
    return [last[key] == number or None in key for number, key in enumerate(rows)]
