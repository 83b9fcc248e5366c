"""What came back."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, overload

import msgspec
from msgspec import structs
from multidict import CIMultiDict, CIMultiDictProxy
from selectolax.lexbor import LexborHTMLParser, LexborNode
from yarl import URL

from crawler import urls
from crawler.errors import AddressRefused, CallbackError, ContentError, FetchError
from crawler.exchange import Exchange
from crawler.parse.directives import STANDARD, PageRules
from crawler.parse.encoding import detect, utf8_with_name
from crawler.parse.knots import is_knotted
from crawler.parse.links import ANCHORS, Link
from crawler.parse.nodes import Node, looks_like_html, parse_html, parsed_html
from crawler.parse.patterns import Patterns, passing
from crawler.parse.reading import Readable
from crawler.parse.references import references
from crawler.parse.targets import Target, addresses, is_selector, shown
from crawler.request import Callback, Request, link_request, name_of
from crawler.words import harmless

log = logging.getLogger(__name__)

T = TypeVar("T")
_BOM_STARTS = (b"\xef", b"\xfe", b"\xff")
_NO_HEADERS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())


class Response(Readable):
    """A response, and the root node of its document.

    `url` is the final URL, `redirects` the URLs that led to it (`asked` is what was asked for in
    the end, if there are any), `body` the decompressed bytes,
    `headers` a multidict, `seconds` the time from asking to the last byte. On a body that is not
    HTML, or is larger than `html_bytes`, `css` and `links` find nothing. `exchanges` is what went
    over the wire for it and the redirects before, and `fetched` what its callback fetched, if these
    are kept (`pages=warc`).
    """

    def __init__(
        self,
        url: str,
        *,
        request: Request,
        status: int = 200,
        headers: CIMultiDictProxy[str] = _NO_HEADERS,
        body: bytes = b"",
        redirects: tuple[str, ...] = (),
        seconds: float = 0.0,
        parsed: bool = True,
        rules: PageRules = STANDARD,
        release: Callable[[], None] | None = None,
        exchanges: tuple[Exchange, ...] = (),
    ) -> None:
        super().__init__(headers, rules)
        self._url = url
        self.request = request
        self.asked: Request | None = None
        self.status = status
        self.body = body
        self.redirects = redirects
        self.exchanges = exchanges
        self.fetched: tuple[Response, ...] = ()
        self.seconds = seconds
        self._parsed = parsed
        self._release = release
        self._fetch: Callable[[Request], Awaitable[Response]] | None = None
        self._tree: LexborHTMLParser | None = None
        self._mime: str | None = None
        self._is_html: bool | None = None
        self._utf8: tuple[str, bytes] | None = None
        self._text: str | None = None

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.url}>"

    @property
    def url(self) -> str:
        """Where the response came from: the final URL."""
        return self._url

    @property
    def depth(self) -> int:
        """Links from a seed to here."""
        return self.request.depth

    @property
    def mime(self) -> str:
        """The MIME type without parameters, lower case; empty when the server named none."""
        if self._mime is None:
            kind = self.headers.get("Content-Type", "").partition(";")[0]
            self._mime = harmless(kind.strip().lower())
        return self._mime

    @property
    def is_html(self) -> bool:
        """True if the body is parsed: HTML by its type, not binary, not too large, no knot."""
        if self._is_html is None:
            self._is_html = self._parsed and looks_like_html(self.mime, self.body)
        return self._is_html

    @property
    def is_text(self) -> bool:
        """True if the server says that the body is text of some kind."""
        is_named_so = self.mime.startswith("text/") or self.mime.endswith("xml")
        return is_named_so or "charset=" in self.headers.get("Content-Type", "")

    @property
    def encoding(self) -> str:
        """The character encoding: from the BOM, the header, the document, in that order."""
        if self._utf8 is None:  # most of the time to decode 10 MB is not for its name
            return detect(self.body, self.headers.get("Content-Type"))
        return self._utf8[0]

    @property
    def html(self) -> str:
        """The body as decoded text, whatever its type."""
        if self._text is None:
            self._text = self._read()[1].decode("utf-8", "replace")
        return self._text

    @property
    def tree(self) -> LexborHTMLParser:
        """The parser behind `css`; an empty document if the body is not HTML, or is a knot."""
        if self._tree is None:
            body = self._read()[1] if self.is_html else b""
            tree = None if is_knotted(body) else parsed_html(body)
            return self._kept(tree or self.leave_unparsed())
        return self._tree

    def _kept(self, tree: LexborHTMLParser) -> LexborHTMLParser:
        """Keep a tree, unless it took so long that the page goes without."""
        self._tree = self._tree or tree
        return self._tree

    @property
    def lexbor(self) -> LexborNode:
        """The document's root element."""
        root = self.tree.root
        assert root is not None, "Lexbor gives even an empty document its <html>"
        return root

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, type: type[T]) -> T: ...
    def json(self, type: Any = Any) -> Any:  # noqa: A002
        """Return the body read as JSON, checked against `type`. Raises `ContentError`."""
        # JSON is UTF-8 (RFC 8259 8.1), but servers send byte order marks and other charsets.
        odd = "charset=" in self.headers.get("Content-Type", "") or self.body[:1] in _BOM_STARTS
        try:
            return msgspec.json.decode(self.html if odd else self.body, type=type)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ContentError(f"not the JSON expected: {error}: {self.url}") from None

    def follow(self, target: Target, *, callback: Callback = "parse", **fields: Any) -> Request:
        """Return a request for one URL (relative is fine), Link, or Node with an `href` or `src`.

        `fields` are those of `Request`. Raises `InvalidUrl`, and `MissingValue` without `href`.
        """
        return Request(self._address(target), callback=callback, **self._below(fields))

    def follow_all(
        self,
        targets: Iterable[Target] | None = None,
        *,
        css: str = ANCHORS,
        callback: Callback = "parse",
        allow: Patterns | None = None,
        deny: Patterns = (),
        **fields: Any,
    ) -> list[Request]:
        """Return a request for each of `targets`, or of the links that `links(css, …)` finds.

        Each URL once; elements without a usable `href` have none. Those outside the spider's scope
        are left out when they are yielded. Without `targets` links with rel=nofollow, ugc or
        sponsored are left out; without `css` as well, the page's canonical URL is among them.
        """
        if targets is None:
            found = self._linked(css)
        else:
            found = addresses(
                targets, base=self.base, srcset=self._rules.srcset, address=self._address
            )
        found = passing(found, allow, deny)
        if not found:
            return []
        if "params" in fields:
            return [Request(url, callback=callback, **self._below(fields)) for url in found]
        if fields:
            one = Request(self.url, callback=callback, **self._below(fields))
        else:  # nothing to check
            one = link_request(url=self.url, callback=name_of(callback), **self._below({}))
        return [structs.replace(one, url=url) for url in found]

    def _below(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return a request's fields, with those that say whence it comes."""
        return {"parent": self.url, "depth": self.depth + 1, **fields}

    def _address(self, target: object) -> str:
        if isinstance(target, Link):
            return target.url
        if isinstance(target, Node):
            named = references(target.tag, target.lexbor.attributes, srcset=False)
            return self._joined(named[0] if named else target.attr("href"))
        if isinstance(target, URL):
            return self._joined(str(target))
        if not isinstance(target, str):
            raise CallbackError(f"expected a URL, Link or Node, got {shown(target)}")
        if self.is_html and is_selector(self, target):
            raise CallbackError(
                f"{target!r} is no URL; a selector is for follow_all(css={target!r})"
            )
        return self._joined(target)

    def _joined(self, href: str) -> str:
        return urls.without_credentials(urls.join(self.base, href))

    async def fetch(self, target: Target | Request, **fields: Any) -> "Response":
        """Fetch another URL from inside a callback, ahead of its host's queue.

        Same politeness, robots.txt and retries; redirects are followed. Not deduplicated, not
        stored, and repeated if this page is. Raises `FetchError`.
        """
        if self._fetch is None:
            raise FetchError("page.fetch works inside a callback only", url=self.url)
        if not isinstance(target, Request):
            target = self.follow(target, **fields)
        elif not target.url.startswith(urls.SCHEMES):  # a copy made past `Request.replace`
            raise AddressRefused("only http and https leave", url=target.url)
        elif not target.depth:
            target = structs.replace(target, depth=self.depth + 1, parent=self.url)
        return await self._fetch(target)

    def attach(self, fetch: "Callable[[Request], Awaitable[Response]]") -> None:
        """Give `fetch` its way out; the crawl does this while the callback runs."""
        self._fetch = fetch

    def detach(self) -> None:
        """Hear that the callback ended: no way out any more, and no trees, which are large.

        Whoever asks for one still gets a new one.
        """
        self._fetch = self._tree = self._selector = None

    def prepare(self) -> None:
        """Decode the body, and parse it if it is HTML: what takes long of a large one."""
        self._read()
        _ = self.tree

    def leave_unparsed(self) -> LexborHTMLParser:
        """Have an empty tree: `css` and `links` find nothing."""
        if self.is_html:
            log.warning("not parsed, as it takes too much: %s", self.url)
        self._is_html, self._tree = False, parse_html(b"")
        return self._tree

    def _read(self) -> tuple[str, bytes]:
        """Return the encoding, and the body in UTF-8, where what was malformed may still be so."""
        if self._utf8 is None:
            self._utf8 = utf8_with_name(self.body, self.headers.get("Content-Type"))
        return self._utf8

    def _in_utf8(self) -> bytes:
        return self._read()[1]

    def follows(self, exchanges: tuple[Exchange, ...], release: Callable[[], None]) -> None:
        """Have the exchanges of the redirects that led here; `release` gives back their room."""
        own = self._release

        def release_all() -> None:
            release()
            if own is not None:
                own()

        self.exchanges, self._release = (*exchanges, *self.exchanges), release_all

    def release(self) -> None:
        """Give back the room this body took in `memory_bytes`; more than once is fine."""
        release, self._release = self._release, None
        if release is not None:
            release()
        for response in self.fetched:
            response.release()
