"""Items as XML."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec
from msgspec import Raw

from crawler.errors import TargetUnfit
from crawler.export.sheet import Sheet
from crawler.export.text_file import TextFile, text_kept

_OPENING = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<items xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)
_CLOSING = b"</items>\n"
_TYPE = "_type"
# XML 1.0 2.2: no other character can be in a document, not even as a reference.
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# XML 1.0 2.3 as of its fourth edition, which parsers (expat) still hold to, and not all of that:
# names in scripts that sites use, without ":", which namespaces have, and "xml" at the beginning.
_LETTERS = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\xff\u0388-\u038a\u038e-\u03a1\u03a3-\u03ce\u0401-\u040c"
    "\u040e-\u044f\u0451-\u045c\u045e-\u0481\u05d0-\u05ea\u0621-\u063a\u0641-\u064a"
    "\u0905-\u0939\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"
)
_NAME = re.compile(f"(?!(?i:xml))[{_LETTERS}][{_LETTERS}0-9.-]*")
_TO_BE_ESCAPED = re.compile(f"[&<>\r]|{_NO_CHARACTER.pattern}")
# A parser makes a bare CR a line feed (XML 1.0 2.11).
_REFERENCES = {"\r": "&#13;"}
# libxml2 reads 256 levels.
_MOST_DEEP = 100


_CACHED = 1024


def _as_it_stands(number: str) -> Raw:
    return Raw(number.encode())


_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=_as_it_stands)


class XmlItems:
    """A file of `<items>`, each an `<item>` of an element per field; well-formed at all times.

    Lists are `<value>` elements, objects elements by their keys. null has `xsi:nil="true"`. A key
    that is no name of XML is `<field name="…">`. Where there are characters that XML cannot hold
    `�` is in their place, and the attribute `json`, or `json-name`, has the text with them; what is
    deeper than 100 levels is in `json` only.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._file = TextFile(sheet, opening=_OPENING, closing=_CLOSING)
        self._tagged = sheet.tagged

    def write(self, lines: Sequence[bytes]) -> None:
        """Add `lines`."""
        try:
            items = [_decoder.decode(line) for line in lines]
        except ValueError as error:
            raise TargetUnfit(f"{self._file.path}: no item that fits XML: {error}") from None
        pieces: list[str] = []
        for item in items:
            kind = f" type={_quoted(item.pop(_TYPE))}" if self._tagged else ""
            pieces.append(f"<item{kind}>")
            for key, value in item.items():
                _add(pieces, key, value, depth=3)
            pieces.append("</item>\n")
        self._file.write(["".join(pieces).encode()])

    def flush(self) -> bytes:
        """Return the state to go on from."""
        return self._file.flush()

    def close(self) -> None:
        """Close the file; it is complete as it is."""
        self._file.close()


def xml_kept(path: Path, sheet: Sheet) -> int:
    """Return what stays of a file that is appended to: all but its closing.

    Raises `OutputError` if it was not written so.
    """
    return text_kept(path, sheet, opening=_OPENING, closing=_CLOSING)


def _add(pieces: list[str], key: str, value: Any, *, depth: int) -> None:
    """Add what a field comes to in XML."""
    name, start = _tag(key)
    if isinstance(value, str):
        exact = ""
        if _TO_BE_ESCAPED.search(value):
            exact, value = _escaped(value)
        pieces.append(f"{start}{exact}>{value}</{name}>" if value else f"{start}/>")
    elif value is None:
        pieces.append(f'{start} xsi:nil="true"/>')
    elif not isinstance(value, dict | list):
        pieces.append(f"{start}>{_number(value)}</{name}>")
    elif not value:
        pieces.append(f"{start}/>")
    elif depth >= _MOST_DEEP:
        pieces.append(f"{start} json={_quoted(_json(value))}/>")
    else:
        pieces.append(f"{start}>")
        pairs = value.items() if isinstance(value, dict) else (("value", one) for one in value)
        for inner_key, inner in pairs:
            _add(pieces, inner_key, inner, depth=depth + 1)
        pieces.append(f"</{name}>")


@lru_cache(_CACHED)
def _tag(key: str) -> tuple[str, str]:
    """Return the element's name for a key, and the beginning of its tag."""
    if _NAME.fullmatch(key):
        return key, f"<{key}"
    exact = f" json-name={_quoted(_json(key))}" if _NO_CHARACTER.search(key) else ""
    return "field", f"<field name={_quoted(key)}{exact}"


def _escaped(text: str) -> tuple[str, str]:
    """Return an attribute that has a text exactly, if its element cannot, and the text in that."""
    exact = f" json={_quoted(_json(text))}" if _NO_CHARACTER.search(text) else ""
    return exact, escape(_shown(text), _REFERENCES)


def _number(value: bool | int | Raw) -> str:
    """Return a number, true or false as JSON has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else bytes(value).decode()


def _quoted(text: str) -> str:
    # Attributes have white space made blanks, unless it is a reference: quoteattr knows these.
    return quoteattr(_shown(text))


def _shown(text: str) -> str:
    return _NO_CHARACTER.sub("\ufffd", text)


def _json(value: Any) -> str:
    """Return JSON that XML can hold, whatever is in it."""
    text = msgspec.json.encode(value).decode()
    return _NO_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
