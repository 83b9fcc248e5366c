"""What a page says, for people and for models."""

import asyncio
import logging
from typing import Final

from msgspec import structs

from crawler.errors import MissingValue
from crawler.parse.article import ARTICLES, Article
from crawler.parse.directives import resolved
from crawler.parse.document import Document
from crawler.parse.markdown import markdown_of
from crawler.parse.markup import markup_of
from crawler.parse.metadata import Metadata, metadata_of
from crawler.parse.threads import Threads

log = logging.getLogger(__name__)

_CONVERTERS: Final = Threads(2, "markdown")


class Readable(Document):
    """A document as text; each method reads the page anew, so keep what it returns."""

    async def markdown(self, css: str | None = None) -> str:
        """Return the page, or the first element that `css` selects, as Markdown.

        All of it, menus too, in CommonMark with GitHub's tables; its URLs are whole. Empty for what
        is not HTML, and for what would take too much; 1 MB takes 0.2 s, in a thread. Raises
        `MissingExtra`, and `MissingValue` where `css` finds nothing.
        """
        node = self.lexbor if css is None else self._first(css)
        if node is None:
            raise MissingValue(f"no element for selector {css!r} on {self.url}")
        made = _CONVERTERS.submit(markdown_of, markup_of(node), url=self.url, base=self.base)
        return await asyncio.wrap_future(made)

    def metadata(self) -> Metadata:
        """Return what the page says of itself for machines: JSON-LD, microdata, Open Graph, meta.

        What cannot be read of it is left out. Empty for what is not HTML.
        """
        metadata, unread = metadata_of(self.tree, self.base)
        if unread:
            log.info("%d scripts of JSON-LD cannot be read: %s", unread, self.url)
        return metadata

    async def article(self, *, seconds: float = 10.0) -> Article | None:
        """Return the page's main text with title, author, date …; None if there is none.

        A process of its own looks for it, mostly in 0.1 s, while the crawl goes on; what takes
        longer than `seconds` is given up, and None. Raises `MissingExtra`.
        """
        html = markup_of(self.lexbor)
        if not self.is_html:
            return None
        try:
            found = await ARTICLES.find(html, self.url, seconds=seconds)
        except (TimeoutError, EOFError):
            log.warning("no main text, as it takes too much: %s", self.url)
            return None
        if found is None:
            return None
        image = found.image and (resolved(self.base, found.image) or found.image)
        language = found.language or self.lexbor.attributes.get("lang") or None
        return structs.replace(found, image=image, language=language)
