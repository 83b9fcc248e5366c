"""Words of others, made harmless for logs, terminals and files."""

import re
from typing import Final

# Where user and password would begin, also as browsers forgive it: "http:\me:secret@host".
_AUTHORITY: Final = re.compile(r"(?:https?:)?[/\\]{2,}|https?:[/\\]?", re.IGNORECASE)
_LONGEST_LINE: Final = 10_000
_LONGEST_TEXT: Final = 100_000


def harmless(text: str, *, also: str = "\t") -> str:
    r"""Return text without what forges a line, drives a terminal, or is no text at all.

    Control characters (ESC, newline, C1), separators of lines (U+2028), what turns the direction
    of writing or has no width, and lone surrogates become U+FFFD; but for those in `also`.

    >>> harmless("a\x1b[2J\nerror: \u202eb")
    'a�[2J�error: �b'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in also else "\ufffd" for c in text)


def one_line(text: str) -> str:
    """Return text with single spaces between its words, and nothing harmful in them.

    Of a long text, which may be a page, it is the first 10,000 characters.
    """
    return harmless(" ".join(_cut(text, _LONGEST_LINE).split()))


def clean_lines(text: str) -> str:
    """Return text whose lines are harmless each, and all but the first one indented.

    So no line of a page's own can be taken for a line of the log. Of a long text it is the first
    100,000 characters.
    """
    text = _cut(text, _LONGEST_TEXT)
    if text.isprintable():
        return text
    return "\n    ".join(map(harmless, text.rstrip("\n").split("\n")))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def starred(text: str) -> str:
    """Cut out what may be a password: in text that no parser takes, all up to the last "@"."""
    head, at, rest = text.rpartition("@")
    start = _AUTHORITY.search(head) if at else None
    return f"{head[: start.end()]}***@{rest}" if start else text
