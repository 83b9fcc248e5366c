"""What fields items have, as plain data."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, Final, Literal, get_origin

from msgspec import Struct, inspect, structs

from crawler.plain import is_pydantic

Kind = Literal[
    "null", "bool", "int", "float", "decimal", "str", "bytes", "datetime", "naive", "date", "time",
    "duration", "uuid", "list", "map", "struct", "any",
]  # fmt: skip
"""What a value is. In the JSON of an item `decimal`, `datetime`, `date`, `time` (ISO 8601, as RFC
3339 has them), `duration` (ISO 8601), `uuid` and `bytes` (base64) are text; a `map` is an object
with any keys, `any` is whatever JSON has. `naive`, a datetime without an offset, is what only
values tell: no type comes to it."""

TEXTS: Final[frozenset[Kind]] = frozenset(
    {"decimal", "str", "bytes", "datetime", "naive", "date", "time", "duration", "uuid"}
)
"""What is text in JSON."""

_SCALARS: dict[type, Kind] = {
    inspect.NoneType: "null",
    inspect.BoolType: "bool",
    inspect.IntType: "int",
    inspect.FloatType: "float",
    inspect.DecimalType: "decimal",
    inspect.StrType: "str",
    inspect.BytesType: "bytes",
    inspect.ByteArrayType: "bytes",
    inspect.MemoryViewType: "bytes",
    inspect.DateTimeType: "datetime",
    inspect.DateType: "date",
    inspect.TimeType: "time",
    inspect.TimeDeltaType: "duration",
    inspect.UUIDType: "uuid",
}
_LISTS = (
    inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType,
    inspect.CollectionType,
)  # fmt: skip
_STRUCTS = (inspect.StructType, inspect.DataclassType, inspect.TypedDictType)
_PLAIN: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "str"}
_MOST_DEEP = 16
"""Levels of fields within fields; what is deeper is `any`. A type may hold itself."""


class Field(Struct, frozen=True, omit_defaults=True):
    """A field, by its name in JSON, and what its values are; any may be null, or absent.

    `item` is what a list holds, or a map's values are; `fields` those of a struct.
    """

    name: str
    kind: Kind = "any"
    item: "Field | None" = None
    fields: "tuple[Field, ...]" = ()


Fields = tuple[Field, ...] | None
"""The fields of an item's type in order; None if only the items can tell."""


def fields_of(kind: Any) -> Fields:
    """Return the fields of an item type; None for dicts.

    Raises `NameError`, `TypeError` for annotations that nobody can read.
    """
    plain = get_origin(kind) or kind
    if plain is dict:
        return None
    if is_pydantic(plain):
        return _of_model(plain, depth=0) or None
    return _of_struct(inspect.type_info(kind), depth=0) or None


def names_of(fields: Fields) -> tuple[str, ...] | None:
    """Return the names of fields, None if there are none known."""
    return None if fields is None else tuple(field.name for field in fields)


def field_of(name: str, value: object) -> Field:
    """Return the field that a value read from JSON could be of."""
    match value:
        case None:
            return Field(name, "null")
        case bool() | int() | float() | str():
            return Field(name, _PLAIN[type(value)])
        case list():
            inner = joined([field_of("item", item) for item in value])
            return Field(name, "list", item=inner or Field("item", "null"))
        case dict() if value:
            return Field(
                name, "struct", fields=tuple(field_of(key, inner) for key, inner in value.items())
            )
    return Field(name)


def joined(some: Iterable[Field]) -> Field | None:
    """Return the field that has room for the values of all of them, of the first one's name."""
    some = list(some)
    return reduce(join, some) if some else None


def join(one: Field, other: Field) -> Field:
    """Return a field with room for the values of both; `any` where they have nothing in common."""
    if one.kind == other.kind:
        if one.kind == "struct":
            return structs.replace(one, fields=join_fields(one.fields, other.fields))
        inner = joined(field.item for field in (one, other) if field.item is not None)
        return structs.replace(one, item=inner)
    if "null" in (one.kind, other.kind):
        return structs.replace(other if one.kind == "null" else one, name=one.name)
    return Field(one.name, wider(one.kind, other.kind))


def wider(one: Kind, other: Kind) -> Kind:
    """Return what has room for values of two kinds that are no lists and no objects."""
    if "null" in (one, other) or one == other:
        return other if one == "null" else one
    if {one, other} == {"int", "float"}:
        return "float"
    return "str" if {one, other} <= TEXTS else "any"


def join_fields(one: Sequence[Field], other: Sequence[Field]) -> tuple[Field, ...]:
    """Return all fields of both, each with room for the values of both."""
    there = {field.name: field for field in other}
    names = {field.name for field in one}
    both = [join(field, there.get(field.name, field)) for field in one]
    return (*both, *(field for field in other if field.name not in names))


def _of(name: str, info: Any, *, depth: int) -> Field:
    """Return the field that a type's description is."""
    if isinstance(info, inspect.Metadata):
        return _of(name, info.type, depth=depth)
    if isinstance(info, inspect.UnionType):
        some = [_of(name, inner, depth=depth) for inner in info.types]
        return joined(some) or Field(name)
    if depth >= _MOST_DEEP:
        return Field(name)
    if isinstance(info, _LISTS):
        return Field(name, "list", item=_of("item", info.item_type, depth=depth + 1))
    if isinstance(info, inspect.TupleType):
        some = [_of("item", inner, depth=depth + 1) for inner in info.item_types]
        return Field(name, "list", item=joined(some))
    if isinstance(info, inspect.DictType):
        return Field(name, "map", item=_of("value", info.value_type, depth=depth + 1))
    if isinstance(info, _STRUCTS):
        array = getattr(info, "array_like", False)
        return Field(name) if array else Field(name, "struct", fields=_of_struct(info, depth=depth))
    if isinstance(info, inspect.EnumType):
        return _of_values(name, [member.value for member in info.cls])
    if isinstance(info, inspect.LiteralType):
        return _of_values(name, info.values)
    if isinstance(info, inspect.CustomType) and is_pydantic(info.cls):
        return Field(name, "struct", fields=_of_model(info.cls, depth=depth))
    return Field(name, _SCALARS.get(type(info), "any"))


def _of_values(name: str, values: Iterable[object]) -> Field:
    return joined([field_of(name, value) for value in values]) or Field(name)


def _of_struct(info: Any, *, depth: int) -> tuple[Field, ...]:
    """Return the fields of a Struct, dataclass, attrs class or TypedDict, tag first."""
    found = list(getattr(info, "fields", ()))
    plain = getattr(info, "cls", None)
    if isinstance(info, inspect.TypedDictType):  # msgspec sorts them by name
        order = list(info.cls.__annotations__)
        found.sort(key=lambda field: order.index(field.name))
    if hasattr(plain, "__attrs_attrs__"):  # msgspec leaves private ones out, of attrs alone
        found = [field for field in found if not field.encode_name.startswith("_")]
    tag = getattr(info, "tag_field", None)
    return (
        *([_of_values(tag, [info.tag])] if tag else []),
        *(_of(field.encode_name, field.type, depth=depth + 1) for field in found),
    )


def _of_model(model: Any, *, depth: int) -> tuple[Field, ...]:
    """Return the fields of a pydantic model, by their names in its JSON."""
    shown = {name: field for name, field in model.model_fields.items() if not field.exclude}
    by_alias = model.model_config.get("serialize_by_alias")
    fields = []
    for name, field in (shown | model.model_computed_fields).items():
        alias = getattr(field, "serialization_alias", None) or field.alias
        told = getattr(field, "annotation", None) or getattr(field, "return_type", Any)
        key = alias if by_alias and alias else name
        fields.append(_annotated(key, told, depth=depth + 1))
    return tuple(fields)


def _annotated(name: str, told: Any, *, depth: int) -> Field:
    try:
        return _of(name, inspect.type_info(told), depth=depth)
    except (NameError, TypeError):  # a type that pydantic knows and msgspec does not
        return Field(name)
