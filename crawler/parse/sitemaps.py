"""Sitemaps and feeds: the URLs a site lists.

Source: sitemaps.org/protocol.html; also RSS and Atom, which it admits.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final
from xml.parsers import expat

import msgspec

from crawler.errors import InvalidUrl
from crawler.parse.sitemap_entries import Entry, EntryReader, Kind, RefusedXml
from crawler.parse.sitemap_text import texts
from crawler.urls import canonicalize, without_credentials

_LONGEST_LINE: Final = 10_000
# The commonest fault of sitemaps: a query's "&" written as it is.
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)")


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
    relative links of a feed are resolved against.
    """
    listing = Listing(body, url)
    entries = tuple(listing)
    return Sitemap(listing.kind, entries, listing.truncated)


class Listing:
    """Reads a sitemap as `parse` does, but a megabyte at a time: iterate over it once."""

    def __init__(self, body: bytes, url: str = "") -> None:
        self.kind: Kind = "urlset"
        self.truncated = False
        self._body = body
        self._url = url
        self._may_be_mended = False

    def __iter__(self) -> Iterator[Entry]:
        given = 0
        for entry in self._read(mends=False):
            yield entry
            given += 1
        if self._may_be_mended:
            yield from islice(self._read(mends=True), given, None)

    def _read(self, *, mends: bool) -> Iterator[Entry]:
        self.truncated = False
        pieces = self._pieces()
        first = next(pieces, "")
        if not first.startswith("<"):
            self.kind = "text"
            yield from _lines(_chained(first, pieces))
            return
        reader = EntryReader(self._url)
        for piece in _cut_at_tags(_chained(first, pieces)) if mends else _chained(first, pieces):
            if mends and "<![CDATA[" in piece:
                self.truncated = True  # what is bare in there is right
                break
            try:
                reader.feed(_BARE_AMPERSAND.sub("&amp;", piece) if mends else piece)
            except (expat.ExpatError, RefusedXml) as error:
                self.truncated = True
                self._may_be_mended = (
                    not mends
                    and isinstance(error, expat.ExpatError)
                    and bool(_BARE_AMPERSAND.search(piece))
                )
            self.kind = reader.kind
            yield from reader.taken()
            if self.truncated and reader.is_broken:
                return
        if not reader.end():
            self.truncated = True
        yield from reader.taken()

    def _pieces(self) -> Iterator[str]:
        """Text without what may stand before the markup; notes if something is missing."""
        has_begun = False
        for piece in texts(self._body, cut=self._cut):
            text = piece if has_begun else piece.lstrip("\ufeff").lstrip()
            if text:
                has_begun = True
                yield text

    def _cut(self) -> None:
        self.truncated = True


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


def _lines(pieces: Iterable[str]) -> Iterator[Entry]:
    begun = ""
    for piece in pieces:
        *lines, begun = (begun[: _LONGEST_LINE + 1] + piece).splitlines(keepends=True) or [""]
        yield from _entries(lines)
    yield from _entries([begun])


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    for line in lines:
        if len(line) > _LONGEST_LINE:
            continue
        try:
            yield Entry(without_credentials(canonicalize(line.strip())))
        except InvalidUrl:
            continue
