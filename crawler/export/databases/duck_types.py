"""The types of DuckDB, and of Arrow, through which values go."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import duckdb
import pyarrow as pa
from msgspec import Meta, Raw, structs

from crawler.export.databases.kinds import EXACT, Kind, fitted, kind_of
from crawler.export.databases.names import NameRules, quoted
from crawler.export.databases.table import Column
from crawler.export.rows import Reading, texts
from crawler.fields import Field, fits

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
_LEAVES: Final[dict[str, tuple[str, Any]]] = {
    "bool": ("BOOLEAN", pa.bool_()), "int": ("BIGINT", pa.int64()),
    "float": ("DOUBLE", pa.float64()),
}  # fmt: skip
_LEAF_TYPES: Final[dict[str, Any]] = {
    "bool": bool | None,
    "int": Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None,
    "float": Annotated[int, Meta(ge=-EXACT, le=EXACT)] | float | None,
}
_TEXT: Final[tuple[str, Any]] = ("VARCHAR", pa.string())
"""What else is in lists and objects is text there, as JSON has it."""
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
        return found[0] if found else _TYPES[kind]

    def fitting(self, declared: str, field: Field | None) -> Kind | None:
        """See `Dialect`."""
        if field is not None and (found := native(field)) and found[0] == declared:
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
            kind = _listed(column.field)
            if kind is not None:
                found = native(column.field)
                assert found is not None, "the column has such a type"
                return Reading(kind, _arrow(found[1]))
            return Reading(Any, _natives(column.field))
        return _READINGS[column.kind]

    def widened(self, column: Column, kind: Kind) -> Column:
        """See `Dialect`."""
        kind = "any" if kind == "number" else kind
        return structs.replace(column, kind=kind, type=_TYPES[kind])

    def cleaned(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """See `Dialect`."""
        return lines


def native(field: Field) -> tuple[str, Any] | None:
    """Return the types, DuckDB's and Arrow's, of a list or an object; None where JSON has to do."""
    found: tuple[str, Any] | None = (
        _nested(field) if field.kind in ("list", "map", "struct") else None
    )
    if found is None:
        return None
    # As DuckDB writes it itself, or what is there could not be told to be the same.
    canonical: str = str(duckdb.sqltype(found[0]))
    return canonical, found[1]


def _nested(field: Field) -> tuple[str, Any] | None:
    match field.kind:
        case "list" | "map":
            inner = _nested(field.item) if field.item is not None else None
            if inner is None:
                return None
            if field.kind == "list":
                return f"{inner[0]}[]", pa.list_(inner[1])
            return f"MAP(VARCHAR, {inner[0]})", pa.map_(pa.string(), inner[1])
        case "struct":
            found = {each.name: _nested(each) for each in field.fields}
            names = {name.casefold() for name in found}
            if "" in names or len(names) < len(field.fields) or not found:
                return None
            whole = {name: inner for name, inner in found.items() if inner is not None}
            if len(whole) < len(found):
                return None
            listed = ", ".join(f"{quoted(name)} {inner[0]}" for name, inner in whole.items())
            arrow: Any = pa.struct([(name, inner[1]) for name, inner in whole.items()])
            return f"STRUCT({listed})", arrow
        case "any" | "null":
            return None
    leaf: tuple[str, Any] = _LEAVES.get(field.kind, _TEXT)
    return leaf


def _listed(field: Field) -> Any:
    """Return the type that msgspec reads lists of a field's as, without objects; else None."""
    if field.kind == "list":
        inner = _listed(field.item) if field.item is not None else None
        return None if inner is None else list[inner] | None  # type: ignore[valid-type]  # made here
    if field.kind in ("map", "struct"):
        return None
    return _LEAF_TYPES.get(field.kind, str | None)


def _natives(field: Field) -> Callable[[Sequence[Any]], Any]:
    found = native(field)
    assert found is not None, "the column has such a type"

    def convert(values: Sequence[Any]) -> Any:
        if not all(fits(field, value) for value in values):
            raise ValueError
        return pa.array([_paired(field, value) for value in values], found[1])

    return convert


def _paired(field: Field, value: Any) -> Any:
    """Return a value as Arrow takes it: the entries of maps as pairs."""
    if value is None:
        return None
    match field.kind:
        case "list":
            return [_paired(field.item, item) for item in value] if field.item else value
        case "map":
            inner = field.item
            return [(key, _paired(inner, v) if inner else v) for key, v in value.items()]
        case "struct":
            return {each.name: _paired(each, value.get(each.name)) for each in field.fields}
    return value


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
