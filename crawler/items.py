"""What spiders extract."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform, is_typeddict

import msgspec
from msgspec import Struct, StructMeta

from crawler.errors import ItemError, SpiderError

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_encode = msgspec.json.Encoder().encode


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class ItemMeta(StructMeta):
    """Makes items keyword-only, and takes `key=` in their class line."""

    item_key: tuple[str, ...]

    def __new__(  # noqa: D102
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        key: str | tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        cls = super().__new__(mcls, name, bases, namespace, **{"kw_only": True, **options})
        keys = (key,) if isinstance(key, str) else tuple(key)
        if missing := [field for field in keys if field not in cls.__struct_fields__]:
            raise SpiderError(f"item {name}: key names no field: {', '.join(missing)}")
        if keys or not hasattr(cls, "item_key"):
            cls.item_key = keys
        return cls


# Said of the class too, or type checkers find msgspec's own transform first: not keyword-only.
@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class Item(Struct, metaclass=ItemMeta):
    """What a spider extracts: `class Book(Item, key="isbn"): title: str; isbn: str`.

    Fields are keyword-only and checked against their types when the item is yielded. `key` names
    the field or fields that tell two items apart, kept as `Book.item_key` for targets with rows.
    """

    if TYPE_CHECKING:
        item_key: ClassVar[tuple[str, ...]]


class ItemLine(Struct, frozen=True):
    """One checked item: its `stream` (the type's name), itself, and its JSON object as bytes."""

    stream: str
    item: Any
    line: bytes


class ItemKinds:
    """The item types of one spider, and the check every item passes.

    With no declared types any item is taken.
    """

    def __init__(self, types: Sequence[type] = ()) -> None:
        self.types = tuple(types)
        self._checks: dict[type, Callable[[Any], ItemLine]] = {}
        self._decoders: dict[type, Callable[[bytes], Any]] = {}

    def check(self, item: object) -> ItemLine:
        """Return `item` encoded and read back as its type: checked, and frozen as it is now.

        Raises `ItemError` for a wrong type and for numbers JSON does not have.
        """
        kind = self._kind(item)
        stream = stream_of(kind)
        try:
            line, checked = self._frozen(item, kind)
        except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
            raise ItemError(f"{_name(kind)}: {_one_line(error)}") from None
        if b"null" in line and (where := not_a_number(item)):
            raise ItemError(f"{_name(kind)}: {where} is not a number that JSON has")
        return ItemLine(stream, checked, line)

    def _frozen(self, item: Any, kind: type) -> tuple[bytes, Any]:
        if hasattr(item, "model_dump"):  # pydantic has its own check
            return _encode(item.model_dump(mode="json")), type(item).model_validate(
                item.model_dump()
            )
        line = _encode(item)
        return line, self._decoder(kind)(line)

    def _kind(self, item: object) -> type:
        kind = type(item)
        if not self.types or kind in self.types:
            return kind
        for declared in self.types:
            if kind is dict and (declared is dict or is_typeddict(declared)):
                return declared
            if not is_typeddict(declared) and isinstance(item, declared):
                return declared
        expected = " or ".join(_name(declared) for declared in self.types)
        raise ItemError(f"expected an item of type {expected}, got {kind.__name__}")

    def _decoder(self, kind: type) -> Callable[[bytes], Any]:
        decoder = self._decoders.get(kind)
        if decoder is None:
            target: Any = dict[str, Any] if kind is dict else kind
            decoder = self._decoders[kind] = msgspec.json.Decoder(target).decode
        return decoder


def is_item(value: object) -> bool:
    """True for what may be an item: a dict, an Item or Struct, a dataclass, attrs, or pydantic."""
    kind = type(value)
    return (
        kind is dict
        or isinstance(value, Struct)
        or dataclasses.is_dataclass(kind)
        or hasattr(kind, "__attrs_attrs__")
        or hasattr(value, "model_dump")
    )


def snake_case(name: str) -> str:
    """Return `QuotesJS` as `quotes_js`."""
    return _WORD_STARTS.sub("_", name).lower()


def stream_of(kind: type) -> str:
    """Return the name of an item type's stream: its class name in snake_case; dicts are `item`."""
    if kind is dict or is_typeddict(kind):
        return "item"
    return snake_case(kind.__name__)


def columns_of(kind: type) -> tuple[str, ...] | None:
    """Return an item type's fields in order, by their names in JSON; None for dicts."""
    if kind is dict:
        return None
    if hasattr(kind, "model_fields"):
        return tuple(kind.model_fields)
    info = msgspec.inspect.type_info(kind)
    return tuple(field.encode_name for field in getattr(info, "fields", ())) or None


def _name(kind: type) -> str:
    return getattr(kind, "__name__", str(kind))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _fields(item: Any) -> list[str]:
    if isinstance(item, Struct):
        return list(item.__struct_fields__)
    if dataclasses.is_dataclass(item):
        return [field.name for field in dataclasses.fields(item)]
    if hasattr(item, "__attrs_attrs__"):
        return [field.name for field in item.__attrs_attrs__]
    return list(type(item).model_fields)


def not_a_number(value: object, where: str = "$") -> str | None:
    """Return where a NaN or infinity stands, which the encoder writes as null."""
    if isinstance(value, float):
        return None if value - value == 0 else where
    if isinstance(value, dict):
        pairs = [(f"{where}.{name}", inner) for name, inner in value.items()]
    elif isinstance(value, list | tuple | set | frozenset):
        pairs = [(f"{where}[{index}]", inner) for index, inner in enumerate(value)]
    elif is_item(value):
        pairs = [(f"{where}.{name}", getattr(value, name)) for name in _fields(value)]
    else:
        return None
    return next((found for name, inner in pairs if (found := not_a_number(inner, name))), None)
