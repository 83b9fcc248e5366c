"""An element as HTML, unless that is far too much."""

from typing import Final

from selectolax.lexbor import LexborNode, SelectolaxError

from crawler.ceiling import CEILING

# A tree may be a thousand times the size of its page: elements that nobody closed are repeated,
# with attributes as long as the page. Those of a page of 2 MB are as long as it is.
_LONGEST: Final = 50_000_000
_MORE_BYTES: Final = 500_000_000


def markup_of(node: LexborNode) -> str | None:
    """Return an element and all in it as HTML; None if that is above 50 MB, or takes 500 MB."""
    try:
        with CEILING.held(_MORE_BYTES):
            html = node.html  # None without the memory for it
    except (SelectolaxError, MemoryError):
        return None
    return html if html is not None and len(html) <= _LONGEST else None
