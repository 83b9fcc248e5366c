"""Text that a spreadsheet would run, and what stops it."""

import re
from typing import Final

# OWASP, "CSV Injection": = + - @, their full-width forms, TAB and CR begin a formula or hide one.
# What is blank or invisible before a sign is trimmed by some programs. An apostrophe belongs in
# front of what has some already too: else nobody could tell ours from those that were there.
_FORMULA: Final = re.compile(
    r"'*(?:[\t\r]|[\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠])"
)
# -5, +49 30 1234, 1.5e-3: nothing in it can name a function, a cell or a program.
_NUMBER: Final = re.compile(r"'*\s*[+-][0-9 .,]*(?:[eE][+-]?[0-9]+)?")


def is_formula(text: str) -> bool:
    """True for text that a spreadsheet might run; a sign with a number, or alone, is none."""
    if not text or text[0].isalnum():
        return False
    found = _FORMULA.match(text)
    return found is not None and (found[0][-1] in "\t\r" or not _NUMBER.fullmatch(text))


def escaped(text: str) -> str:
    """Return a cell's text with an apostrophe in front if a spreadsheet might run it.

    >>> escaped("=1+1"), escaped("-5"), escaped("it's")
    ("'=1+1", '-5', "it's")
    """
    return f"'{text}" if is_formula(text) else text


def unescaped(cell: str) -> str:
    """Return the text of a cell that `escaped` made.

    >>> unescaped("'=1+1"), unescaped("'tis")
    ('=1+1', "'tis")
    """
    return cell[1:] if cell.startswith("'") and is_formula(cell) else cell
