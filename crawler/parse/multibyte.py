"""Decodes the web's multi-byte encodings as its standard does.

Python's codecs do the work. Where they stop, the body is taken apart into what they decode and what
they do not: the characters that a codec lacks, and malformed sequences. An ASCII byte is never part
of one, so no broken lead byte swallows a quote or a "<".

An error handler would run for every malformed byte, a second for each million of them.

Source: encoding.spec.whatwg.org, the decoders of its legacy multi-byte encodings.
"""

import codecs
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from crawler.parse import big5

_BROKEN: Final = "\ufffd"
_CODECS: Final = {
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
}
# Where a codec has another character than the standard; nothing else decodes to what it has.
_OTHERWISE: Final = {
    # GB 18030 of 2022, where Python's is that of 2000.
    "gb18030": (
        "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\u1e3f"
        "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
        "\u3000\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f\ue7c7"
        "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
    ),
    "big5": ("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡"),
    "euc-jp": ("〜‖−¢£¬", "～∥－￠￡￢"),
    # Bytes that Windows decodes and the standard does not.
    "shift_jis": ("\uf8f0\uf8f1\uf8f2\uf8f3", _BROKEN * 4),
}
_SLICE: Final = 100_000
_FOUND: Final = {name: re.compile(f"[{left}]") for name, (left, _) in _OTHERWISE.items()}
_TABLES: Final = {name: str.maketrans(*pair) for name, pair in _OTHERWISE.items()}

# Bytes that lead no others; all else leads one at least.
_ALONE: Final = {
    "gb18030": rb"\x00-\x80\xff",
    "big5": rb"\x00-\x80\xff",
    "euc-jp": rb"\x00-\x8d\x90-\xa0\xff",
    "shift_jis": rb"\x00-\x80\xa0-\xdf\xfd-\xff",
    "euc-kr": rb"\x00-\x80\xff",
}
_TWO_ALONE: Final = {name: re.compile(b"[%b]{2}" % alone) for name, alone in _ALONE.items()}
_LONGER: Final = {
    "gb18030": rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]|",
    "euc-jp": rb"\x8f[\xa1-\xfe].|",
}
# Bytes that are decoded together, as far as that depends on no table: one character, with the ASCII
# behind it that is no part of it if there is no such character; or two alone.
_TOKENS: Final = {
    name: rb"%b[^%b].|.[%b]?" % (_LONGER.get(name, b""), alone, alone)
    for name, alone in _ALONE.items()
}
_TOKEN: Final = {name: re.compile(token, re.DOTALL) for name, token in _TOKENS.items()}
# What a cut body leaves of more than two bytes is one mistake to its end.
_CUT: Final = {
    "gb18030": rb"(?![\x81-\xfe][0-9][\x81-\xfe]?\Z)",
    "euc-jp": rb"(?!\x8f[\xa1-\xfe]\Z)",
}
# Some text, up to between two tokens. A codec is asked for that much before it is taken apart.
_STRETCH: Final = {
    name: re.compile(rb"(?:%b(?:%b)){1,64}+" % (_CUT.get(name, b""), token), re.DOTALL)
    for name, token in _TOKENS.items()
}
# What a codec gives a character that others have as well: two of Big5, and a "~" that is none.
_SHARED: Final = {
    "big5": {b"\xa2A": "\u2215", b"\xa2B": "\ufe68"},
    "euc-jp": {b"\x8f\xa2\xb7": "～"},
}
# Where the four bytes of GB 18030 have no characters.
_GAP: Final = (b"\x841\xa49", b"\x900\x810")
_GB_LAST: Final = b"\xe32\x9a5"


def decode(body: bytes, name: str) -> str:
    """Return `body` as text; `name` is one of the standard's legacy multi-byte encodings."""
    if name == "iso-2022-jp":
        return "".join(_iso_2022_jp(body))
    if name == "gbk":
        name = "gb18030"
    text = _whole(body, name)
    if text is None:
        text = "".join(_stretches(body, name))
    if name in _FOUND and _FOUND[name].search(text):
        # In slices: a thread that decodes 10 MB would hold all others up for 0.5 s.
        slices = (text[at : at + _SLICE] for at in range(0, len(text), _SLICE))
        text = "".join(part.translate(_TABLES[name]) for part in slices)
    return text


def _whole(part: bytes, name: str) -> str | None:
    """Return what the codec decodes as the standard does, except for `_OTHERWISE`."""
    if any(character in part for character in _SHARED.get(name, ())):
        return None
    try:
        return part.decode(_CODECS[name])
    except UnicodeDecodeError:
        return None


def _stretches(body: bytes, name: str) -> Iterator[str]:
    stretch, token, decoded = _STRETCH[name], _TOKEN[name], _decoded(name)
    at = 0
    last, text = b"", ""
    while found := stretch.match(body, at):
        if found[0] != last:  # what fills a body up is one byte over and over
            last = found[0]
            whole = _whole(last, name)
            text = (
                "".join(map(decoded.__getitem__, token.findall(last))) if whole is None else whole
            )
        yield text
        at = found.end()
    if at < len(body):  # a cut character
        yield _BROKEN


class _Decoded(dict[bytes, str]):
    """Tokens of an encoding, decoded when they first come up: up to 75,000 of 150 bytes."""

    def __init__(self, name: str) -> None:
        super().__init__(_SHARED.get(name, ()))
        self._name = name
        self._lacking = _LACKING[name]() if name in _LACKING else {}

    def __missing__(self, token: bytes) -> str:
        if len(token) == 4:  # there are a million
            if _GAP[0] < token < _GAP[1] or token > _GB_LAST:
                return _BROKEN
            return token.decode("gb18030", "replace")
        text = self[token] = self._decode(token)
        return text

    def _decode(self, token: bytes) -> str:
        if _TWO_ALONE[self._name].fullmatch(token):
            return self[token[:1]] + self[token[1:]]
        if token in self._lacking:
            return self._lacking[token]
        try:
            return token.decode(_CODECS[self._name])
        except UnicodeDecodeError:
            last = token[1:][-1:]
            return sys.intern(_BROKEN + last.decode() if last.isascii() else _BROKEN)


_decoded: Final = cache(_Decoded)


@cache
def _of_windows() -> dict[bytes, str]:
    """The rows of EUC-JP that Windows added: those of its Shift_JIS in other words."""
    return {
        bytes((row + 0xA0, cell + 0xA0)): character
        for row in (13, 89, 90, 91, 92)
        for cell in range(1, 95)
        if (character := _shift_jis(row, cell).decode("cp932", "replace"))[0] != _BROKEN
    }


def _shift_jis(row: int, cell: int) -> bytes:
    """The two bytes of Shift_JIS for a row and cell of JIS X 0208."""
    lead = (row - 1) // 2 + (0x81 if row <= 62 else 0xC1)
    return bytes((lead, cell + (0x9E if row % 2 == 0 else 0x3F if cell < 64 else 0x40)))


# The characters that a codec does not have.
_LACKING: Final[dict[str, Callable[[], dict[bytes, str]]]] = {
    "gb18030": lambda: {b"\x80": "€"},
    "big5": cache(big5.characters),
    "euc-jp": _of_windows,
}


# ISO-2022-JP: what an escape sequence switches to; None is JIS X 0208, two bytes a character.
# An escape byte that begins no sequence is a mistake.
_ASCII_HALF: Final = "".join(
    _BROKEN if byte in (0x0E, 0x0F, 0x1B) else chr(byte) for byte in range(128)
)
_ASCII: Final = _ASCII_HALF + _BROKEN * 128
_ROMAN: Final = _ASCII.replace("\\", "¥").replace("~", "\u203e")
_KATAKANA: Final = (
    _BROKEN * 0x21 + "".join(chr(0xFF61 + index) for index in range(0x3F)) + _BROKEN * 0xA0
)
_STATES: Final = {b"(B": _ASCII, b"(J": _ROMAN, b"(I": _KATAKANA, b"$@": None, b"$B": None}
_SWITCHES: Final = re.compile(rb"(?:\x1b(?:\([BJI]|\$[@B]))+")
# JIS X 0208 in the bytes of EUC-JP. An escape byte is never the second of two, so it stays ASCII.
_HIGH: Final = bytes(
    byte | 0x80 if 0x21 <= byte <= 0x7E else 0x1B if byte == 0x1B else 0x80 for byte in range(256)
)


# Of what stands between switches.
_LINE: Final = re.compile(r"([^\n]*)(?:\n|\Z)")


def _iso_2022_jp(body: bytes) -> Iterator[str]:
    # All that is JIS X 0208 in one, as a call for each piece takes longer than all else.
    kanji = b"\n".join(part.translate(_HIGH) for part, state in _parts(body) if state is None)
    lines = _LINE.finditer(decode(kanji, "euc-jp").replace("\x1b", _BROKEN))
    for part, state in _parts(body):
        if state is None:
            yield next(lines)[1]
        else:
            yield codecs.charmap_decode(part, "strict", state)[0]


def _parts(body: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Yield what stands between switches, and in what state."""
    state: str | None = _ASCII
    at = 0
    for found in _SWITCHES.finditer(body):
        start, end = found.span()
        yield body[at:start], state
        if end - start > 3:  # each switch right behind another is a mistake
            yield b"\x80" * ((end - start) // 3 - 1), _ASCII
        state = _STATES[body[end - 2 : end]]
        at = end
    yield body[at:], state
