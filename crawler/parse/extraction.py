"""Items from the annotations of their type."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from crawler.errors import CallbackError, InvalidUrl, MissingValue, WrongValue
from crawler.parse.conversion import absolute
from crawler.parse.nodes import Node
from crawler.parse.plans import Marked, Plan, is_item_type, joined, plan_of
from crawler.parse.xpath import check_installed, selected, text_of
from crawler.setting_values import unknown

if TYPE_CHECKING:
    from parsel import Selector

T = TypeVar("T")

_ABSENT: Final = object()
_MOST_SHOWN: Final = 80


@lru_cache(maxsize=1_000)
def plan(kind: Hashable) -> Plan:
    """Return the plan of an item type, made when it is first wanted. Raises `SpiderError`."""
    return plan_of(kind)


def check_markers(kind: Hashable) -> None:
    """Raise `SpiderError` for an item type that no page could be read as, `MissingExtra`."""
    plans = list(_plans(kind)) if is_item_type(kind) else []
    if any(own.has_xpath for own in plans):
        check_installed()


def extract(kind: type[T], node: Node, /, **given: Any) -> T:
    """Return an item of `kind`, each of its fields found in `node` by its `css` or `xpath`.

    `given` are values that the page does not say. A field that is not found has its default; a list
    without one is empty. Raises `MissingValue` for any other, `WrongValue` for text of the wrong
    kind, `CallbackError` for fields that nobody gave, `SpiderError` for a type that no page could
    be read as, `MissingExtra`.
    """
    _require_node(node, kind)
    own = plan(kind)  # type: ignore[arg-type]  # every class is hashable
    if given or own.given:
        _refuse_given(own, given)
    try:
        copy = node.selector if own.has_xpath else None
        for field in own.fields:
            if field.name in given:
                continue
            value: object
            if field.is_text:  # as most are: it takes half the time
                value = node.text(field.marker.query, default=_ABSENT)
                if value is _ABSENT:
                    value = _missing(field, node)
            else:
                value = _value(field, node, copy)
            if value is not _ABSENT:
                given[field.name] = value
    except RecursionError:
        raise CallbackError(f"{own.name}: items within items, too deep on {node.url}") from None
    return _made(kind, given, node.url) if own.is_model else kind(**given)


def _require_node(node: object, kind: type) -> None:
    if not isinstance(node, Node):
        got = type(node).__name__
        raise CallbackError(f"{kind.__name__}: extract takes a page or a node of it, got {got}")


def _made(kind: Any, given: Mapping[str, object], url: str) -> Any:
    """Return pydantic's model of these values. Raises `WrongValue`."""
    has_alias = any(field.alias or field.validation_alias for field in kind.model_fields.values())
    try:
        return kind.model_validate(given, by_name=True) if has_alias else kind(**given)
    except ValueError as error:
        raise WrongValue(f"{_faults(kind, error)} on {url}") from None


def _faults(kind: Any, error: Any) -> str:
    """Return what pydantic has against some values, in one line."""
    faults = error.errors(include_url=False) if hasattr(error, "errors") else ()
    named = (
        f"{'.'.join(map(str, (kind.__name__, *fault['loc'])))}: "
        f"{fault['msg']}, got {_shown(fault['input'])}"
        for fault in faults
    )
    return "; ".join(named) or f"{kind.__name__}: {error}"


def _refuse_given(own: Plan, given: Mapping[str, object]) -> None:
    for name in given:
        if name not in own.names:
            raise CallbackError(f"item {own.name}: {unknown('field', name, own.names)}")
    if missing := [name for name in own.given if name not in given]:
        named = ", ".join(f"{name}=…" for name in missing)
        raise CallbackError(
            f"item {own.name}: {missing[0]} has neither css nor a default: extract(page, {named})"
        )


def _value(field: Marked, node: Node, copy: "Selector | None") -> object:
    """Return a field's value, or `_ABSENT` where its default is to be taken."""
    if field.gather is not None:
        found = _items(field, node) if field.nested else _texts(field, node, copy)
        if not found and (field.is_optional or field.or_none or field.gather is joined):
            return _missing(field, node)
        value = field.gather(found)
    elif field.nested is not None:
        root = node if field.marker.query is None else node.css_first(field.marker.query)
        if root is None:
            return _missing(field, node)
        value = extract(field.nested, root)
    else:
        text = _text(field, node, copy)
        if field.marker.exists:
            return text is not None
        if text is None or (field.convert is not None and not text.strip()):
            return _missing(field, node)
        value = _converted(field, text, node)
    return value if field.check is None else _checked(field, field.check, value, node)


def _missing(field: Marked, node: Node) -> object:
    if field.is_optional:
        return _ABSENT
    if field.or_none:
        return None
    raise MissingValue(f"{field.where}: nothing for {field.marker} on {node.url}")


def _text(field: Marked, node: Node, copy: "Selector | None") -> str | None:
    """Return what is to be converted, None where there is none."""
    marker = field.marker
    if copy is not None and marker.is_xpath:
        text = next(iter(_by_xpath(field, node, copy, first=True)), None)
    elif marker.attr is None:
        text = node.text(marker.query, default=None)
    else:
        text = node.attr(marker.attr, marker.query, default=None)
    if text is None or field.pattern is None:
        return text
    return next(_groups(field.pattern, text), None)


def _texts(field: Marked, node: Node, copy: "Selector | None") -> list[object]:
    """Return every value of a list; what has no attribute, no match or no URL has no value."""
    marker, pattern = field.marker, field.pattern
    found: Iterable[str]
    if copy is not None and marker.is_xpath:
        found = _by_xpath(field, node, copy)
    else:
        nodes = [node] if marker.query is None else node.css(marker.query)
        if (attr := marker.attr) is None:
            found = (one.text() for one in nodes)
        else:
            texts = (one.attr(attr, default=None) for one in nodes)
            found = (text for text in texts if text is not None)
    if pattern is not None:
        found = (group for text in found for group in _groups(pattern, text))
    if field.is_url:
        return list(_urls(found, node.base))
    if field.convert is None:
        return list(found)
    return [_converted(field, text, node) for text in found if text.strip()]


def _urls(found: Iterable[str], base: str) -> Iterator[str]:
    for href in found:
        with suppress(InvalidUrl):
            yield absolute(href, base)


def _items(field: Marked, node: Node) -> list[object]:
    nodes = [node] if field.marker.query is None else node.css(field.marker.query)
    if _holds_itself(field.nested):
        nodes = _outermost(nodes)
    return [extract(field.nested, one) for one in nodes]


@lru_cache(maxsize=1_000)
def _holds_itself(kind: Hashable) -> bool:
    """True for a type that is found inside of itself, as answers to comments are."""
    return any(field.nested is kind for own in _plans(kind) for field in own.fields)


def _plans(kind: Hashable) -> Iterator[Plan]:
    """Yield the plan of a type, and of all that are in it, each once."""
    known, more = {kind}, [kind]
    while more:
        own = plan(more.pop())
        yield own
        within = {field.nested for field in own.fields if field.nested is not None} - known
        known |= within
        more += within


def _outermost(nodes: Sequence[Node]) -> list[Node]:
    """Leave out what is inside of another one, and found again when that is read."""
    every = {node.lexbor.mem_id for node in nodes}
    kept = []
    for node in nodes:
        parent = node.lexbor.parent
        while parent is not None and parent.mem_id not in every:
            parent = parent.parent
        if parent is None:
            kept.append(node)
    return kept


def _by_xpath(field: Marked, node: Node, copy: "Selector", *, first: bool = False) -> list[str]:
    found = selected(copy, field.marker.query or ".", node.url)
    texts = (text_of(one, field.marker.attr) for one in (found[:1] if first else found))
    return [text for text in texts if text is not None]


def _groups(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        group = match[1] if pattern.groups else match[0]
        if group is not None:
            yield group


def _converted(field: Marked, text: str, node: Node) -> object:
    try:
        if field.is_url:
            text = absolute(text, node.base)
        return text if field.convert is None else field.convert(text)
    except InvalidUrl:
        raise _wrong(field, "expected an http(s) URL", text, node) from None
    except msgspec.ValidationError as error:
        raise _wrong(field, str(error), text, node) from None
    except ValueError as error:
        raise _wrong(field, f"expected {error}", text, node) from None


def _checked(field: Marked, check: Callable[[object], object], value: object, node: Node) -> object:
    try:
        return check(value)
    except msgspec.ValidationError as error:
        raise _wrong(field, str(error), value, node) from None


def _wrong(field: Marked, reason: str, got: object, node: Node) -> WrongValue:
    shown = _shown(got)
    return WrongValue(f"{field.where}: {reason}, got {shown} ({field.marker} on {node.url})")


def _shown(got: object) -> str:
    shown = repr(got)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"
