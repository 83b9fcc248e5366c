"""Values as JSON has them."""

import dataclasses
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from operator import is_
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

_ROOT = "$"


class NotPlain(TypeError):
    """A `value` has no place in JSON."""

    def __init__(self, text: str, value: object) -> None:
        super().__init__(text)
        self.value = value


def encode(value: object) -> bytes:
    """Return `value` as JSON. NaN becomes null, or text if it is a Decimal: see `not_a_number`.

    Raises `TypeError`, `ValueError`, `AttributeError` for a field that is unset, `RecursionError`.
    """
    try:
        return _encode(value)
    except NotPlain as error:
        where = _find(value, partial(is_, error.value))
        at = f" - at `{where}`" if where not in (None, _ROOT) else ""  # None: it is a key
        raise TypeError(f"{error}{at}") from None


def encode_in_order(value: object) -> bytes:
    """Return `value` as JSON, sets and dicts in one order always; raises what `encode` does."""
    return _encode_in_order(value)


def read_as(kind: Any, value: object) -> Any:
    """Read what msgspec cannot: pydantic models inside other types."""
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    raise TypeError(f"a value of type {getattr(kind, '__name__', kind)} cannot be read from JSON")


def is_pydantic(kind: type) -> bool:
    """True for a pydantic model, told by what it can do: pydantic is not ours to import."""
    return hasattr(kind, "model_dump")


def dumped(model: Any) -> Any:
    """Return a pydantic model as plain values; it checks as it writes. Raises `ValueError`."""
    if missing := type(model).model_fields.keys() - model.__dict__.keys():
        raise ValueError(f"missing fields: {', '.join(sorted(missing))}")
    return model.model_dump(mode="json", warnings="error")


def not_a_number(value: object, where: str = _ROOT) -> str | None:
    """Return where a NaN or infinity stands, which JSON does not have."""
    return _find(value, _is_no_number, where)


def _is_no_number(value: object) -> bool:
    if isinstance(value, float):
        return value - value != 0
    return isinstance(value, Decimal) and not value.is_finite()


def _find(value: object, test: Callable[[object], bool], where: str = _ROOT) -> str | None:
    """Return where the first of a value and what is in it stands that passes a test."""
    if test(value):
        return where
    for name, inner in _inside(value, where):
        if (found := _find(inner, test, name)) is not None:
            return found
    return None


def _inside(value: object, where: str) -> Iterable[tuple[str, object]]:
    match value:
        case str() | int() | float() | Decimal() | None:
            return ()
        case dict():
            return ((f"{where}.{name}", inner) for name, inner in value.items())
        case list() | tuple() | set() | frozenset():
            return ((f"{where}[{index}]", inner) for index, inner in enumerate(value))
    return ((f"{where}.{name}", getattr(value, name)) for name in _fields(value))


def _fields(value: Any) -> Iterable[str]:
    """Return the names of an object's fields; none for what is not made of fields."""
    if isinstance(value, Struct):
        return value.__struct_fields__
    kind: Any = type(value)
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    if is_pydantic(kind):
        return list(kind.model_fields)
    return [field.name for field in getattr(kind, "__attrs_attrs__", ())]


def refuse(value: Any) -> NoReturn:
    """Raise `TypeError` for a value that is not plain."""
    name = type(value).__name__
    if name == "LexborNode":  # what a Node is made of
        name = "Node (its text is node.text())"
    elif name == "coroutine":
        name = f"coroutine (an await is missing before {value.__name__})"
    elif name == "Download":
        name = "Download (an await is missing before page.download)"
    raise NotPlain(f"a value of type {name} has no place in JSON", value)


def _to_plain(value: object) -> Any:
    if is_pydantic(type(value)):
        return dumped(value)
    return refuse(value)


_encode = msgspec.json.Encoder(enc_hook=_to_plain).encode
_encode_in_order = msgspec.json.Encoder(enc_hook=_to_plain, order="deterministic").encode
