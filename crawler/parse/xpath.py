"""XPath over elements, by parsel: the extra `xpath`."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from selectolax.lexbor import LexborNode

from crawler.ceiling import CEILING
from crawler.errors import CallbackError, MissingExtra
from crawler.parse.markup import markup_of
from crawler.parse.visible import BREAKS, UNSEEN

if TYPE_CHECKING:
    from parsel import Selector, SelectorList

_OUTER: Final = ("html", "body", "head")
_MORE_BYTES: Final = 500_000_000


def check_installed() -> None:
    """Raise `MissingExtra` if there is no parsel."""
    _kind()


def _kind() -> "type[Selector]":
    try:
        from parsel import Selector
    except ImportError:
        raise MissingExtra("XPath", "xpath") from None
    return Selector


def rooted(node: LexborNode, url: str) -> "Selector":
    """Return parsel's copy of an element of the page at `url`.

    Raises `MissingExtra`, `CallbackError` for one that takes too much memory.
    """
    kind = _kind()
    html = markup_of(node)
    if html is not None:
        with suppress(MemoryError), CEILING.held(_MORE_BYTES):
            return _copied(html, node.tag or "", kind)
    raise CallbackError(f"too large for XPath: {url}")


def _copied(html: str, tag: str, kind: "type[Selector]") -> "Selector":
    # It comes from a tree of the HTML standard, so libxml2 has little to mend: paths copied from a
    # browser, which have a <tbody> in each table, find what they found there.
    if tag == "html":
        return kind(text=html, type="html")
    whole = kind(text=html if tag in _OUTER else f"<body>{html}", type="html")
    own = whole.xpath(f"/html/{tag}" if tag in _OUTER else "/html/body/*[1]")
    return own[0] if own else whole


def selected(root: "Selector", query: str, url: str, **variables: Any) -> "SelectorList[Selector]":
    """Return what a query finds; `url` is for messages. Raises `CallbackError`."""
    try:
        return root.xpath(query, **variables)
    except ValueError as error:
        raise CallbackError(f"not an XPath query: {query!r} (on {url}): {error}") from None


def text_of(found: "Selector", attr: str | None) -> str | None:
    """Return the text of one thing that a query found, or its attribute; None without that one."""
    value: Any = found.root
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = f"{value:.0f}" if value.is_integer() else str(value)
    elif isinstance(value, str):
        text = " ".join(value.split())
    else:
        return _seen(value) if attr is None else value.get(attr)
    return text if attr is None else None


def _seen(element: Any) -> str:
    """Return what `visible.seen` does of the same element."""
    return " ".join("".join(_pieces(element)).split())


def _pieces(root: Any) -> Iterator[str]:
    """Yield the text of an lxml element and of all in it."""
    yield root.text or ""
    stack = [iter(root)]
    behind = [""]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
            yield behind.pop()
            continue
        tag, tail = child.tag, child.tail or ""
        if not isinstance(tag, str) or tag in UNSEEN:  # a comment's tag is a function
            yield tail
            continue
        space = " " if tag in BREAKS else ""
        yield space + (child.text or "")
        stack.append(iter(child))
        behind.append(space + tail)
