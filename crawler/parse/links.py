"""The links of a page."""

from collections.abc import Iterable

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.errors import InvalidUrl
from crawler.parse.encoding import decode
from crawler.parse.nodes import base_of, parse_html
from crawler.urls import canonicalize, join

# Anchors can be nested through tables, and the text of one is part of the text of the next: past
# this many characters of text a page's further links have none, so work stays linear.
_TEXT_CHARACTERS = 4_000_000


class Link(msgspec.Struct, frozen=True, gc=False):
    """One place a page links to.

    `url` is canonical; `text` is the first text it is linked under, white space collapsed;
    `nofollow` holds if every link of the page to this URL says so; `tag` is `a` or `area`.
    """

    url: str
    text: str = ""
    nofollow: bool = False
    tag: str = "a"


def extract(html: str | bytes, url: str) -> list[Link]:
    """Return the links of the HTML document at `url`: each URL once, in document order.

    What is not http(s) or no URL is left out. Bytes are decoded by what they declare. Raises
    `InvalidUrl` for `url` itself only.
    """
    url = canonicalize(url)
    tree = parse_html(html if isinstance(html, str) else decode(html, None))
    return links_of(anchors_of(tree), base_of(tree, url))


def anchors_of(tree: LexborHTMLParser) -> list[LexborNode]:
    """Return every element of the document that links somewhere, in document order."""
    return tree.css("a[href], area[href]")


def links_of(nodes: Iterable[LexborNode], base: str) -> list[Link]:
    """Return the links of these elements, resolved against `base`; without href they have none."""
    urls: dict[str, str | None] = {}  # by href, so that each is resolved once
    links: dict[str, Link] = {}  # by URL
    room = _TEXT_CHARACTERS
    for node in nodes:
        attributes = node.attributes
        if "href" not in attributes:
            continue
        href = attributes["href"] or ""
        if href not in urls:
            urls[href] = _resolved(base, href)
        url = urls[href]
        if url is None:
            continue
        known = links.get(url)
        text = known.text if known else ""
        if not text and room > 0:
            raw = node.text_lexbor()
            room -= len(raw)
            text = " ".join(raw.split())
        nofollow = _is_nofollow(attributes.get("rel")) and (known is None or known.nofollow)
        if known is None:
            links[url] = Link(url, text, nofollow, node.tag or "")
        elif text != known.text or nofollow != known.nofollow:
            links[url] = Link(url, text, nofollow, known.tag)
    return list(links.values())


def _resolved(base: str, href: str) -> str | None:
    try:
        return join(base, href)
    except InvalidUrl:
        return None


def _is_nofollow(rel: str | None) -> bool:
    return rel is not None and "nofollow" in rel.lower().split()
