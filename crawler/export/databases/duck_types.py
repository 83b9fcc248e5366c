"""The types of DuckDB, and of Arrow, through which values go."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import duckdb
import pyarrow as pa
from msgspec import Meta, Raw, structs

from crawler.export.columns import array_of
from crawler.export.databases.kinds import EXACT, Kind, fitted, kind_of
from crawler.export.databases.names import NameRules, quoted
from crawler.export.databases.table import Column
from crawler.export.rows import Reading, texts
from crawler.fields import Field

_DECIMAL = "DECIMAL(38,10)"
_TYPES: Final[dict[Kind, str]] = {
    "bool": "BOOLEAN", "int": "BIGINT", "float": "DOUBLE", "decimal": _DECIMAL, "str": "VARCHAR",
    "bytes": "BLOB", "datetime": "TIMESTAMP WITH TIME ZONE", "date": "DATE", "uuid": "UUID",
    "any": "JSON",
}  # fmt: skip
_KINDS: Final[dict[str, Kind]] = {
    **{declared: kind for kind, declared in _TYPES.items()},
    "TINYINT": "int", "SMALLINT": "int", "INTEGER": "int",
}  # fmt: skip
_BITS: Final = {"TINYINT": 7, "SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}
_LEAVES: Final = {"bool": "BOOLEAN", "int": "BIGINT", "float": "DOUBLE"}
"""What is in lists and objects as such; all else is text there, as JSON has it."""
ROW = "crawler_row"


class DuckDialect:
    """Lists and objects of typed items have DuckDB's own types; those of untyped ones are JSON."""

    names = NameRules(taken=(ROW, "rowid"), prefixes=("crawler_cursors",))

    def kind_of(self, field: Field) -> Kind:
        """See `Dialect`."""
        return "native" if native(field) else kind_of(field)

    def inferred(self, shape: Kind) -> Kind:
        """See `Dialect`."""
        return "int" if shape == "small" else "any" if shape == "number" else shape

    def type_of(self, kind: Kind, field: Field | None) -> str:
        """See `Dialect`."""
        found = native(field) if kind == "native" and field is not None else None
        return found or _TYPES[kind]

    def fitting(self, declared: str, field: Field | None) -> Kind | None:
        """See `Dialect`."""
        if field is not None and native(field) == declared:
            return "native"
        return fitted(_KINDS.get(declared), self.kind_of(field) if field else None)

    def reading(self, column: Column) -> Reading:
        """See `Dialect`."""
        if column.kind == "int":
            bits = _BITS[column.type]
            integer = Annotated[int, Meta(ge=-(2**bits), le=2**bits - 1)]
            return Reading(integer | None, _arrow(pa.int64()))
        if column.kind == "native":
            assert column.field is not None, "only fields of types have such columns"
            return Reading(Any, partial(array_of, _with_text(column.field)))
        return _READINGS[column.kind]

    def widened(self, column: Column, kind: Kind) -> Column:
        """See `Dialect`."""
        kind = "any" if kind == "number" else kind
        return structs.replace(column, kind=kind, type=_TYPES[kind])

    def cleaned(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """See `Dialect`."""
        return lines


def native(field: Field) -> str | None:
    """Return DuckDB's type of a list or an object; None where JSON has to do."""
    found = _nested(field) if field.kind in ("list", "map", "struct") else None
    # As DuckDB writes it itself, or what is there could not be told to be the same.
    return None if found is None else str(duckdb.sqltype(found))


def _nested(field: Field) -> str | None:
    match field.kind:
        case "list" | "map":
            inner = _nested(field.item) if field.item is not None else None
            if inner is None:
                return None
            return f"{inner}[]" if field.kind == "list" else f"MAP(VARCHAR, {inner})"
        case "struct":
            found = {each.name: _nested(each) for each in field.fields}
            names = {name.casefold() for name in found}
            if "" in names or len(names) < len(field.fields) or None in found.values():
                return None
            listed = ", ".join(f"{quoted(name)} {inner}" for name, inner in found.items())
            return f"STRUCT({listed})" if found else None
        case "any" | "null":
            return None
    return _LEAVES.get(field.kind, "VARCHAR")


def _with_text(field: Field) -> Field:
    """Return a field with text for what is text in the JSON of its lists and objects."""
    match field.kind:
        case "list" | "map":
            assert field.item is not None, "what has such a type says what is in it"
            return structs.replace(field, item=_with_text(field.item))
        case "struct":
            return structs.replace(field, fields=tuple(map(_with_text, field.fields)))
    return field if field.kind in _LEAVES else Field(field.name, "str")


def _arrow(kind: Any) -> Callable[[Sequence[Any]], Any]:
    def convert(values: Sequence[Any]) -> Any:
        return pa.array(values, kind)

    return convert


def _times(values: Sequence[datetime | None]) -> Any:
    """A time that does not say of which zone it is counts as UTC."""
    aware = [v.replace(tzinfo=UTC) if v is not None and v.tzinfo is None else v for v in values]
    return pa.array(aware, pa.timestamp("us", "UTC"))


def _uuids(values: Sequence[UUID | None]) -> Any:
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _json(values: Sequence[Raw | None]) -> Any:
    return pa.array(texts(values), pa.string())


_READINGS: Final[dict[Kind, Reading]] = {
    "bool": Reading(bool | None, _arrow(pa.bool_())),
    "float": Reading(
        Annotated[int, Meta(ge=-EXACT, le=EXACT)] | float | None, _arrow(pa.float64())
    ),
    "decimal": Reading(Decimal | None, _arrow(pa.decimal128(38, 10))),
    "str": Reading(str | None, _arrow(pa.string())),
    "bytes": Reading(bytes | None, _arrow(pa.binary())),
    "datetime": Reading(datetime | None, _times),
    "date": Reading(date | None, _arrow(pa.date32())),
    "uuid": Reading(UUID | None, _uuids),
    "any": Reading(Raw, _json),
}
