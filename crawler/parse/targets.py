"""What may be followed."""

import re
from collections.abc import Callable, Iterable
from operator import attrgetter

from yarl import URL

from crawler.errors import CallbackError
from crawler.parse.links import Link, urls_of
from crawler.parse.nodes import Element, Node

Target = str | URL | Link | Node
"""A URL (relative is fine), a link, or an element with an `href`."""

_SELECTOR = re.compile(r"[\w*-]*[.#\[][\w-][^/?]*|[\w*-]+( *> *| )[^/?]+")
_ELEMENTS = {Element}
_lexbor_of = attrgetter("lexbor")


def addresses(
    targets: Iterable[Target], *, base: str, srcset: bool, address: Callable[[object], str]
) -> list[str]:
    """Return the URLs of several targets, each once, in order; `address` has that of one."""
    if isinstance(targets, str):
        raise CallbackError(
            f"follow_all() takes several URLs, Links or Nodes, got a string; css={targets!r} ?"
        )
    targets = list(targets)
    if {*map(type, targets)} <= _ELEMENTS:
        return urls_of(map(_lexbor_of, targets), base, srcset=srcset)
    found: dict[str, None] = {}
    for target in targets:
        if isinstance(target, Node):
            found.update(dict.fromkeys(urls_of([target.lexbor], base, srcset=srcset)))
        else:
            found[address(target)] = None
    return list(found)


def is_selector(page: Node, text: str) -> bool:
    """True for `li.next a`: it selects links on the page, and is no link there itself."""
    if not _SELECTOR.fullmatch(text):
        return False
    try:
        nodes = page.css(text)
    except CallbackError:
        return False
    hrefs = (node.attributes.get("href") for node in page.lexbor.parser.css("[href]"))
    return any("href" in node.lexbor.attributes for node in nodes) and text not in hrefs


def shown(target: object) -> str:
    """Name what cannot be followed."""
    hints = {
        "Form": "a Form; form.submit() makes the request",
        "Request": "a Request; yield it as it is",
        "list": "a list; follow_all() takes several",
        "NoneType": "None",
    }
    return hints.get(type(target).__name__, repr(target))
