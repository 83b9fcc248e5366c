"""What a page says, for people and for models."""

import logging

from crawler.errors import MissingValue
from crawler.parse.document import Document
from crawler.parse.markdown import markdown_of
from crawler.parse.metadata import Metadata, metadata_of

log = logging.getLogger(__name__)


class Readable(Document):
    """A document as text; each method reads the page anew, so keep what it returns."""

    def markdown(self, css: str | None = None) -> str:
        """Return the page, or the first element that `css` selects, as Markdown.

        All of it, menus too, in CommonMark with GitHub's tables; its URLs are whole. Empty for what
        is not HTML, and for what would take too much; 1 MB takes 0.2 s. Raises `MissingExtra`, and
        `MissingValue` where `css` finds nothing.
        """
        node = self.lexbor if css is None else self._first(css)
        if node is None:
            raise MissingValue(f"no element for selector {css!r} on {self.url}")
        text = markdown_of(node.html or "", base=self.base)
        if text is None:
            log.warning("not made Markdown, as it takes too much: %s", self.url)
        return text or ""

    def metadata(self) -> Metadata:
        """Return what the page says of itself for machines: JSON-LD, microdata, Open Graph, meta.

        What cannot be read of it is left out. Empty for what is not HTML.
        """
        metadata, unread = metadata_of(self.tree, self.base)
        if unread:
            log.info("%d scripts of JSON-LD cannot be read: %s", unread, self.url)
        return metadata
