"""Sitemaps and feeds: the URLs a site lists.

Source: sitemaps.org/protocol.html; also RSS and Atom, which it admits.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from html.entities import html5
from itertools import islice
from typing import Final
from xml.parsers import expat

import msgspec

from crawler.errors import InvalidUrl
from crawler.parse.sitemap_entries import Entry, EntryReader, Kind, RefusedXml
from crawler.parse.sitemap_text import texts
from crawler.urls import canonicalize, without_credentials

_LONGEST_LINE: Final = 10_000
_HTML = re.compile(r"<(?:!doctype\s+)?html\b", re.IGNORECASE)
# The commonest fault of sitemaps: a query's "&" written as it is; and an entity of HTML.
_BARE_AMPERSAND = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)([A-Za-z][A-Za-z0-9]{1,30};)?"
)


class Sitemap(msgspec.Struct, frozen=True):
    """What could be read of a sitemap; an `index` lists other sitemaps.

    `truncated`: the rest was cut off, broken, or past 50 MB.
    """

    kind: Kind
    entries: tuple[Entry, ...] = ()
    truncated: bool = False


def parse(body: bytes, url: str = "") -> Sitemap:
    """Read a sitemap, a sitemap index, a list of URLs or a feed, gzipped or not.

    Never raises: what is unreadable is left out, entities are not expanded, and a DOCTYPE with
    declarations of its own ends it. Text without markup is taken as one URL a line. `url` is what
    relative links are resolved against.
    """
    listing = Listing(body, url)
    entries = tuple(listing)
    return Sitemap(listing.kind, entries, listing.truncated)


class Listing:
    """Reads a sitemap as `parse` does, but a megabyte at a time: iterate over it once.

    Then `fault` says what is wrong with it, if anything is, and `invalid` how many of its entries
    have no URL.
    """

    def __init__(self, body: bytes, url: str = "") -> None:
        self.kind: Kind = "urlset"
        self.truncated = False
        self.fault: str | None = None
        self.invalid = 0
        self._body = body
        self._url = url
        self._may_be_mended = False

    def __iter__(self) -> Iterator[Entry]:
        given = 0
        for entry in self._read(mends=False):
            yield entry
            given += 1
        if self._may_be_mended:
            for entry in islice(self._read(mends=True), given, None):
                yield entry
                given += 1
        if not given and self.fault is None:
            self.fault = "it lists nothing"

    def _read(self, *, mends: bool) -> Iterator[Entry]:
        self.truncated, self.fault, self.invalid = False, None, 0
        pieces = self._pieces()
        first = next(pieces, "")
        if not first.startswith("<"):
            self.kind = "text"
            yield from self._lines(_chained(first, pieces))
            return
        reader = EntryReader(self._url)
        for piece in _cut_at_tags(_chained(first, pieces)) if mends else _chained(first, pieces):
            if mends and "<![CDATA[" in piece:
                self._fail("not well-formed: a bare &")  # what is bare in there is right
                break
            try:
                reader.feed(_BARE_AMPERSAND.sub(_mended, piece) if mends else piece)
            except (expat.ExpatError, RefusedXml) as error:
                self._fail(str(error))
                self._may_be_mended = (
                    not mends
                    and isinstance(error, expat.ExpatError)
                    and bool(_BARE_AMPERSAND.search(piece))
                )
            self.kind, self.invalid = reader.kind, reader.invalid
            yield from reader.taken()
            if reader.is_broken:
                break
        else:
            if not reader.end():
                self._fail("it is cut off")
            yield from reader.taken()
        if _HTML.match(first):
            self.fault = "it is an HTML page"
        elif reader.root:
            self.fault = f"its root element is <{reader.root}>"

    def _fail(self, fault: str) -> None:
        self.truncated = True
        self.fault = self.fault or fault

    def _pieces(self) -> Iterator[str]:
        """Text without what may stand before the markup; notes if something is missing."""
        has_begun = False
        for piece in texts(self._body, cut=self._cut):
            text = piece if has_begun else piece.lstrip("\ufeff").lstrip()
            if text:
                has_begun = True
                yield text

    def _cut(self) -> None:
        self._fail("it is cut off, or larger than 50 MB")

    def _lines(self, pieces: Iterable[str]) -> Iterator[Entry]:
        begun = ""
        for piece in pieces:
            *lines, begun = (begun[: _LONGEST_LINE + 1] + piece).splitlines(keepends=True) or [""]
            yield from self._entries(lines)
        yield from self._entries([begun])

    def _entries(self, lines: Iterable[str]) -> Iterator[Entry]:
        for line in filter(None, map(str.strip, lines)):
            try:
                if len(line) <= _LONGEST_LINE:
                    yield Entry(without_credentials(canonicalize(line)))
                    continue
            except InvalidUrl:
                pass
            self.invalid += 1


def _mended(reference: re.Match[str]) -> str:
    """Return what a bare ampersand, or an entity that is of HTML only, stands for."""
    name = reference[1] or ""
    return escape(html5[name]) if name in html5 else f"&amp;{name}"


def _chained(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _cut_at_tags(pieces: Iterable[str]) -> Iterator[str]:
    """Cut behind tags, where no reference is cut in two."""
    begun = ""
    for piece in pieces:
        at = piece.rfind(">") + 1
        yield begun + piece[:at]
        begun = piece[at:]
    yield begun
