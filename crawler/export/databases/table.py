"""One table: which column each key of its items has."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct, structs

from crawler.errors import TargetUnfit
from crawler.export.databases.kinds import NUMBERS, Kind, joined
from crawler.export.databases.names import NameRules, column_for
from crawler.export.rows import Reader, Reading, raw_rows, shape_of_raw
from crawler.fields import Field, Fields

_MOST_KEYS = 1000
"""Each new key alters the table, so a site that invents keys must not go on."""


class Column(Struct, frozen=True):
    """A column: its key in items, its name and type in the table, what is written to it.

    `field` is what the items' type says of it; None: only items can tell.
    """

    key: str
    name: str
    type: str
    kind: Kind
    field: Field | None = None


class Change(Struct, frozen=True):
    """A column that is new, or is to have room for more than it `was`.

    Where it turns from integers to floats it may have larger ones than floats hold: `instead` is
    for those.
    """

    column: Column
    was: Column | None = None
    instead: Column | None = None


class Dialect(Protocol):
    """What a database has of names and types."""

    names: NameRules

    def kind_of(self, field: Field) -> Kind:
        """Return what a new column for a field holds."""

    def inferred(self, shape: Kind) -> Kind:
        """Return what a new column for such values holds."""

    def type_of(self, kind: Kind, field: Field | None) -> str:
        """Return the type of a column."""

    def fitting(self, declared: str, field: Field | None) -> Kind | None:
        """Return how a column that is there is written to; None if it cannot be."""

    def reading(self, column: Column) -> Reading:
        """Return how the values of a column are read."""

    def widened(self, column: Column, kind: Kind) -> Column:
        """Return the column with room for more. Raises `TargetUnfit`."""

    def cleaned(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Return lines without what the database cannot hold at all."""


class Table:
    """A table in a database, and the reader of lines that go to it.

    `there` are the types of the columns that it has, by name. Raises `TargetUnfit`.
    """

    def __init__(
        self,
        name: str,
        *,
        fields: Fields,
        key: Sequence[str],
        dialect: Dialect,
        there: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.columns: dict[str, Column] = {}
        self._key = tuple(key)
        self._dialect = dialect
        self._nulls: set[str] = set()
        self._there: dict[str, str] = dict(there or {})
        for field in fields or ():
            self.columns[field.name] = self._column(field.name, field)
        self._reader = self._renewed()

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the order in which they are read."""
        return [column.name for column in self.columns.values()]

    @property
    def key(self) -> list[str]:
        """The names of the columns that tell rows apart; often none."""
        return [self.columns[key].name for key in self._key if key in self.columns]

    @property
    def missing(self) -> list[Column]:
        """The columns that the table does not have yet."""
        return [column for column in self.columns.values() if column.name not in self._there]

    def read(self, lines: Sequence[bytes]) -> list[Sequence[Any]]:
        """Return the values of each column. Raises `Misfit` for lines to `learn` from."""
        return self._reader.read(lines)

    def learn(self, lines: Sequence[bytes]) -> list[Change]:
        """Return what must be changed before some lines have room.

        None may be: then it was only not known yet what the table has.
        """
        rows = list(raw_rows(lines))
        for key in dict.fromkeys(key for row in rows for key in row):
            if key not in self.columns:
                name = self._name(key)
                if name in self._there:
                    self.columns[key] = self._column(key, None)
        self._reader = self._renewed()
        shapes: dict[str, Kind] = {}
        for row in rows:
            for key, raw in row.items():
                if key not in self.columns or not self._reader.fits(key, raw):
                    shapes[key] = joined(shapes.get(key, "null"), shape_of_raw(raw))
        self._nulls = {
            key
            for key in {*self._nulls, *shapes}
            if key not in self.columns and shapes.get(key, "null") == "null"
        }
        if len({*self.columns, *self._nulls, *shapes}) > _MOST_KEYS:
            raise TargetUnfit(f"table {self.name}: items have more than {_MOST_KEYS:,} keys")
        self._reader = self._renewed()
        return self._changes({key: shape for key, shape in shapes.items() if shape != "null"})

    def bind(self, there: Mapping[str, str], *, changed: Sequence[Column] = ()) -> None:
        """Hear what the table has, after columns were `changed`."""
        self.columns |= {column.key: column for column in changed}
        self._there = dict(there)
        for key, column in self.columns.items():
            if column.name in there and there[column.name] != column.type:
                self.columns[key] = self._found(column)
        self._reader = self._renewed()

    def _changes(self, shapes: Mapping[str, Kind]) -> list[Change]:
        changes: list[Change] = []
        names = [*self._there, *self.names]
        for key, shape in shapes.items():
            was = self.columns.get(key)
            if was is not None:
                changes.append(self._wider(was, shape))
                continue
            name = column_for(key, names, self._dialect.names)
            names.append(name)
            kind = self._dialect.inferred(shape)
            column = Column(key, name, self._dialect.type_of(kind, None), kind)
            changes.append(Change(column))
        return changes

    def _wider(self, was: Column, shape: Kind) -> Change:
        kind = joined(was.kind, shape)
        if was.kind == "any":
            raise TargetUnfit(f"table {self.name}: column {was.name!r} cannot hold a value of it")
        if kind == was.kind and was.type == self._dialect.type_of(kind, was.field):
            kind = "number" if kind in NUMBERS and kind != "number" else "any"
        try:
            wider = self._dialect.widened(was, kind)
            if was.kind == "int" and shape == "float":
                return Change(self._dialect.widened(was, "float"), was, instead=wider)
        except TargetUnfit as error:
            raise TargetUnfit(f"table {self.name}: {error}") from None
        return Change(wider, was)

    def _column(self, key: str, field: Field | None) -> Column:
        """Return the column of a key: as it is there, or as it is to be made."""
        name = self._name(key)
        if name in self._there:
            return self._found(Column(key, name, "", "any", field))
        assert field is not None, "a column is made for a field, or for what items have"
        kind = self._dialect.kind_of(field)
        return Column(key, name, self._dialect.type_of(kind, field), kind, field)

    def _found(self, column: Column) -> Column:
        found = self._there[column.name]
        kind = self._dialect.fitting(found, column.field)
        if kind is None:
            wish = column.field and self._dialect.type_of(
                self._dialect.kind_of(column.field), column.field
            )
            expected = f", the items need {wish}" if wish else ", which is not written to"
            raise TargetUnfit(f"table {self.name}: column {column.name!r} is {found}{expected}")
        return structs.replace(column, type=found, kind=kind)

    def _name(self, key: str) -> str:
        return column_for(key, [*self._there, *self.names], self._dialect.names)

    def _renewed(self) -> Reader:
        readings = {key: self._dialect.reading(column) for key, column in self.columns.items()}
        return Reader(readings, ignored=sorted(self._nulls - self.columns.keys()))
