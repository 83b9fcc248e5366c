"""What a page says of itself, for machines."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser

from crawler.parse.directives import resolved
from crawler.parse.json_ld import Thing, things_in
from crawler.parse.microdata import microdata_of

_SCRIPTS: Final = 'script[type^="application/ld+json" i]'
_GRAPHS: Final = ("og:", "article:", "book:", "profile:", "music:", "video:", "product:", "fb:")
_META_URLS: Final = re.compile(
    r"og:(?:url|(?:image|video|audio)(?::(?:secure_)?url)?)|twitter:image(?::src)?"
)
# Of schema.org, where text is never anything but a URL.
_THING_URLS: Final = frozenset(
    ("url", "image", "logo", "contentUrl", "embedUrl", "thumbnailUrl", "sameAs")
)


class Metadata(Struct, frozen=True):
    """What a page says of itself for machines; JSON, so it may be a field of an item.

    `meta` and `opengraph` (`og:title`, `article:author` …) have the first of each name.
    `json_ld` are the objects of its scripts, `microdata` its items in the same shape. Relative URLs
    are joined to the page's base, except for `@id`.
    """

    title: str | None
    language: str | None
    meta: dict[str, str]
    opengraph: dict[str, str]
    json_ld: list[Thing]
    microdata: list[Thing]

    def of_type(self, *names: str) -> list[Thing]:
        """Return all objects of a type (`"Product"`), also in `@graph` and in each other.

        JSON-LD first, and outer before inner ones. Types have no subtypes here: name those too.
        """
        wanted = {_short(name) for name in names}
        return [
            thing
            for things in (self.json_ld, self.microdata)
            for thing in _all_of(things)
            if not wanted.isdisjoint(_types(thing))
        ]


def metadata_of(tree: LexborHTMLParser, base: str) -> tuple[Metadata, int]:
    """Return a document's metadata, and how many scripts of JSON-LD could not be read."""
    read = [things_in(script.text(deep=True)) for script in tree.css(_SCRIPTS)]
    things = [thing for found in read for thing in found or ()]
    for thing in _all_of(things):
        _join_urls(thing, base)
    meta: dict[str, str] = {}
    opengraph: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
        value = (attributes["content"] or "").strip()
        if _META_URLS.fullmatch(name):
            value = resolved(base, value) or value
        if name:
            (opengraph if name.startswith(_GRAPHS) else meta).setdefault(name, value)
    title, root = tree.css_first("title"), tree.root
    metadata = Metadata(
        title=" ".join(title.text(deep=True).split()) if title is not None else None,
        language=(root.attributes.get("lang") or None) if root is not None else None,
        meta=meta,
        opengraph=opengraph,
        json_ld=things,
        microdata=microdata_of(tree, base),
    )
    return metadata, read.count(None)


def _all_of(things: list[Thing]) -> Iterator[Thing]:
    """Yield objects, and then those in them, level by level."""
    waiting: deque[Any] = deque(things)
    while waiting:
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(inner for inner in value.values() if isinstance(inner, dict | list))
        else:
            waiting.extend(inner for inner in value if isinstance(inner, dict | list))


def _join_urls(thing: Thing, base: str) -> None:
    for name in _THING_URLS & thing.keys():
        value = thing[name]
        if isinstance(value, str):
            thing[name] = resolved(base, value.strip()) or value
        elif isinstance(value, list):
            thing[name] = [
                (resolved(base, one.strip()) or one) if isinstance(one, str) else one
                for one in value
            ]


def _types(thing: Thing) -> set[str]:
    kinds = thing.get("@type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return {_short(kind) for kind in listed if isinstance(kind, str)}


def _short(kind: str) -> str:
    """Return `Product` for `https://schema.org/Product` and `schema:Product`."""
    return re.split(r"[/#:]", kind)[-1]
