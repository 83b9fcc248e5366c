"""Words of others, made harmless for logs, terminals and files."""


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
    """Return text with single spaces between its words, and nothing harmful in them."""
    return harmless(" ".join(text.split()))


def clean_lines(text: str) -> str:
    """Return text whose lines are harmless each, and all but the first one indented.

    So no line of a page's own can be taken for a line of the log.
    """
    if text.isprintable():
        return text
    return "\n    ".join(map(harmless, text.rstrip("\n").split("\n")))
