"""Decodes the web's multi-byte encodings as its standard does.

Python's codecs do the work. An error handler for each puts right where they stop: it knows the
characters that a codec lacks, and how far a malformed sequence reaches. An ASCII byte is never part
of one, so no broken lead byte swallows a quote or a "<".

Source: encoding.spec.whatwg.org, the decoders of its legacy multi-byte encodings.
"""

import codecs
import re
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
_FOUND: Final = {name: re.compile(f"[{left}]") for name, (left, _) in _OTHERWISE.items()}
_TABLES: Final = {name: str.maketrans(*pair) for name, pair in _OTHERWISE.items()}

# Two of Big5 that its codec gives characters which others have as well. A run of bytes that may
# lead begins at a character.
_SLASHES: Final = re.compile(rb"(?<![\x81-\xfe])((?:[\x81-\xfe]{2})*+)(\xa2[AB])")
_BIG5_SLASHES: Final = {b"\xa2A": "\u2215", b"\xa2B": "\ufe68"}
# Of EUC-JP a "~" that is none, and what one character reaches over.
_TILDE: Final = b"\x8f\xa2\xb7"
_EUC_CHARACTER: Final = re.compile(rb"\x8f[\xa1-\xfe][\x80-\xff]?|[\x8e\x8f\xa1-\xfe][\x80-\xff]?")


def decode(body: bytes, name: str) -> str:
    """Return `body` as text; `name` is one of the standard's legacy multi-byte encodings."""
    if name == "iso-2022-jp":
        return "".join(_iso_2022_jp(body))
    if name == "big5" and (b"\xa2A" in body or b"\xa2B" in body):
        return "".join(_big5(body))
    if name == "euc-jp" and _TILDE in body:
        body = _EUC_CHARACTER.sub(lambda found: _plain_tilde(found[0]), body)
    return _decode(body, "gb18030" if name == "gbk" else name)


def _decode(body: bytes, name: str) -> str:
    text = body.decode(_CODECS[name], f"crawler.{name}")
    if name in _FOUND and _FOUND[name].search(text):
        text = text.translate(_TABLES[name])
    return text


def _big5(body: bytes) -> Iterator[str]:
    at = 0
    for found in _SLASHES.finditer(body):
        yield _decode(body[at : found.start(2)], "big5")
        yield _BIG5_SLASHES[found[2]]
        at = found.end()
    yield _decode(body[at:], "big5")


def _plain_tilde(character: bytes) -> bytes:
    """The bytes of two that the standard decodes to the same full-width "~"."""
    return b"\xa1\xc1" if character == _TILDE else character


def _mend(
    name: str, lacking: Callable[[], dict[bytes, str]], reach: Callable[[bytes], int]
) -> None:
    """Register what stands where the codec of `name` stops.

    `lacking`: the characters of two bytes that the codec does not have. `reach`: how many of the
    next four bytes are one malformed sequence.
    """

    def handler(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        at = error.start
        rest = error.object[at : at + 4]
        character = lacking().get(rest[:2])
        if character is not None:
            return character, at + 2
        if name == "gb18030" and rest[0] == 0x80:
            return "€", at + 1
        return _BROKEN, at + reach(rest)

    codecs.register_error(f"crawler.{name}", handler)


def _none() -> dict[bytes, str]:
    return {}


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


def _two(rest: bytes) -> int:
    """A lead byte takes the next one with it, if that is not ASCII."""
    leads = rest[0] not in (0x80, 0xFF)
    return 2 if leads and rest[1:2] >= b"\x80" else 1


def _euc(rest: bytes) -> int:
    found = _EUC_CHARACTER.match(rest)
    return found.end() if found else 1


_GB_FOUR: Final = re.compile(
    # Four bytes; or what a cut body leaves of them, which is one mistake to its end.
    rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]|[\x81-\xfe](?:[0-9][\x81-\xfe]?)?\Z"
)


def _gb(rest: bytes) -> int:
    found = _GB_FOUR.match(rest)
    return found.end() if found else _two(rest)


_mend("gb18030", _none, _gb)
_mend("big5", cache(big5.characters), _two)
_mend("euc-jp", _of_windows, _euc)
_mend("shift_jis", _none, _two)
_mend("euc-kr", _none, _two)


# ISO-2022-JP: what an escape sequence switches to; None is JIS X 0208, two bytes a character.
_ASCII_HALF: Final = "".join(_BROKEN if byte in (0x0E, 0x0F) else chr(byte) for byte in range(128))
_ASCII: Final = _ASCII_HALF + _BROKEN * 128
_ROMAN: Final = _ASCII.replace("\\", "¥").replace("~", "\u203e")
_KATAKANA: Final = (
    _BROKEN * 0x21 + "".join(chr(0xFF61 + index) for index in range(0x3F)) + _BROKEN * 0xA0
)
_STATES: Final = {b"(B": _ASCII, b"(J": _ROMAN, b"(I": _KATAKANA, b"$@": None, b"$B": None}
_PAIRS: Final = re.compile(rb"((?:[\x21-\x7e]{2})++)|[\x21-\x7e][^\x21-\x7e]?|[^\x21-\x7e]")
_HIGH: Final = bytes(byte | 0x80 for byte in range(256))


def _iso_2022_jp(body: bytes) -> Iterator[str]:
    state: str | None = _ASCII
    first, *segments = body.split(b"\x1b")
    yield from _segment(first, state)
    switched = False
    for segment in segments:
        switches = segment[:2] in _STATES
        # Nothing to switch to, or two switches in a row.
        if switched or not switches:
            yield _BROKEN
        if switches:
            state = _STATES[segment[:2]]
        text = segment[2:] if switches else segment
        switched = switches and not text
        yield from _segment(text, state)


def _segment(segment: bytes, state: str | None) -> Iterator[str]:
    if state is not None:
        yield codecs.charmap_decode(segment, "strict", state)[0]
        return
    for found in _PAIRS.finditer(segment):
        yield _decode(found[0].translate(_HIGH), "euc-jp") if found[1] else _BROKEN
