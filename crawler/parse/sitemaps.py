"""Sitemaps and feeds: the URLs a site lists.

Source: sitemaps.org/protocol.html; also RSS and Atom, which it admits.
"""

import re
from typing import Final, Literal
from xml.parsers import expat

import msgspec
from isal import isal_zlib
from isal.igzip_lib import IsalError

from crawler.errors import InvalidUrl
from crawler.parse.encoding import decode
from crawler.urls import canonicalize, without_credentials

Kind = Literal["urlset", "index", "text", "feed"]

_MAX_BYTES = 50_000_000
_CHUNK_BYTES = 65_536

_KINDS: Final[dict[str, Kind]] = {
    "sitemapindex": "index",
    "rss": "feed",
    "feed": "feed",
    "rdf": "feed",
}
_ENTRIES: Final = frozenset(("url", "sitemap", "item", "entry"))
# An entry's child: the field it fills.
_FIELDS: Final = {
    "loc": "url",
    "link": "url",
    "lastmod": "lastmod",
    "pubdate": "lastmod",
    "date": "lastmod",
    "updated": "lastmod",
    "changefreq": "changefreq",
    "priority": "priority",
}
# The commonest fault of sitemaps: a query's "&" written as it is.
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)")


class Entry(msgspec.Struct, frozen=True):
    """One URL of a sitemap, canonical, with what the site says of it, in its own words.

    `alternates` are the same page in other languages; `lastmod` is not checked to be a date.
    """

    url: str
    lastmod: str | None = None
    changefreq: str | None = None
    priority: float | None = None
    alternates: tuple[str, ...] = ()


class Sitemap(msgspec.Struct, frozen=True):
    """What could be read of a sitemap; an `index` lists other sitemaps.

    `truncated`: the rest was cut off, broken, or past 50 MB.
    """

    kind: Kind
    entries: tuple[Entry, ...] = ()
    truncated: bool = False


def parse(body: bytes) -> Sitemap:
    """Read a sitemap, a sitemap index, a list of URLs or a feed, gzipped or not.

    Never raises: what is unreadable is left out, entities are not expanded. Text without markup
    is taken as one URL a line.
    """
    body, cut = _unzipped(body)
    text = decode(body, "application/xml").lstrip()
    if not text.startswith("<"):
        return Sitemap("text", _lines(text), cut)
    reader = _Reader()
    whole = reader.read(text)
    if not whole and "<![CDATA[" not in text and _BARE_AMPERSAND.search(text):
        second = _Reader()
        whole = second.read(_BARE_AMPERSAND.sub("&amp;", text))
        reader = max(second, reader, key=lambda tried: len(tried.entries))
    return Sitemap(reader.kind, tuple(reader.entries), cut or not whole)


def _unzipped(body: bytes) -> tuple[bytes, bool]:
    """The body decompressed as far as it goes, and whether something is missing."""
    if not body.startswith(b"\x1f\x8b"):
        return body[:_MAX_BYTES], len(body) > _MAX_BYTES
    parts: list[bytes] = []
    room = _MAX_BYTES
    gunzip = isal_zlib.decompressobj(wbits=31)
    for start in range(0, len(body), _CHUNK_BYTES):
        try:
            part = gunzip.decompress(body[start : start + _CHUNK_BYTES], room)
        except IsalError:  # type: ignore[misc]  # its stubs take the class for an instance
            break
        parts.append(part)
        room -= len(part)
        if gunzip.eof or room <= 0:
            break
    return b"".join(parts), not gunzip.eof


def _lines(text: str) -> tuple[Entry, ...]:
    urls = (_url(line) for line in text.splitlines())
    return tuple(Entry(url) for url in urls if url)


def _url(text: str) -> str | None:
    try:
        return without_credentials(canonicalize(text.strip()))
    except InvalidUrl:
        return None


def _priority(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


class _Reader:
    """Collects entries from expat's events; builds no tree, so memory holds the entries only."""

    def __init__(self) -> None:
        self.kind: Kind = "urlset"
        self.entries: list[Entry] = []
        self._path: list[str] = []
        self._entry = 0  # depth of the entry being read; only its children are its fields
        self._fields: dict[str, str] = {}
        self._alternates: list[str] = []
        self._text: list[str] = []

    def read(self, text: str) -> bool:
        """True if `text` was read to its end."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = _refuse_entity
        try:
            # In one piece: fed in parts, older expats scan a long token anew with each of them.
            parser.Parse(text.encode("utf-8", "replace"), True)
        except (expat.ExpatError, _EntityError):
            return False
        return True

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2].lower()
        if not self._path:
            self.kind = _KINDS.get(name, "urlset")
        if self._entry == 0 and name in _ENTRIES:
            self._entry = len(self._path) + 1
            self._fields, self._alternates = {}, []
        elif name == "link" and 0 < self._entry == len(self._path) and "href" in attributes:
            self._link(attributes)
        self._path.append(name)
        self._text.clear()

    def _link(self, attributes: dict[str, str]) -> None:
        """Atom's `<link href>`, or a sitemap's `<xhtml:link rel="alternate" href>`."""
        if attributes.get("rel", "alternate") != "alternate":
            return
        if self._path[-1] == "entry":
            self._fields.setdefault("url", attributes["href"])
        elif url := _url(attributes["href"]):
            self._alternates.append(url)

    def _end(self, _tag: str) -> None:
        name = self._path.pop()
        if len(self._path) + 1 == self._entry:
            self._entry = 0
            self._add()
        elif 0 < self._entry == len(self._path) and name in _FIELDS:
            text = "".join(self._text).strip()
            if text:
                self._fields.setdefault(_FIELDS[name], text)
        self._text.clear()

    def _add(self) -> None:
        fields, self._fields = self._fields, {}
        url = _url(fields.get("url", ""))
        if url is None:
            return
        self.entries.append(
            Entry(
                url,
                fields.get("lastmod"),
                fields.get("changefreq"),
                _priority(fields.get("priority", "")),
                tuple(self._alternates),
            )
        )


class _EntityError(Exception):
    """The document declares entities, which nothing but an attack does here."""


def _refuse_entity(*_declaration: object) -> None:
    raise _EntityError
