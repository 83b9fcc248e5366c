"""Which pages a crawl got, and whether they are those another one got."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import msgspec

_NAMED = 3


class Item(msgspec.Struct, frozen=True):
    """The line that every crawler writes of a page."""

    url: str
    title: str
    links: int


def items_in(file: Path) -> list[Item]:
    """Return the items of a JSON lines file."""
    decoder = msgspec.json.Decoder(Item)
    return [decoder.decode(line) for line in file.read_bytes().splitlines() if line]


def canonical(url: str) -> str:
    """Return a URL as all crawlers' URLs are compared: one spelling of escapes, no fragment."""
    parts = urlsplit(url)
    path = quote(unquote(parts.path or "/"), safe="/:@!$&'()*+,;=~")
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.lower()}{path}{query}"


def by_url(items: Iterable[Item]) -> dict[str, Item]:
    """Return items by their canonical URLs; the last one of each."""
    return {canonical(item.url): item for item in items}


def differences(items: Iterable[Item], *, reference: Mapping[str, Item]) -> list[str]:
    """Return how a crawl's items differ from the reference's, as sentences; none if they do not."""
    items = list(items)
    found = by_url(items)
    twice = [url for url, n in Counter(canonical(i.url) for i in items).items() if n > 1]
    other = [
        f"{url} ({_shown(found[url])}, expected {_shown(item)})"
        for url, item in reference.items()
        if url in found and _shown(found[url]) != _shown(item)
    ]
    return [
        *_named("missing", reference.keys() - found.keys()),
        *_named("not on the site", found.keys() - reference.keys()),
        *_named("crawled twice", twice),
        *_named("read differently", other),
    ]


def file_differences(folder: Path, *, reference: Iterable[str], root: Path) -> list[str]:
    """Return how a mirror in `folder` differs from the pages of the reference, by name and size.

    A mirror has one file for `/` and `/index.html`, which are two pages to whoever writes items.
    """
    wanted = {
        name: (root / name.partition("/")[2]).stat().st_size for name in map(_file, reference)
    }
    files = {str(f.relative_to(folder)): f.stat().st_size for f in folder.rglob("*.html")}
    return [
        *_named("missing", wanted.keys() - files.keys()),
        *_named("not on the site", files.keys() - wanted.keys()),
        *_named("of another size", {n for n in wanted if files.get(n, wanted[n]) != wanted[n]}),
    ]


def _file(url: str) -> str:
    parts = urlsplit(url)
    path = unquote(parts.path)
    return f"{parts.hostname}{path}{'index.html' if path.endswith('/') else ''}"


def _shown(item: Item) -> tuple[str, int]:
    return " ".join(item.title.split()), item.links


def _named(what: str, urls: Iterable[str]) -> list[str]:
    names = sorted(urls)
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{what}: {', '.join(names[:_NAMED])}{more}"]
