"""What columns hold, and what has room for the values of both."""

from typing import Final, Literal

from crawler.fields import TEXTS, Field

Kind = Literal[
    "null", "small", "bool", "int", "float", "number", "decimal", "str", "bytes", "datetime",
    "date", "uuid", "native", "any",
]  # fmt: skip
"""As those of fields, with `small` for integers that floats hold, `number` for whatever JSON has of
numbers, `native` for lists and objects as the database's own types; `any` is JSON."""

_SAME: Final[dict[str, Kind]] = {
    "bool": "bool", "int": "int", "float": "float", "decimal": "decimal", "str": "str",
    "bytes": "bytes", "datetime": "datetime", "date": "date", "uuid": "uuid", "time": "str",
    "duration": "str",
}  # fmt: skip
NUMBERS: Final = frozenset({"small", "int", "float", "number"})
EXACT: Final = 2**53
"""Integers up to here are the same as floats."""


def kind_of(field: Field) -> Kind:
    """Return what a column for a field holds, if it is none of the database's own lists."""
    return _SAME.get(field.kind, "any")


def shape_of(value: object) -> Kind:
    """Return what a value read from JSON needs."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            if abs(value) <= EXACT:
                return "small"
            return "int" if -(2**63) <= value < 2**63 else "number"
        case float():
            return "float"
        case str():
            return "str"
    return "any"


def joined(one: Kind, other: Kind) -> Kind:
    """Return what has room for the values of both."""
    if one == other or other == "null":
        return one
    if one == "null":
        return other
    both = {one, other}
    if both <= NUMBERS:
        if "number" in both or both == {"int", "float"}:
            return "number"
        return "float" if "float" in both else "int"
    return "str" if both <= TEXTS else "any"


def fitted(base: Kind | None, wish: Kind | None) -> Kind | None:
    """Return how a column of one kind is written to, for a field that wants another.

    None: it cannot be. A column that has room for some values only is widened when others come.
    """
    if base is None or wish is None or base in (wish, "any"):
        return base
    if base == "str":
        return base if wish in TEXTS else None
    if base == "number":
        return wish if wish == "decimal" else base if wish in NUMBERS else None
    return base if base in NUMBERS and wish in NUMBERS else None
