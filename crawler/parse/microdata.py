"""Microdata, in the shape of JSON-LD."""

from typing import Any, Final

from msgspec import Struct, field
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.parse.directives import resolved
from crawler.parse.json_ld import Thing
from crawler.parse.nodes import Element

_SCHEMA: Final = ("https://schema.org/", "http://schema.org/")
_CONTEXT: Final = "https://schema.org"
# HTML 5.2.4, "the value of a property".
_URLS: Final = {
    **dict.fromkeys(("audio", "embed", "iframe", "img", "source", "track", "video"), "src"),
    **dict.fromkeys(("a", "area", "link"), "href"),
    "object": "data",
}
_VALUES: Final = {"data": "value", "meter": "value", "meta": "content"}
_DEEPEST: Final = 50
# What is looked at again: elements and characters of a property, for each property around it, each
# of its names, and each item that refers to it. 100 large products have 20,000.
_MOST_AGAIN: Final = 4_000_000
_REFERENCE: Final = 10


class _Item(Struct, eq=False):
    attributes: dict[str, str | None]
    properties: "list[_Property]" = field(default_factory=list)
    is_placed: bool = False


class _Property(Struct, eq=False):
    names: list[str]
    owner: _Item | None
    value: str | _Item = ""


class _Range(Struct, eq=False):
    """The properties inside an element that has an id."""

    owner: _Item | None
    first: int
    last: int = 0


def microdata_of(tree: LexborHTMLParser, base: str) -> list[Thing]:
    """Return a page's items as JSON-LD would have them, URLs joined to `base`.

    A single value is not in a list. An item is in one place only, at most 50 deep; what is deeper
    comes by itself.
    """
    marked = {node.mem_id for node in tree.css("[itemscope],[itemprop]")}
    if tree.root is None or not marked:
        return []
    wanted = {
        name
        for node in tree.css("[itemscope][itemref]")
        for name in (node.attributes["itemref"] or "").split()
    }
    reading = _Reading(marked, wanted, base)
    reading.walk(tree.root)
    return reading.things()


class _Reading:
    """Reads a page once, from its first element to its last one."""

    def __init__(self, marked: set[int], wanted: set[str], base: str) -> None:
        self._marked = marked
        self._wanted = wanted
        self._base = base
        self._items: list[_Item] = []
        self._properties: list[_Property] = []
        self._ranges: dict[str, _Range] = {}
        self._again = 0

    def walk(self, root: LexborNode) -> None:
        """Find items, and the properties of each: those that no item between them has."""
        owner: _Item | None = None
        seen = 0
        above: list[tuple[LexborNode, _Item | None, _Property | None, _Range | None, int]] = []
        node: LexborNode | None = root
        while True:
            if node is None:
                if not above:
                    return
                ended, owner, found, extent, before = above.pop()
                if found is not None and not isinstance(found.value, _Item):
                    found.value = self._value(ended, seen - before)
                if extent is not None:
                    extent.last = len(self._properties)
                node = ended.next if above else None
                continue
            seen += 1
            child = node.first_child
            is_marked = node.mem_id in self._marked
            if child is None and not is_marked and not self._wanted:
                node = node.next
                continue
            attributes = node.attributes if is_marked or self._wanted else {}
            extent = self._extent(attributes, owner)
            found, item = self._found(attributes, owner) if is_marked else (None, None)
            above.append((node, owner, found, extent, seen))
            owner = item or owner
            node = child

    def _extent(self, attributes: dict[str, str | None], owner: _Item | None) -> _Range | None:
        name = attributes.get("id")
        if name is None or name not in self._wanted or name in self._ranges:
            return None
        extent = self._ranges[name] = _Range(owner, len(self._properties))
        return extent

    def _found(
        self, attributes: dict[str, str | None], owner: _Item | None
    ) -> tuple[_Property | None, _Item | None]:
        found = item = None
        if "itemscope" in attributes:
            item = _Item(attributes)
            self._items.append(item)
        names = (attributes.get("itemprop") or "").split()
        if names:
            found = _Property(names, owner, item or "")
            self._properties.append(found)
            if owner is not None:
                owner.properties.append(found)
        return found, item

    def _value(self, node: LexborNode, size: int) -> str:
        tag, attributes = node.tag or "", node.attributes
        if tag in _URLS:
            href = (attributes.get(_URLS[tag]) or "").strip()
            return resolved(self._base, href) or href
        if tag in _VALUES:
            return attributes.get(_VALUES[tag]) or ""
        # `content` on any element is none of HTML's, but schema.org's own examples have it.
        named = attributes.get("datetime" if tag == "time" else "content")
        if named is not None:
            return named
        text = Element(node, self._base).text() if self._may_look(size) else ""
        return text if self._may_look(len(text)) else ""

    def _may_look(self, size: int) -> bool:
        self._again += size
        return self._again <= _MOST_AGAIN

    def things(self) -> list[Thing]:
        """Return the items that are in no other."""
        for item in self._items:
            self._refer(item)
        inner = {
            id(one.value)
            for item in self._items
            for one in item.properties
            if isinstance(one.value, _Item)
        }
        outer = [item for item in self._items if id(item) not in inner]
        made = {id(item): self._thing(item, 0) for item in outer}
        for item in self._items:  # of a circle, or too deep in others
            if not item.is_placed and id(item) not in made:
                made[id(item)] = self._thing(item, 0)
        return [made[id(item)] for item in self._items if id(item) in made]

    def _refer(self, item: _Item) -> None:
        """Add what `itemref` names: properties from elsewhere, unless another item has them."""
        for name in dict.fromkeys((item.attributes.get("itemref") or "").split()):
            extent = self._ranges.get(name)
            if extent is None:
                continue
            for one in self._properties[extent.first : extent.last]:
                if not self._may_look(_REFERENCE):
                    return
                if one.owner is extent.owner and one.owner is not item:
                    item.properties.append(one)

    def _thing(self, item: _Item, depth: int) -> Thing:
        item.is_placed = True
        thing: Thing = _head(item.attributes, self._base)
        for one in item.properties:
            value: str | Thing
            if isinstance(one.value, _Item):
                if one.value.is_placed or depth == _DEEPEST:
                    continue
                value = self._thing(one.value, depth + 1)
            else:
                value = one.value
            for name in one.names[: 1 if isinstance(value, dict) else None]:
                if self._may_look(len(value)) and not name.startswith("@"):
                    _add(thing, name, value)
        return thing


def _head(attributes: dict[str, str | None], base: str) -> Thing:
    types = (attributes.get("itemtype") or "").split()
    short = [kind.removeprefix(_SCHEMA[0]).removeprefix(_SCHEMA[1]) for kind in types]
    thing: Thing = {}
    if types and short[0] != types[0]:
        thing["@context"] = _CONTEXT
    if types:
        thing["@type"] = short[0] if len(short) == 1 else short
    if href := (attributes.get("itemid") or "").strip():
        thing["@id"] = resolved(base, href) or href
    return thing


def _add(thing: Thing, name: str, value: Any) -> None:
    if name not in thing:
        thing[name] = value
    elif isinstance(thing[name], list):
        thing[name].append(value)
    else:
        thing[name] = [thing[name], value]
