"""Elements of a page."""

import asyncio
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from crawler.ceiling import CEILING
from crawler.errors import CallbackError, MissingValue
from crawler.parse.charsets import NAMES
from crawler.parse.directives import resolved
from crawler.parse.forms import Form, form_of
from crawler.parse.scripts import script_json
from crawler.parse.tables import Row, rows_of, without_tables
from crawler.parse.visible import seen
from crawler.parse.xpath import rooted, selected

if TYPE_CHECKING:
    from parsel import Selector, SelectorList

T = TypeVar("T")


# Far more than any page needs; so much all else that wants memory meanwhile should have. Nor can a
# smaller page take more: what `knots` does not see of it are too few elements.
_SMALL: Final = 50_000
_MORE_BYTES: Final = 1_000_000_000

_XPATHS: Final = ("/", "./", "(/", "(./")
_HTML: Final = ("text/html", "application/xhtml+xml")

# Stands for "no default given", since None is a default people give.
MISSING: Final = object()


def parse_html(html: str | bytes) -> LexborHTMLParser:
    """Return the document tree of any text; bytes are taken as UTF-8.

    Lexbor parses without the interpreter lock, so a thread keeps the event loop free.
    """
    # Half of a surrogate pair has no bytes; encoded here, it becomes "?" instead of an error.
    return LexborHTMLParser(html.encode("utf-8", "replace") if isinstance(html, str) else html)


def parsed_html(html: bytes) -> LexborHTMLParser | None:
    """Return the document tree of UTF-8, None if there is not the memory for it.

    On the loop, where nobody can watch it, it gets 1 GB.
    """
    try:
        if len(html) <= _SMALL or not _is_on_loop():
            return parse_html(html)
        with CEILING.held(_MORE_BYTES):
            return parse_html(html)
    except (SelectolaxError, MemoryError):
        return None


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def looks_like_html(mime: str, body: bytes) -> bool:
    """True for a body that is to be parsed: HTML by its type, or without one by its looks."""
    if mime and mime not in _HTML:
        return False
    head = body[:1024]
    if b"\0" in head and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False  # binary sent as HTML; only UTF-16 has NULs, and a BOM
    return bool(mime) or b"<" in head


def base_of(tree: LexborHTMLParser, url: str) -> str:
    """Return what the document's links are resolved against: its first `<base href>`, or `url`."""
    base = tree.css_first("base[href]")
    return url if base is None else resolved(url, base.attributes.get("href") or "") or url


class Node:
    """One element of a page, or a page itself, which is its root element; it keeps it alive."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Node {self.tag} {self.url}>"

    @property
    def lexbor(self) -> LexborNode:
        """The selectolax node, for what this class does not offer."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """URL of the page this element is in."""
        raise NotImplementedError

    @property
    def base(self) -> str:
        """What relative URLs of the page are resolved against."""
        page = self._page
        return base_of(self.lexbor.parser, self.url) if page is None else page.base

    @property
    def encoding(self) -> str:
        """The page's character encoding."""
        if self._page is not None:
            return self._page.encoding
        meta = self.lexbor.parser.css_first("meta[charset]")
        label = meta.attributes.get("charset") if meta is not None else None
        return NAMES.get((label or "").strip().lower(), "utf-8")

    @property
    def tag(self) -> str:
        """The element's name in lower case."""
        return self.lexbor.tag or ""

    @property
    def html(self) -> str:
        """The element and all in it as HTML."""
        return self.lexbor.html or ""

    @overload
    def text(self, css: str | None = None) -> str: ...
    @overload
    def text(self, css: str | None = None, *, default: T) -> str | T: ...
    def text(self, css: str | None = None, *, default: object = MISSING) -> object:
        """Return the text a reader sees, of this element or of the first that `css` finds in it.

        White space is single blanks, line breaks too. Raises `MissingValue` where `css` finds
        nothing and there is no `default`.
        """
        node = self.lexbor if css is None else self._first(css)
        if node is not None:
            return seen(node)
        return self._or(default, css)

    @overload
    def attr(self, name: str, css: str | None = None) -> str: ...
    @overload
    def attr(self, name: str, css: str | None = None, *, default: T) -> str | T: ...
    def attr(self, name: str, css: str | None = None, *, default: object = MISSING) -> object:
        """Return an attribute's value, `""` if it has none (`disabled`); `css` as in `text`."""
        node = self.lexbor if css is None else self._first(css)
        attributes = node.attributes if node is not None else {}
        name = name.lower()
        if name in attributes:
            return attributes[name] or ""
        return self._or(default, css, name)

    def css(self, css: str) -> "list[Node]":
        """Return every element inside this one that `css` selects, in document order."""
        return list(map(Element, self._select(css), repeat(self.url), repeat(self._page)))

    def css_first(self, css: str) -> "Node | None":
        """Return the first element inside this one that `css` selects, or None."""
        found = self._first(css)
        return None if found is None else Element(found, self.url, self._page)

    def xpath(self, query: str, **variables: Any) -> "SelectorList[Selector]":
        """Return what an XPath query finds in this element, as parsel's selectors.

        They are of a copy of the tree: `.get()`, `.getall()` and `.re()` read them. Raises
        `MissingExtra` without the extra `xpath`, `CallbackError` for a wrong query.
        """
        return selected(self.selector, query, self.url, **variables)

    @property
    def selector(self) -> "Selector":
        """A copy of the element as parsel has it. Raises `MissingExtra`."""
        return rooted(self.lexbor, self.url)

    def table(self, css: str = "table") -> list[Row]:
        """Return the rows of the first table that `css` selects, or of this element if it is one.

        Each is a dict of the cells' texts by the column's heading. Raises `MissingValue` without
        such a table, `CallbackError` if its cells span far more than there is.
        """
        node = self.lexbor if self.tag == "table" else self._first(css)
        if node is None or node.tag != "table":
            raise MissingValue(f"no table {css!r} on {self.url}")
        return rows_of(node, self.url)

    def tables(self, css: str = "table") -> list[list[Row]]:
        """Return the rows of every table that `css` selects, but of those that hold others."""
        return [rows_of(node, self.url) for node in without_tables(self._select(css))]

    @overload
    def script_json(self, name: str | None = None, *, css: str = "script") -> Any: ...
    @overload
    def script_json(self, name: str | None = None, *, css: str = "script", type: type[T]) -> T: ...
    def script_json(
        self,
        name: str | None = None,
        *,
        css: str = "script",
        type: Any = Any,  # noqa: A002
    ) -> Any:
        """Return JSON that stands in a script, checked against `type`.

        It is what the first of the scripts that `css` selects consists of, or what is given to
        `name` in the first that has it: `name = {…}`, `"name": […]`, `name({…})`, `name =
        JSON.parse("…")`. Raises `MissingValue` without, `ContentError` for what is not the JSON
        expected.
        """
        return script_json(self._select(css), name, css=css, kind=type, url=self.url)

    def form(self, css: str = "form") -> Form:
        """Return the first form that `css` selects, or this element if it is the form.

        Raises `MissingValue` without such a form, `InvalidUrl` if its action is not http(s),
        `CallbackError` if it has more than 10,000 controls.
        """
        node = self.lexbor if self.tag == "form" else self._first(css)
        if node is None:
            raise MissingValue(f"no form {css!r} on {self.url}")
        return form_of(node, url=self.url, base=self.base, encoding=self.encoding)

    @property
    def _page(self) -> "Node | None":
        """The page, if it is known: it remembers its base and its encoding."""
        return None

    def _first(self, css: str) -> LexborNode | None:
        found = self._select(css, only_first=True)
        return found[0] if found else None

    def _select(self, css: str, *, only_first: bool = False) -> list[LexborNode]:
        node = self.lexbor
        try:
            if not only_first:
                return _inside(node, node.css(css))
            first = node.css_first(css)
            if first is None or first.mem_id != node.mem_id:
                return [] if first is None else [first]
            return _inside(node, node.css(css))
        except (SelectolaxError, UnicodeEncodeError):
            hint = "; text(css) and attr(name, css) take the value" if "::" in css else ""
            hint = "; page.xpath(query) takes XPath" if css.startswith(_XPATHS) else hint
            raise CallbackError(f"not a CSS selector: {css!r} (on {self.url}){hint}") from None

    def _or(self, default: object, css: str | None, name: str | None = None) -> object:
        if default is not MISSING:
            return default
        what = f"attribute {name!r}" if name else "element"
        where = f"for selector {css!r}" if css else f"in <{self.tag}>"
        raise MissingValue(f"no {what} {where} on {self.url}")


# A page may have hundreds of links: Structs are made in less than half the time.
class Element(Node, msgspec.Struct, frozen=True, eq=False, gc=False):
    """An element inside a page; `Node` says what it can do."""

    lexbor: LexborNode
    url: str
    _page: Node | None = None


def _inside(node: LexborNode, found: list[LexborNode]) -> list[LexborNode]:
    # Lexbor also matches the element it starts from; in a browser only `document` finds <html>.
    itself = found and found[0].mem_id == node.mem_id and node.tag != "html"
    return found[1:] if itself else found
