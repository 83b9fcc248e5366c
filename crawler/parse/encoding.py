"""Which character encoding a body has.

Source: the HTML standard 13.2.3.2 (byte order mark, then Content-Type, then the prescan for
`<meta>`, then what the bytes look like).
"""

import codecs
import re
from functools import cache

from crawler.parse import multibyte
from crawler.parse.charsets import DIFFERENT, NAMES, SINGLE_BYTE
from crawler.parse.guessing import guess, is_mostly_utf8, reads_well

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_BOM_STARTS = frozenset(mark[:1] for mark, _ in _BOMS)
_PRESCAN_BYTES = 1024
_SLICE = 100_000

# The pages of a site begin alike, up to the <meta> and often beyond: comparing costs a tenth.
_MOST_PRESCANNED = 8
_prescanned: tuple[tuple[bytes, str], ...] = ()

_CHARSET = re.compile(
    r"""charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.IGNORECASE
)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding[\t\n\r ]*=[\t\n\r ]*["']([^"'>]*)["']""")
_TAG = re.compile(rb"<(?:!--|(/?[a-zA-Z][^\t\n\f\r />]*)|[!/?])")
_BLANK_OR_SLASH = b"\t\n\f\r /"
_ATTRIBUTE = re.compile(
    rb"""[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)"""
    rb"""(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|(["'])|([^\t\n\f\r >]++)))?"""
)


def detect(body: bytes, content_type: str | None) -> str:
    """Return the WHATWG name of the body's encoding, in lower case (`"windows-1252"`).

    Byte order mark, then the header's charset, then `<meta>` or the XML declaration in the first
    1,024 bytes; where none speaks, UTF-8 if the body is UTF-8, else what it looks like, which is
    windows-1252 if it looks like nothing.
    """
    declared = _declared(body, content_type)
    if declared is not None:
        return declared
    return "utf-8" if _is_utf8(body) else _decoded(body, None)[0]


def decode(body: bytes, content_type: str | None) -> str:
    """Return the body as text without byte order mark; what is malformed becomes U+FFFD."""
    return decode_with_name(body, content_type)[1]


def decode_with_name(body: bytes, content_type: str | None) -> tuple[str, str]:
    """Return `(detect(...), decode(...))` for the price of one decoding."""
    return _decoded(body, _declared(body, content_type))


def utf8_with_name(body: bytes, content_type: str | None) -> tuple[str, bytes]:
    """Return the encoding's name as `detect` does, and the body in UTF-8.

    That is the body itself where it says to be UTF-8: malformed bytes are still in it, of which
    whoever reads it, Lexbor too, makes U+FFFD.
    """
    name = _declared(body, content_type)
    if name == "utf-8" or (name is None and _is_utf8(body)):
        return "utf-8", body.removeprefix(codecs.BOM_UTF8)
    name, text = _decoded(body, name)
    return name, text.encode()


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(body: bytes, declared: str | None) -> tuple[str, str]:
    if declared is not None:
        return declared, _decode_as(body, declared)
    try:
        text, read = codecs.utf_8_decode(body, "strict", False)
    except UnicodeDecodeError as error:
        return _guessed(body, error.start)
    if read == len(body):
        return "utf-8", text
    # A body cut inside its last character is still UTF-8, if that is not all that speaks for it.
    return _guessed(body, read) if text.isascii() else ("utf-8", text + "\ufffd")


def _guessed(body: bytes, start: int) -> tuple[str, str]:
    text = body.decode("utf-8", "replace")
    if is_mostly_utf8(body, text):
        return "utf-8", text
    name = guess(body, start=start)
    text = _decode_as(body, name)
    return (name, text) if reads_well(text) else ("windows-1252", _decode_as(body, "windows-1252"))


def _declared(body: bytes, content_type: str | None) -> str | None:
    if body[:1] in _BOM_STARTS:
        for mark, name in _BOMS:
            if body.startswith(mark):
                return name
    if content_type and (declared := _charset_of(content_type)):
        return declared
    kind = (content_type or "text/html").partition(";")[0].lower()
    head = body[:_PRESCAN_BYTES]
    if "html" in kind:
        return _meta_encoding(head) or _xml_encoding(head)
    return _xml_encoding(head) if "xml" in kind else None


def _name_of(label: str) -> str | None:
    # Of the Kelvin sign, lower() makes a plain k.
    return NAMES.get(label.strip("\t\n\f\r ").lower()) if label.isascii() else None


def _charset_of(text: str) -> str | None:
    """The encoding in `text/html; charset=…`, of a header or of a meta element."""
    found = _CHARSET.search(text)
    return _name_of(found[1] or found[2] or found[3] or "") if found else None


def _in_document(name: str | None) -> str | None:
    """What a declaration means that could be read as ASCII (HTML standard, prescan step)."""
    changed = {"utf-16le": "utf-8", "utf-16be": "utf-8", "x-user-defined": "windows-1252"}
    return changed.get(name, name) if name else None


def _xml_encoding(head: bytes) -> str | None:
    if head.startswith(b"<\x00?\x00x\x00"):
        return "utf-16le"
    if head.startswith(b"\x00<\x00?\x00x"):
        return "utf-16be"
    found = _XML_ENCODING.match(head)
    return _in_document(_name_of(found[1].decode("latin-1"))) if found else None


def _meta_encoding(head: bytes) -> str | None:
    """The prescan: the first `<meta>` that names a known encoding, comments left out."""
    global _prescanned  # noqa: PLW0603  # a memory of what is a pure function
    for prefix, name in _prescanned:
        if head.startswith(prefix):
            return name
    if b"charset" not in head.lower():
        return None
    found = _prescan(head)
    if found is not None:
        _prescanned = (*_prescanned[1 - _MOST_PRESCANNED :], found)
    return found[1] if found is not None else None


def _prescan(head: bytes) -> tuple[bytes, str] | None:
    """The encoding, and all that was read to find it: what begins alike says the same."""
    at = 0
    while found := _TAG.search(head, at):
        at = found.end()
        if found[0] == b"<!--":
            end = head.find(b"-->", at - 2)
            at = end + 3 if end >= 0 else len(head)
        elif found[1] is None:
            at = head.find(b">", at) + 1 or len(head)
        else:
            is_meta = found[1].lower() == b"meta"
            attributes, at = _attributes(head, at, wanted=is_meta)
            if head[at:].lstrip(_BLANK_OR_SLASH)[:1] != b">":
                return None  # what is cut off says nothing
            if is_meta and (name := _encoding_of_meta(attributes)):
                return head[: at + 1], name
    return None


def _attributes(head: bytes, at: int, *, wanted: bool) -> tuple[dict[str, str], int]:
    """The attributes of the tag whose name ends at `at`, if `wanted`, and where they end.

    Of several of one name the first wins.
    """
    attributes: dict[str, str] = {}
    while found := _ATTRIBUTE.match(head, at):
        if found[4]:  # a quote that does not end
            return attributes, len(head)
        at = found.end()
        if not wanted:
            continue
        value = found[2] or found[3] or found[5] or b""
        attributes.setdefault(found[1].decode("latin-1").lower(), value.decode("latin-1"))
    return attributes, at


def _encoding_of_meta(attributes: dict[str, str]) -> str | None:
    if "charset" in attributes:
        return _in_document(_name_of(attributes["charset"]))
    if attributes.get("http-equiv", "").lower() == "content-type":
        return _in_document(_charset_of(attributes.get("content", "")))
    return None


def _decode_as(body: bytes, name: str) -> str:
    for mark, marked in _BOMS:
        if name == marked:
            body = body.removeprefix(mark)
    if name in SINGLE_BYTE:
        return codecs.charmap_decode(body, "replace", _table(name))[0]
    if name == "replacement":
        return "\ufffd" if body else ""
    if name == "utf-8":
        return body.decode(name, "replace")
    if name.startswith("utf-16"):
        # In slices: a thread that decodes 10 MB of half pairs would hold all others up for 0.9 s.
        part = codecs.getincrementaldecoder(name)("replace").decode
        starts = range(0, len(body), _SLICE)
        return "".join(part(body[at : at + _SLICE], at + _SLICE >= len(body)) for at in starts)
    return multibyte.decode(body, name)


@cache
def _table(name: str) -> str:
    """The 256 characters of a single-byte encoding, as the standard's index has them.

    Bytes 0x80 to 0x9F that a code page leaves open are C1 controls there. A table decodes without
    one error callback a byte, so a hostile body costs no more than another.
    """
    different = DIFFERENT.get(name, {})
    characters = (bytes([byte]).decode(SINGLE_BYTE[name][0], "replace") for byte in range(256))
    return "".join(
        different.get(byte) or (chr(byte) if character == "\ufffd" and byte < 0xA0 else character)
        for byte, character in enumerate(characters)
    )
