"""Entries of an XML sitemap or feed, as they come by."""

from html.entities import html5
from typing import Final, Literal
from xml.parsers import expat

import msgspec

from crawler.errors import InvalidUrl
from crawler.urls import SCHEMES, canonicalize, join, without_credentials

Kind = Literal["urlset", "index", "text", "feed"]

_KINDS: Final[dict[str, Kind]] = {
    "urlset": "urlset",
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
    "guid": "guid",
    "lastmod": "lastmod",
    "pubdate": "lastmod",
    "date": "lastmod",
    "updated": "lastmod",
    "changefreq": "changefreq",
    "priority": "priority",
}
_DEEPEST: Final = 100
_LONGEST_FIELD: Final = 10_000
_LONGEST_NAME: Final = 40
# Expat keeps every name it met: three million attributes are 800 MB, and hold the loop for 6 s.
_MOST_NAMES: Final = 1_000
_LONGEST_TOKEN: Final = 1_000_000


class Entry(msgspec.Struct, frozen=True):
    """One URL of a sitemap, canonical, with what the site says of it, in its own words.

    `alternates` are the same page in other languages; `lastmod` is not checked to be a date.
    """

    url: str
    lastmod: str | None = None
    changefreq: str | None = None
    priority: float | None = None
    alternates: tuple[str, ...] = ()


class RefusedXml(Exception):
    """The document declares entities, or has no end of something: only an attack does so here."""


class EntryReader:
    """Collects entries from expat's events; builds no tree, so memory holds the entries only.

    `feed` raises `ExpatError` and `RefusedXml`; then it `is_broken`, and what stood before the
    fault can be `taken`. `invalid` are entries with what is no URL; `root` is the name of a root
    element that is none of a sitemap, "" otherwise.
    """

    def __init__(self, url: str) -> None:
        self.kind: Kind = "urlset"
        self.root = ""
        self.invalid = 0
        self.is_broken = False
        self._entries: list[Entry] = []
        self._path: list[str] = []
        self._names: set[str] = set()
        self._since_markup = 0
        self._bases: list[tuple[int, str]] = [(0, url)] if url else []
        self._entry = 0  # depth of the entry being read; only its children are its fields
        self._fields: dict[str, str] = {}
        self._alternates: list[str] = []
        self._text: list[str] = []
        self._room = 0
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._hear
        parser.SkippedEntityHandler = self._hear_entity
        parser.StartDoctypeDeclHandler = _judge_doctype

    def feed(self, text: str) -> None:
        """Read some more text.

        In large pieces: older expats scan a long token anew with each of them.
        """
        at = text.rfind("<")
        self._since_markup = len(text) - at if at >= 0 else self._since_markup + len(text)
        try:
            if self._since_markup > _LONGEST_TOKEN:
                raise RefusedXml("a tag or text without end")
            self._parser.Parse(text.encode("utf-8", "replace"), False)
        except BaseException:
            self.is_broken = True
            raise

    def end(self) -> bool:
        """Hear that there is no more; False if there should be."""
        try:
            self._parser.Parse(b"", True)
        except (expat.ExpatError, RefusedXml):
            return False
        return True

    def taken(self) -> list[Entry]:
        """Return the entries since the last call."""
        taken, self._entries = self._entries, []
        return taken

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2].lower()
        path = self._path
        if not path:
            self.kind = _KINDS.get(name, "urlset")
            self.root = "" if name in _KINDS else name[:_LONGEST_NAME]
        elif len(path) >= _DEEPEST:
            raise RefusedXml("its elements nest too deep")
        self._names.update((tag, *attributes))
        if len(self._names) > _MOST_NAMES:
            raise RefusedXml("it has too many kinds of elements")
        if "xml:base" in attributes:
            self._enter_base(attributes["xml:base"])
        if self._entry == 0 and name in _ENTRIES:
            self._entry = len(path) + 1
            self._fields, self._alternates = {}, []
        elif 0 < self._entry == len(path):
            if name == "link" and "href" in attributes:
                self._link(attributes)
            elif name == "guid" and attributes.get("isPermaLink", "true") != "true":
                name = "no permalink"
        path.append(name)
        self._text.clear()
        self._room = _LONGEST_FIELD

    def _hear(self, text: str) -> None:
        if self._room > 0:
            self._text.append(text[: self._room])
            self._room -= len(text)

    def _hear_entity(self, name: str, is_parameter: bool | int) -> None:
        """What a DTD that is not fetched declares: HTML's, or nobody's."""
        if not is_parameter:
            self._hear(html5.get(f"{name};", f"&{name};"))

    def _enter_base(self, base: str) -> None:
        if url := self._resolved(base):
            self._bases.append((len(self._path), url))

    def _resolved(self, text: str) -> str | None:
        """What a link leads to; relative ones are in feeds by right, in sitemaps by mistake."""
        text = text.strip()
        try:
            if not text or text.startswith(SCHEMES) or not self._bases:
                url = canonicalize(text)
            else:
                url = join(self._bases[-1][1], text)
        except InvalidUrl:
            return None
        return without_credentials(url)

    def _link(self, attributes: dict[str, str]) -> None:
        """Atom's `<link href>`, or a sitemap's `<xhtml:link rel="alternate" href>`."""
        if attributes.get("rel", "alternate") != "alternate":
            return
        url = self._resolved(attributes["href"])
        if url is not None and self._path[-1] == "entry":
            self._fields.setdefault("url", url)
        elif url is not None:
            self._alternates.append(url)

    def _end(self, _tag: str) -> None:
        name = self._path.pop()
        depth = len(self._path)
        if depth + 1 == self._entry:
            self._entry = 0
            self._add()
        elif 0 < self._entry == depth and name in _FIELDS:
            text = "".join(self._text).strip()
            if text and self._room > 0:
                self._fields.setdefault(_FIELDS[name], text)
        self._text.clear()
        while self._bases and self._bases[-1][0] >= max(depth, 1):
            self._bases.pop()

    def _add(self) -> None:
        fields, self._fields = self._fields, {}
        text = fields.get("url") or fields.get("guid", "")
        url = self._resolved(text)
        if url is None:
            self.invalid += bool(text)
            return
        self._entries.append(
            Entry(
                url,
                fields.get("lastmod"),
                fields.get("changefreq"),
                _priority(fields.get("priority", "")),
                tuple(self._alternates),
            )
        )


def _priority(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _judge_doctype(
    _name: str, _system: str | None, _public: str | None, has_subset: bool | int
) -> None:
    # RSS 0.91 has one that names its DTD, which is never fetched. Nobody else declares anything.
    if has_subset:
        raise RefusedXml("a DOCTYPE with declarations of its own")
