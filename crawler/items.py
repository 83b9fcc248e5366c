"""What spiders extract."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Self,
    dataclass_transform,
    get_origin,
    is_typeddict,
)

import msgspec
from msgspec import Struct, StructMeta

from crawler.errors import ItemError, SpiderError
from crawler.fields import Fields, fields_of
from crawler.item_keys import OnDuplicate, checked, digest_of
from crawler.parse.extraction import check_markers, extract
from crawler.parse.nodes import Node
from crawler.plain import dumped, encode, is_pydantic, not_a_number, read_as
from crawler.words import one_line

_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
DICTS = "item"
"""The stream of dicts."""

_TYPE = "_type"
"""Names the type in the lines of a spider with several; no field can have the name then."""

_UNFIT = (msgspec.ValidationError, TypeError, ValueError, AttributeError, RecursionError)
"""What encoding an item and reading it back raises for one that is not as its type says."""


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class ItemMeta(StructMeta):
    """Makes items keyword-only, and takes `key=` and `on_duplicate=` in their class line."""

    item_key: tuple[str, ...]
    item_on_duplicate: OnDuplicate

    def __new__(  # noqa: D102
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        key: str | tuple[str, ...] = (),
        on_duplicate: OnDuplicate | None = None,
        **options: Any,
    ) -> Any:
        if not options.setdefault("kw_only", True) or options.get("array_like"):
            raise SpiderError(f"item {name}: items are JSON objects, made with keywords only")
        cls = super().__new__(mcls, name, bases, namespace, **options)
        keys = (key,) if isinstance(key, str) else tuple(key)
        if missing := [str(field) for field in keys if field not in cls.__struct_fields__]:
            raise SpiderError(f"item {name}: key names no field: {', '.join(missing)}")
        if keys or not hasattr(cls, "item_key"):
            cls.item_key = keys
        if on_duplicate is not None or not hasattr(cls, "item_on_duplicate"):
            cls.item_on_duplicate = checked(on_duplicate, item=name, key=cls.item_key)
        return cls


# Said of the class too, or type checkers find msgspec's own transform first: not keyword-only.
@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class Item(Struct, metaclass=ItemMeta):
    """What a spider extracts: `class Book(Item, key="isbn"): title: str; isbn: str`.

    Fields are keyword-only and checked against their types when the item is yielded. `key` names
    the field or fields that tell two items apart: the first item of a run with a key counts, later
    ones are left out. With `on_duplicate="update"` each is written, as a newer version.
    """

    if TYPE_CHECKING:
        item_key: ClassVar[tuple[str, ...]]
        item_on_duplicate: ClassVar[OnDuplicate]

    @classmethod
    def extract(cls, node: Node, /, **given: Any) -> Self:
        """Return an item whose fields are found in a page or element, as their `css` says.

        `title: Annotated[str, css("h1")]`; `given` are values of fields that no page says. Raises
        what `crawler.parse.extraction.extract` does.
        """
        return extract(cls, node, **given)


class ItemLine(Struct, frozen=True):
    """One checked item: its `stream` (the type's name), itself, and its JSON object as bytes.

    `key` is the digest of what tells it apart, if only the first one of a key counts.
    """

    stream: str
    item: Any
    line: bytes
    key: int | None = None


class _Kind(Struct, frozen=True):
    """What items of one class are held to; `name` is for messages, `model` for pydantic's.

    `key` are the fields of which only the first item with the same values counts.
    """

    name: str
    stream: str
    decode: Callable[[bytes], Any]
    model: bool
    key: tuple[str, ...] = ()


class ItemKinds:
    """The item types of one spider, and the check every item passes.

    With no declared types any item is taken. Raises `SpiderError` for types no item could have.
    """

    def __init__(self, types: Sequence[Any] = ()) -> None:
        self.types = tuple(types)
        self._several = len(self.types) > 1
        self._kinds: dict[type, Sequence[_Kind]] = {}
        for declared in self.types:
            _refuse_unfit(declared, several=self._several)

    def check(self, item: object) -> ItemLine:
        """Return `item` encoded and read back as its type: checked, and frozen as it is now.

        Raises `ItemError` for a wrong type and for numbers JSON does not have.
        """
        kinds = self._kinds.get(type(item))
        if kinds is None:
            kinds = self._kinds[type(item)] = self._kinds_of(type(item))
        errors = []
        for kind in kinds:
            try:
                return self._line(item, kind)
            except _UNFIT as error:
                errors.append(f"{kind.name}: {one_line(str(error))}")
        raise ItemError("; or ".join(errors))

    def _line(self, item: Any, kind: _Kind) -> ItemLine:
        plain, checked = item, None
        if kind.model:
            plain, checked = dumped(item), item.model_copy(deep=True)
        line = encode(plain)
        if not line.startswith(b"{"):
            raise TypeError("an item must be a JSON object")
        if not line.isascii():
            line.decode()  # an item's `msgspec.Raw` may bring what is no UTF-8
        # What NaN and infinity become: null, or text if they were Decimals.
        suspect = b"null" in line or b'NaN"' in line or b'Infinity"' in line
        if suspect and (where := not_a_number(plain)):
            raise ValueError(f"{where} is not a number that JSON has")
        if checked is None:
            checked = kind.decode(line)
        if isinstance(item, dict):
            self._refuse_keys(item, checked)
        if not kind.key:
            return ItemLine(kind.stream, checked, line)
        values = [getattr(checked, field) for field in kind.key]
        return ItemLine(kind.stream, checked, line, digest_of(kind.stream, values))

    def _refuse_keys(self, item: dict[Any, Any], checked: dict[str, Any]) -> None:
        """Refuse keys that a TypedDict does not have, and the one that is ours."""
        if len(checked) < len(item):
            extra = ", ".join(str(key) for key in item if key not in checked)
            raise TypeError(f"unknown keys: {extra}")
        if self._several and _TYPE in item:
            raise ValueError(f"the key {_TYPE!r} is kept for the names of a spider's item types")

    def _kinds_of(self, own: type) -> Sequence[_Kind]:
        """Return what an item of the class `own` may be: several only for dicts and generics."""
        if not self.types:
            plain = dict if issubclass(own, dict) else own
            return [_kind(plain, plain)]
        exact = [declared for declared in self.types if (get_origin(declared) or declared) is own]
        found = exact or [declared for declared in self.types if _admits(declared, own)]
        if not found:
            expected = " or ".join(_name(declared) for declared in self.types)
            raise ItemError(f"expected an item of type {expected}, got {own.__name__}")
        several = exact or issubclass(own, dict)
        # A subclass of a declared type keeps its further fields, in the stream of that type.
        return [
            _kind(declared, declared if several else own)
            for declared in (found if several else found[:1])
        ]


def _admits(declared: Any, own: type) -> bool:
    plain = get_origin(declared) or declared
    return issubclass(own, dict if is_typeddict(plain) else plain)


def _kind(declared: Any, read_as: Any) -> _Kind:
    try:
        decode = _decoder(dict[str, Any] if read_as is dict else read_as)
    except SpiderError as error:
        raise ItemError(str(error)) from None
    plain = get_origin(declared) or declared
    drops = isinstance(plain, ItemMeta) and plain.item_on_duplicate == "drop"
    key = plain.item_key if drops else ()
    return _Kind(_name(declared), stream_of(declared), decode, is_pydantic(read_as), key)


def _decoder(kind: Any) -> Callable[[bytes], Any]:
    """Return what reads a line as `kind`. Raises `SpiderError` for annotations nobody can read."""
    try:
        return msgspec.json.Decoder(kind, dec_hook=read_as).decode
    except (NameError, TypeError) as error:
        raise _unreadable(kind, error) from None


def _unreadable(kind: Any, error: Exception) -> SpiderError:
    return SpiderError(f"item {_name(kind)}: cannot be read as annotated: {one_line(str(error))}")


def _refuse_unfit(declared: Any, *, several: bool) -> None:
    plain = get_origin(declared) or declared
    builtin = getattr(plain, "__module__", "") == "builtins"
    if not isinstance(plain, type) or (builtin and plain not in (dict, object, NoneType)):
        raise SpiderError(f"Spider[...] takes item types, got {_name(declared)}")
    _decoder(declared)
    check_markers(plain)
    if several and any(field.name == _TYPE for field in known_fields(declared) or ()):
        raise SpiderError(
            f"item {_name(declared)}: the field {_TYPE!r} is kept for the names of a spider's "
            "item types; rename it"
        )


def is_item(value: object) -> bool:
    """True for what may be an item: a dict, an Item or Struct, a dataclass, attrs, or pydantic."""
    kind = type(value)
    return (
        isinstance(value, dict | Struct)
        or dataclasses.is_dataclass(kind)
        or hasattr(kind, "__attrs_attrs__")
        or is_pydantic(kind)
    )


def snake_case(name: str) -> str:
    """Return `QuotesJS` as `quotes_js`."""
    return _WORD_STARTS.sub("_", name).lower()


def stream_of(kind: Any) -> str:
    """Return the name of an item type's stream: its class name in snake_case; dicts are `item`."""
    plain = get_origin(kind) or kind
    return DICTS if plain is dict or is_typeddict(plain) else snake_case(plain.__name__)


def known_fields(kind: Any) -> Fields:
    """Return an item type's fields in order; None for dicts.

    Raises `SpiderError` for annotations nobody can read.
    """
    try:
        return fields_of(kind)
    except (NameError, TypeError) as error:
        raise _unreadable(kind, error) from None


def key_of(kind: Any) -> tuple[str, ...]:
    """Return the fields that tell two items of a type apart, by their names in JSON; often none."""
    plain = get_origin(kind) or kind
    if not isinstance(plain, ItemMeta):
        return ()
    columns = dict(zip(plain.__struct_fields__, plain.__struct_encode_fields__, strict=True))
    return tuple(columns[field] for field in plain.item_key)


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind))
