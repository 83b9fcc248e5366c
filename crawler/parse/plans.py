"""Where the fields of an item are, and how each is read."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import replace

from crawler.errors import CallbackError, SpiderError
from crawler.parse.conversion import Convert, converter, is_url
from crawler.parse.markers import Marker, css, xpath
from crawler.parse.nodes import Element, parse_html
from crawler.plain import is_pydantic
from crawler.words import one_line

_GATHERED: Final = (list, set, frozenset, tuple)
_NO_TEXT: Final = (Mapping, list, set, frozenset, tuple)
_OF_ELEMENTS: Final = ("attr", "regex", "url", "exists")


class Marked(Struct, frozen=True, kw_only=True):
    """One field: `marker` says where it is, the others what is made of it.

    `gather` makes a list of all that is there, `nested` is an item type of its own, `convert` reads
    one text and `check` holds the whole value to the constraints of its annotation. What is missing
    has its default if it `is_optional`, or is None if it may be. `is_text` is all that has none of
    these.
    """

    name: str
    where: str
    marker: Marker
    gather: Callable[[Iterable[object]], object] | None = None
    nested: Any = None
    pattern: re.Pattern[str] | None = None
    convert: Convert | None = None
    is_url: bool = False
    is_optional: bool = False
    or_none: bool = False
    is_text: bool = False
    check: Callable[[object], object] | None = None


class Plan(Struct, frozen=True):
    """How a page becomes an item: its fields with a marker, and those that somebody has to give."""

    name: str
    fields: tuple[Marked, ...]
    given: tuple[str, ...]
    names: frozenset[str]
    has_xpath: bool
    is_model: bool
    """True for pydantic's, which say themselves what is wrong with a value."""


def plan_of(kind: Any) -> Plan:
    """Return the plan of an item type. Raises `SpiderError` for what could never be read."""
    name = getattr(kind, "__name__", str(kind))
    needed = _needed(kind)
    if needed is None:
        raise SpiderError(f"extract takes an item type, got {name}")
    hints = _hints(kind, name)
    fields = []
    for field, default in needed.items():
        if isinstance(default, Marker):
            wanted = f"{field}: Annotated[…, {default}]"
            raise SpiderError(f"item {name}.{field}: {default} is no default; write {wanted}")
        made = _field(hints[field], field, kind, is_needed=default is NODEFAULT)
        if made is not None:
            fields.append(made)
    marked = {field.name for field in fields}
    return Plan(
        name=name,
        fields=tuple(fields),
        given=tuple(
            field for field in needed if needed[field] is NODEFAULT and field not in marked
        ),
        names=frozenset(needed),
        has_xpath=any(field.marker.is_xpath for field in fields),
        is_model=is_pydantic(kind),
    )


def _hints(kind: Any, name: str) -> Mapping[str, Any]:
    if (models := getattr(kind, "model_fields", None)) is not None:  # pydantic has resolved them
        return {
            field: Annotated[(info.annotation, *info.metadata)]
            if info.metadata
            else info.annotation
            for field, info in models.items()
        }
    try:
        return get_type_hints(kind, include_extras=True)
    except (NameError, TypeError) as error:
        reason = one_line(str(error))
        raise SpiderError(f"item {name}: cannot be read as annotated: {reason}") from None


def is_item_type(kind: Any) -> bool:
    """True for what may be extracted: an Item or Struct, a dataclass, attrs, or pydantic."""
    return _needed(kind) is not None


def _needed(kind: Any) -> Mapping[str, object] | None:
    """Return the default of each field of an item type, `NODEFAULT` without; None if it is none."""
    if not isinstance(kind, type):
        return None
    if issubclass(kind, Struct):
        fields = msgspec.structs.fields(kind)
        return {field.name: _default(field.default, is_needed=field.required) for field in fields}
    if dataclasses.is_dataclass(kind):
        missing = dataclasses.MISSING
        return {
            field.name: _default(
                field.default,
                is_needed=field.default is missing and field.default_factory is missing,
            )
            for field in dataclasses.fields(kind)
            if field.init
        }
    if (models := getattr(kind, "model_fields", None)) is not None:  # pydantic
        return {
            name: _default(field.default, is_needed=field.is_required())
            for name, field in models.items()
        }
    if (attributes := getattr(kind, "__attrs_attrs__", None)) is not None:
        public = [one for one in attributes if one.init and one.alias == one.name]
        return {
            one.name: _default(one.default, is_needed=type(one.default).__name__ == "_Nothing")
            for one in public
        }
    return None


def _default(value: object, *, is_needed: bool) -> object:
    if is_needed:
        return NODEFAULT
    return None if value is NODEFAULT else value  # a factory makes it


def _field(annotation: Any, name: str, owner: type, *, is_needed: bool) -> Marked | None:
    where = f"{owner.__name__}.{name}"
    kind, marker, constrained, has_none = _peeled(annotation, where)
    if marker is None:
        return None
    gather, inner, deeper = _gathered(kind, where)
    if marker.all and gather is None:
        gather = _joiner(inner, where)
    if isinstance(shape := get_origin(inner) or inner, type) and issubclass(shape, _NO_TEXT):
        raise SpiderError(
            f"item {where}: no text becomes a {shape.__name__}; give it: extract(page, {name}=…)"
        )
    nested = inner if is_item_type(inner) else None
    marker = _of_right_types(marker, where)
    _refuse_unfit(marker, where, nested=nested is not None, kind=kind)
    field = Marked(
        name=name,
        where=where,
        marker=marker,
        gather=gather,
        nested=nested,
        pattern=_pattern(marker, where),
        convert=None if nested else converter(inner, marker),
        is_url=nested is None and is_url(inner, marker),
        is_optional=not is_needed,
        or_none=is_needed and has_none,
        check=_checker(annotation) if constrained or deeper else None,
    )
    bare = Marked(
        name=name,
        where=where,
        marker=css(marker.query),
        is_optional=field.is_optional,
        or_none=field.or_none,
    )
    return replace(field, is_text=field == bare)


def _gathered(
    kind: Any, where: str
) -> tuple[Callable[[Iterable[object]], object] | None, Any, bool]:
    """Return what makes a list, if it is one, the type in it, and whether that is constrained."""
    origin = get_origin(kind) or kind
    if origin not in _GATHERED:
        return None, kind, False
    parts = get_args(kind)
    if origin is tuple and parts[1:] != (...,):
        raise SpiderError(f"item {where}: a tuple of matches is tuple[X, ...], got {kind}")
    inner, marker, constrained, _ = _peeled(parts[0] if parts else str, where)
    if marker is not None:
        raise SpiderError(f"item {where}: {marker} belongs to the list, not to what is in it")
    return origin, inner, constrained


def joined(texts: Iterable[Any]) -> str:
    """Return texts as one."""
    return " ".join(filter(None, texts))


def _joiner(kind: Any, where: str) -> Callable[[Iterable[object]], object]:
    if kind is not str:
        raise SpiderError(f"item {where}: all=True is for a list, or for text, which it joins")
    return joined


def _peeled(annotation: Any, where: str) -> tuple[Any, Marker | None, bool, bool]:
    """Return the type in an annotation, its marker, and whether msgspec has something to check.

    And whether it may be None.
    """
    markers: list[Marker] = []
    constrained = has_none = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *said = get_args(annotation)
            if called := [one.__name__ for one in said if one in (css, xpath)]:
                raise SpiderError(f"item {where}: expected {called[0]}(…), got {called[0]} alone")
            markers += [one for one in said if isinstance(one, Marker)]
            constrained = constrained or any(isinstance(one, msgspec.Meta) for one in said)
        elif origin in (Union, UnionType):
            others = [part for part in get_args(annotation) if part is not type(None)]
            has_none = has_none or len(others) < len(get_args(annotation))
            if len(others) != 1:
                break
            annotation = others[0]
        elif (target := getattr(annotation, "__supertype__", None)) is not None:  # NewType
            annotation = target
        elif origin is None and (target := getattr(annotation, "__value__", None)) is not None:
            annotation = target  # type X = …
        else:
            break
    if markers[1:]:
        several = " and ".join(map(str, markers))
        raise SpiderError(f"item {where}: expected one marker, got {several}; css('a, b') has both")
    return annotation, next(iter(markers), None), constrained, has_none


def _of_right_types(marker: Marker, where: str) -> Marker:
    """Return a marker as it is typed: type checkers do not look into annotations."""
    try:
        return msgspec.convert(msgspec.structs.asdict(marker), Marker)
    except msgspec.ValidationError as error:
        raise SpiderError(f"item {where}: {error} of {marker}") from None


def _refuse_unfit(marker: Marker, where: str, *, nested: bool, kind: Any) -> None:
    if nested:
        if marker.is_xpath:
            raise SpiderError(f"item {where}: the element of an item is found by css")
        if wrong := [name for name in _OF_ELEMENTS if getattr(marker, name)]:
            raise SpiderError(f"item {where}: an item is read from an element, without {wrong[0]}=")
    if marker.exists and kind is not bool:
        raise SpiderError(f"item {where}: exists=True is for a field of type bool")
    if marker.query is not None and not marker.is_xpath:
        try:
            _NOWHERE.css_first(marker.query)
        except CallbackError:
            hint = "; it takes the text, or attr='href'" if "::" in marker.query else ""
            raise SpiderError(f"item {where}: not a CSS selector: {marker.query!r}{hint}") from None


def _pattern(marker: Marker, where: str) -> re.Pattern[str] | None:
    try:
        return None if marker.regex is None else re.compile(marker.regex)
    except re.error as error:
        raise SpiderError(f"item {where}: not a regex: {marker.regex!r}: {error}") from None


def _checker(annotation: Any) -> Callable[[object], object]:
    return lambda value: msgspec.convert(value, annotation)


_ROOT = parse_html(b"").root
assert _ROOT is not None, "Lexbor gives even an empty document its <html>"
_NOWHERE: Final = Element(_ROOT, "about:blank")
