"""The few types that SQLite has."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, structs

from crawler.errors import TargetUnfit
from crawler.export.databases.kinds import EXACT, NUMBERS, Kind, kind_of
from crawler.export.databases.names import NameRules
from crawler.export.databases.table import Column
from crawler.export.rows import Reading, texts
from crawler.fields import TEXTS, Field

INT64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
EXACT_INT = Annotated[int, Meta(ge=-EXACT, le=EXACT)]

_TYPES: Final[dict[Kind, str]] = {
    "bool": "INTEGER", "int": "INTEGER", "float": "REAL", "decimal": "TEXT", "str": "TEXT",
    "bytes": "BLOB", "datetime": "TEXT", "date": "TEXT", "uuid": "TEXT",
}  # fmt: skip
ROW = "crawler_row"
"""The one column of a table before its items have any."""
_NESTED = ("list", "map", "struct")


class SqliteDialect:
    """Columns of typed items have a type; those of untyped ones take each value as it is.

    A column's affinity would turn text like "007" to a number: such columns are not written to. An
    integer that has no room in its column is a BLOB of its digits.
    """

    names = NameRules(taken=(ROW,), prefixes=("sqlite_", "crawler_cursors"))

    def kind_of(self, field: Field) -> Kind:
        """See `Dialect`."""
        return kind_of(field)

    def inferred(self, shape: Kind) -> Kind:  # noqa: ARG002
        """See `Dialect`."""
        return "any"

    def type_of(self, kind: Kind, field: Field | None) -> str:
        """See `Dialect`."""
        if kind == "any" and field is not None and field.kind in _NESTED:
            return "TEXT"
        return _TYPES.get(kind, "")

    def fitting(self, declared: str, field: Field | None) -> Kind | None:
        """See `Dialect`."""
        wish: Kind | None = kind_of(field) if field else None
        is_nested = field is not None and field.kind in _NESTED
        match _affinity(declared):
            case "BLOB":
                return wish or "any"
            case "TEXT" if wish == "bool" or wish in NUMBERS:
                return None  # it would turn them to text
            case "TEXT":
                return "str" if wish == "bytes" else wish or "any"
            case "INTEGER":
                numeric: Kind = "int"
            case "REAL":
                numeric = "float"
            case _:
                numeric = "number"
        if is_nested:
            return "any"  # no array or object is read as a number
        if wish is None or wish in NUMBERS:
            return "number" if wish == "float" and numeric == "int" else numeric
        return "bool" if wish == "bool" and numeric != "float" else None

    def reading(self, column: Column) -> Reading:
        """See `Dialect`."""
        match column.kind:
            case "bool":
                return Reading(bool | None)
            case "int":
                return Reading(INT64 | None)
            case "float":
                return Reading(EXACT_INT | float | None)
            case "number":
                return Reading(int | float | None, _exact if column.type == "REAL" else _fitted)
            case "bytes":
                return Reading(bytes | None)
            case kind if kind in TEXTS:
                return Reading(str | None)
        if column.field is not None and column.field.kind in _NESTED:
            return Reading(Raw, texts)
        return Reading(Any, _values)

    def widened(self, column: Column, kind: Kind) -> Column:
        """See `Dialect`."""
        if kind == "number":
            return structs.replace(column, kind=kind)
        raise TargetUnfit(f"column {column.name!r} is {column.type}, and has room for no more")

    def cleaned(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """See `Dialect`."""
        return lines


def _affinity(declared: str) -> str:
    """Return what SQLite makes of a declared type (sqlite.org/datatype3.html, 3.1)."""
    for affinity, words in (
        ("INTEGER", ("INT",)),
        ("TEXT", ("CHAR", "CLOB", "TEXT")),
        ("BLOB", ("BLOB",)),
        ("REAL", ("REAL", "FLOA", "DOUB")),
    ):
        if any(word in declared for word in words):
            return affinity
    return "NUMERIC" if declared else "BLOB"


def _fitted(values: Sequence[Any]) -> list[Any]:
    return [_number(value, -(2**63), 2**63 - 1) for value in values]


def _exact(values: Sequence[Any]) -> list[Any]:
    return [_number(value, -EXACT, EXACT) for value in values]


def _number(value: Any, least: int, most: int) -> Any:
    if isinstance(value, int) and not least <= value <= most:
        return str(value).encode()
    return value


def _values(values: Sequence[Any]) -> list[Any]:
    return [_value(value) for value in values]


def _value(value: Any) -> Any:
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value
