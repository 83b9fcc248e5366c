"""The types of PostgreSQL."""

import logging
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Raw, structs

from crawler.export.databases.kinds import EXACT, Kind, fitted, kind_of
from crawler.export.databases.names import NameRules
from crawler.export.databases.table import Column
from crawler.export.rows import Reading, texts
from crawler.fields import Field

_log = logging.getLogger(__name__)

_TYPES: Final[dict[Kind, str]] = {
    "bool": "boolean", "int": "bigint", "float": "double precision", "number": "numeric",
    "decimal": "numeric", "str": "text", "bytes": "bytea", "datetime": "timestamp with time zone",
    "date": "date", "uuid": "uuid", "any": "jsonb",
}  # fmt: skip
# Those of tables that others made, too: what would round or cut a value is not among them.
_KINDS: Final[dict[str, Kind]] = {
    "boolean": "bool", "smallint": "int", "integer": "int", "bigint": "int",
    "double precision": "float", "numeric": "number", "text": "str", "character varying": "str",
    "bytea": "bytes", "timestamp with time zone": "datetime", "date": "date", "uuid": "uuid",
    "jsonb": "any", "json": "any",
}  # fmt: skip
_BITS: Final = {"smallint": 15, "integer": 31, "bigint": 63}
_OWN: Final = ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
_ESCAPE = re.compile(rb"\\(?:u0000|.)")


class PostgresDialect:
    """Types as a user would choose them; lists, objects and values of several kinds are jsonb."""

    names = NameRules(longest=63, ignores_case=False, taken=_OWN, prefixes=("crawler_cursors",))

    def __init__(self) -> None:
        self._has_told = False

    def kind_of(self, field: Field) -> Kind:
        """See `Dialect`."""
        return kind_of(field)

    def inferred(self, shape: Kind) -> Kind:
        """See `Dialect`."""
        return "int" if shape == "small" else shape

    def type_of(self, kind: Kind, field: Field | None) -> str:  # noqa: ARG002
        """See `Dialect`."""
        return _TYPES[kind]

    def fitting(self, declared: str, field: Field | None) -> Kind | None:
        """See `Dialect`."""
        return fitted(_KINDS.get(declared), kind_of(field) if field else None)

    def reading(self, column: Column) -> Reading:
        """See `Dialect`."""
        if column.kind == "int":
            bits = _BITS[column.type]
            return Reading(Annotated[int, Meta(ge=-(2**bits), le=2**bits - 1)] | None)
        return _READINGS[column.kind]

    def widened(self, column: Column, kind: Kind) -> Column:
        """See `Dialect`."""
        return structs.replace(column, kind=kind, type=_TYPES[kind])

    def cleaned(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Return lines with U+FFFD for NUL, which PostgreSQL has in no text; that is said once."""
        if not any(rb"\u0000" in line for line in lines):
            return lines
        cleaned = [_ESCAPE.sub(_replaced, line) for line in lines]
        if cleaned != lines and not self._has_told:
            self._has_told = True
            _log.warning("text with NUL, which PostgreSQL cannot hold: it has U+FFFD instead")
        return cleaned


def _replaced(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape[0] == rb"\u0000" else escape[0]


def _aware(values: Sequence[datetime | None]) -> list[datetime | None]:
    """A time that does not say of which zone it is counts as UTC."""
    return [
        value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value
        for value in values
    ]


def _numbers(values: Sequence[Raw | None]) -> list[Decimal | None]:
    return [None if text is None else Decimal(_number(text)) for text in texts(values)]


def _number(text: str) -> str:
    """Return the text of a number. Raises `ValueError` for other values."""
    if text[0] not in "-0123456789":
        raise ValueError(text[:1])
    return text


_READINGS: Final[dict[Kind, Reading]] = {
    "bool": Reading(bool | None),
    "float": Reading(Annotated[int, Meta(ge=-EXACT, le=EXACT)] | float | None),
    "number": Reading(Raw, _numbers),
    "decimal": Reading(Decimal | None),
    "str": Reading(str | None),
    "bytes": Reading(bytes | None),
    "datetime": Reading(datetime | None, _aware),
    "date": Reading(date | None),
    "uuid": Reading(UUID | None),
    "any": Reading(Raw, texts),
}
