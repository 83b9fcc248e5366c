"""The text of an element as its reader sees it."""

from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborNode

# Where a browser begins a new line, words on both sides are two words.
BREAKS: Final = frozenset(
    [
        *("address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details"),
        *("dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "legend", "li", "main"),
        *("menu", "nav", "ol", "optgroup", "option", "p", "pre", "search", "section", "summary"),
        *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    ]
)
UNSEEN: Final = frozenset(("head", "script", "style", "template"))


def seen(root: LexborNode) -> str:
    """Text as innerText has it, on one line: breaks are blanks, script and style are left out."""
    only = root.first_child
    if only is not None and only.next is None and only.tag == "-text":
        return " ".join(only.text_lexbor().split())
    return " ".join("".join(_pieces(only)).split())


def _pieces(node: LexborNode | None) -> Iterator[str]:
    """Text of `node`, its next siblings and all in them, by a stack: pages nest without limit."""
    after: list[tuple[LexborNode | None, str]] = []
    while node is not None or after:
        if node is None:
            node, space = after.pop()
            yield space
            continue
        tag = node.tag or ""
        if tag == "-text":
            yield node.text_lexbor()
        elif tag not in UNSEEN and node.first_child is not None:
            space = " " if tag in BREAKS else ""
            yield space
            after.append((node.next, space))
            node = node.first_child
            continue
        elif tag in BREAKS:
            yield " "
        node = node.next
