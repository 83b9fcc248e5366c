"""JSON values as columns of Arrow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import reduce
from itertools import accumulate, chain
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pyarrow as pa
from msgspec import Meta, structs

from crawler.export.rows import Misfit
from crawler.fields import Field, Kind, wider

# Twenty digits before the point and eighteen behind it; what has more is kept as JSON.
_DECIMAL = pa.decimal128(38, 18)
_TYPES: Mapping[str, Any] = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "decimal": _DECIMAL,
    "str": pa.string(),
    "bytes": pa.binary(),
    "datetime": pa.timestamp("us", tz="UTC"),
    "naive": pa.timestamp("us"),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "duration": pa.string(),
    "uuid": pa.uuid(),
    "any": pa.string(),
}
_AWARE = Annotated[datetime, Meta(tz=True)]
_READ_FROM_TEXT: Mapping[str, Any] = {
    "decimal": list[Decimal | None],
    "bytes": list[bytes | None],
    "datetime": list[_AWARE | None],
    "naive": list[Annotated[datetime, Meta(tz=False)] | None],
    "date": list[date | None],
    "time": list[Annotated[time, Meta(tz=False)] | None],
    "uuid": list[UUID | None],
}
_PLAIN: Mapping[str, frozenset[type]] = {
    "null": frozenset(),
    "bool": frozenset({bool}),
    "int": frozenset({int}),
    "float": frozenset({int, float}),
    "decimal": frozenset({str, int, float}),
}
_KINDS: Mapping[frozenset[type], Kind] = {
    frozenset({bool}): "bool",
    frozenset({int}): "int",
    frozenset({float}): "float",
    frozenset({int, float}): "float",
    frozenset({str}): "str",
    frozenset({list}): "list",
    frozenset({dict}): "struct",
}
_decoder = msgspec.json.Decoder(dict[str, Any])
_EMPTY = frozenset({type(None)})
MOST_DEEP = 16
"""Levels of lists and objects that become columns; what is deeper is JSON text."""
_MOST_KEYS = 200
"""Keys that objects of one field may have before they are JSON text."""


def type_of(field: Field) -> Any:
    """Return a field's Arrow type."""
    match field.kind:
        case "list":
            return pa.list_(type_of(_inner(field)))
        case "map":
            return pa.map_(pa.string(), type_of(_inner(field)))
        case "struct":
            return pa.struct([(inner.name, type_of(inner)) for inner in field.fields])
    return _TYPES[field.kind]


def storable(field: Field, *, depth: int = 1) -> Field:
    """Return a field as Parquet can have it: no objects without members, not too many levels."""
    if field.kind in ("list", "map"):
        if depth >= MOST_DEEP:
            return Field(field.name)
        return structs.replace(field, item=storable(_inner(field), depth=depth + 1))
    if field.kind == "struct":
        if depth >= MOST_DEEP or not field.fields:
            return Field(field.name)
        fields = tuple(storable(inner, depth=depth + 1) for inner in field.fields)
        return structs.replace(field, fields=fields)
    return field


def array_of(field: Field, values: Sequence[Any]) -> Any:
    """Return values read from JSON as an array. Raises `Misfit`."""
    kind = field.kind
    found = frozenset(map(type, values)) - _EMPTY
    try:
        if kind == "any":
            return pa.array(list(map(_json, values)), pa.string())
        if kind == "list":
            return _lists(field, values, found)
        if kind == "map":
            return _maps(field, values, found)
        if kind == "struct":
            return _structs(field, values, found)
        if not found <= _PLAIN.get(kind, {str}):
            raise Misfit
        if kind in _READ_FROM_TEXT:
            values = msgspec.convert(values, _READ_FROM_TEXT[kind])
        if kind == "datetime":  # what is past year 9999 there could not be read back
            values = [value and value.astimezone(UTC) for value in values]
        return pa.array(values, _TYPES[kind])
    except (pa.ArrowInvalid, pa.ArrowTypeError, msgspec.ValidationError, OverflowError):
        raise Misfit from None


def refitted(field: Field, values: Sequence[Any], *, fresh: bool, depth: int = 1) -> Field:
    """Return the field with room for the values as well: JSON text where nothing else has it.

    `fresh`: it holds no values yet, so that times may still be of one kind or the other.
    """
    values = [value for value in values if value is not None]
    if field.kind == "any" or not values:
        return field
    found = frozenset(map(type, values))
    if field.kind == "null":
        if (kind := _KINDS.get(found)) is None:
            return Field(field.name)
        item = Field("item", "null") if kind == "list" else None
        field = Field(field.name, kind, item=item)
    if field.kind in ("list", "map", "struct"):
        return _refitted_inside(field, values, found, fresh=fresh, depth=depth)
    naive: tuple[Kind, ...] = ("naive",) if field.kind == "datetime" and fresh else ()
    for kind in (field.kind, *naive, _shared(field.kind, found)):
        try:
            array_of(tried := Field(field.name, kind), values)
        except Misfit:
            continue
        return tried
    return Field(field.name)


def refitted_fields(
    fields: Sequence[Field], rows: Sequence[Mapping[str, Any]], *, fresh: bool, depth: int = 1
) -> tuple[Field, ...]:
    """Return fields with room for all members of some objects as well."""
    known = {field.name: field for field in fields}
    for name in chain.from_iterable(rows):
        if name not in known:
            known[name] = Field(name, "null")
    return tuple(
        refitted(field, [row.get(field.name) for row in rows], fresh=fresh, depth=depth)
        for field in known.values()
    )


def values_of(field: Field, array: Any) -> list[Any]:
    """Return the values that an array of a field was made of, as JSON had them."""
    return [_as_json(field, value) for value in array.to_pylist()]


def _refitted_inside(
    field: Field, values: Sequence[Any], found: frozenset[type], *, fresh: bool, depth: int
) -> Field:
    wanted = list if field.kind == "list" else dict
    if found != {wanted} or depth >= MOST_DEEP:
        return Field(field.name)
    if field.kind == "struct":
        fields = refitted_fields(field.fields, values, fresh=fresh, depth=depth + 1)
        if not 0 < len(fields) <= max(_MOST_KEYS, len(field.fields)):
            return Field(field.name)
        return structs.replace(field, fields=fields)
    inner = [item for value in values for item in _items(value)]
    item = refitted(_inner(field), inner, fresh=fresh, depth=depth + 1)
    return structs.replace(field, item=item)


def _shared(kind: Kind, found: Iterable[type]) -> Kind:
    """Return what has room for values of a kind and of some Python types."""
    return reduce(wider, (_KINDS.get(frozenset({one}), "any") for one in found), kind)


def _inner(field: Field) -> Field:
    return field.item or Field("item", "null")


def _items(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _lists(field: Field, values: Sequence[Any], found: frozenset[type]) -> Any:
    if not found <= {list}:
        raise Misfit
    items = array_of(_inner(field), list(chain.from_iterable(filter(None, values))))
    return pa.ListArray.from_arrays(_offsets(values), items, type=type_of(field))


def _maps(field: Field, values: Sequence[Any], found: frozenset[type]) -> Any:
    if not found <= {dict}:
        raise Misfit
    there = [value for value in values if value]
    keys = pa.array(list(chain.from_iterable(there)), pa.string())
    items = array_of(_inner(field), [item for value in there for item in value.values()])
    return pa.MapArray.from_arrays(_offsets(values), keys, items, type=type_of(field))


def _structs(field: Field, values: Sequence[Any], found: frozenset[type]) -> Any:
    if not found <= {dict}:
        raise Misfit
    absent = None
    if None in values:
        absent = pa.array([value is None for value in values], pa.bool_())
        values = [value or {} for value in values]
    arrays = arrays_of(field.fields, values)
    return pa.StructArray.from_arrays(arrays, fields=list(type_of(field)), mask=absent)


def arrays_of(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the columns of some objects. Raises `Misfit`, also for members without a field."""
    if not {field.name for field in fields}.issuperset(chain.from_iterable(rows)):
        raise Misfit
    return [array_of(field, [row.get(field.name) for row in rows]) for field in fields]


def objects(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the objects of some lines of JSON. Raises `ValueError` if one is none."""
    return list(map(_decoder.decode, lines))


def _offsets(values: Sequence[Any]) -> Any:
    """Return where each list begins, None where there is none, and where the last one ends."""
    if None not in values:
        return pa.array(list(accumulate(map(len, values), initial=0)), pa.int32())
    ends = list(accumulate((len(value) if value else 0 for value in values), initial=0))
    starts = (
        None if value is None else start for value, start in zip(values, ends[:-1], strict=True)
    )
    return pa.array([*starts, ends[-1]], pa.int32())


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _as_json(field: Field, value: Any) -> Any:
    """Return a value of Arrow's as JSON has it."""
    if value is None:
        return None
    match field.kind:
        case "any":
            return msgspec.json.decode(value)
        case "list":
            return [_as_json(_inner(field), item) for item in value]
        case "map":
            return {key: _as_json(_inner(field), item) for key, item in value}
        case "struct":
            return {inner.name: _as_json(inner, value[inner.name]) for inner in field.fields}
    return msgspec.to_builtins(value)
