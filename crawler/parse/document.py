"""A document, and what it asks of those who crawl it."""

from typing import TYPE_CHECKING

from multidict import CIMultiDictProxy
from selectolax.lexbor import LexborHTMLParser

from crawler.parse.directives import (
    NO_MARKS,
    Marks,
    PageRules,
    beginning,
    canonical_of,
    marks_of,
    refresh_of,
    resolved,
    speaking,
)
from crawler.parse.links import ANCHORS, FOLLOWED, Link, is_vouched_for, links_of, urls_of
from crawler.parse.nodes import Node
from crawler.parse.patterns import Patterns, passing
from crawler.parse.robots_words import NOT_FOLLOWED, robots_of

if TYPE_CHECKING:
    from parsel import Selector

# Parsing costs more than a look at the text, and a page that sends on says so at its beginning.
_REFRESH_WITHIN = 4_096


class Document(Node):
    """The root node of a page, its links, and its directives as `rules` say to keep to them."""

    def __init__(self, headers: CIMultiDictProxy[str], rules: PageRules) -> None:
        self.headers = headers
        self._rules = rules
        self._base: str | None = None
        self._marks: Marks | None = None
        self._beginning: bytes | None = None
        self._directives: frozenset[str] | None = None
        self._selector: Selector | None = None

    @property
    def _page(self) -> Node:
        return self

    @property
    def selector(self) -> "Selector":
        """The document as parsel has it, copied once. Raises `MissingExtra`."""
        if self._selector is None:
            self._selector = super().selector
        return self._selector

    @property
    def is_html(self) -> bool:
        """True if there is anything to parse."""
        raise NotImplementedError

    @property
    def tree(self) -> LexborHTMLParser:
        """The parser behind `css`; an empty document if the body is not HTML."""
        raise NotImplementedError

    @property
    def base(self) -> str:
        """What relative URLs are joined to: `<base href>`, or the page's own URL."""
        if self._base is None:
            href = self._said().base if self._rules.base else None
            self._base = self.url if href is None else resolved(self.url, href) or self.url
        return self._base

    @property
    def directives(self) -> frozenset[str]:
        """What meta robots and X-Robots-Tag say to us, in lower case: `nofollow`, `noindex`."""
        if self._directives is None:
            headers, agent = self.headers, self._rules.agent
            tags = headers.getall("X-Robots-Tag", ())
            self._directives = robots_of(
                self._said().robots, tags, agent=agent, date=headers.get("Date")
            )
        return self._directives

    @property
    def canonical(self) -> str | None:
        """The URL that the page calls its canonical one, if it names just one."""
        links = self.headers.getall("Link", ())
        marks = self._said()
        return (
            canonical_of(marks, links, url=self.url, base=self.base)
            if links or marks.canonical
            else None
        )

    @property
    def refresh(self) -> str | None:
        """Where the page sends its readers on to, within ten seconds."""
        header = self.headers.get("Refresh")
        if not self._rules.refresh:
            return None
        marks = NO_MARKS
        if self.is_html and b"refresh" in self._begin()[:_REFRESH_WITHIN]:
            marks = self._said()
        elif header is None:
            return None
        base = self.base if marks.refresh else self.url
        return refresh_of(marks, header, url=self.url, base=base)

    def _said(self) -> Marks:
        if self._marks is None:
            agent = self._rules.agent
            tags = speaking(self._begin(), agent) if self.is_html else ()
            self._marks = marks_of(self.tree, self._begin(), agent, tags=tags) if tags else NO_MARKS
        return self._marks

    def _begin(self) -> bytes:
        if self._beginning is None:
            self._beginning = beginning(self._in_utf8())
        return self._beginning

    @property
    def _leads_on(self) -> bool:
        """False if the page asks that none of its links be followed."""
        return not self._rules.robots or self.directives.isdisjoint(NOT_FOLLOWED)

    def links(
        self, css: str = ANCHORS, *, allow: Patterns | None = None, deny: Patterns = ()
    ) -> list[Link]:
        """Return the links of the elements `css` selects, each URL once, in document order.

        `allow` and `deny` are regular expressions searched in the URL. A page that says nofollow
        of itself has none.
        """
        if not self.is_html or not self._leads_on:
            return []
        found = links_of(self._select(css), self.base, srcset=self._rules.srcset)
        kept = set(passing([link.url for link in found], allow, deny))
        return [link for link in found if link.url in kept]

    def _linked(self, css: str) -> list[str]:
        """Return the URLs that `follow_all(css=…)` follows."""
        if not self.is_html or not self._leads_on:
            return []
        rules = self._rules
        if css != ANCHORS:
            nodes = self._select(css)
            kept = filter(is_vouched_for, nodes) if rules.nofollow else nodes
            return urls_of(kept, self.base, srcset=rules.srcset)
        found = urls_of(self._select(FOLLOWED if rules.nofollow else ANCHORS), self.base)
        if rules.canonical == "follow" and (canonical := self.canonical):
            # What differs in its scheme only would have a site crawled twice.
            is_same = canonical.partition(":")[2] == self.url.partition(":")[2]
            found += [canonical] if canonical not in found and not is_same else []
        return found

    def _in_utf8(self) -> bytes:
        """Return the text of the document."""
        raise NotImplementedError
