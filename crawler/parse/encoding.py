"""Which character encoding a body has.

Sources: encoding.spec.whatwg.org (names, labels, tables) and the HTML standard 13.2.3.2
(byte order mark, then Content-Type, then the prescan for `<meta>`).
"""

import codecs
import re
from functools import cache
from typing import Final

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_PRESCAN_BYTES = 1024

# WHATWG name: (Python's codec, the other labels). Names are labels of themselves.
_MULTI_BYTE: Final = {
    "utf-8": (
        "utf-8",
        "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8",
    ),
    "utf-16le": ("utf-16-le", "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16"),
    "utf-16be": ("utf-16-be", "unicodefffe"),
    "gbk": (
        "gb18030",
        "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk",
    ),
    "gb18030": ("gb18030", ""),
    "big5": ("big5hkscs", "big5-hkscs cn-big5 csbig5 x-x-big5"),
    "euc-jp": ("euc_jp", "cseucpkdfmtjapanese x-euc-jp"),
    "iso-2022-jp": ("iso2022_jp_ext", "csiso2022jp"),
    "shift_jis": ("cp932", "csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis"),
    "euc-kr": (
        "cp949",
        "cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601"
        " ksc_5601 windows-949",
    ),
    # Encodings that let text pass a filter as something else; their text is given up.
    "replacement": ("", "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr"),
}
_SINGLE_BYTE: Final = {
    "ibm866": ("cp866", "866 cp866 csibm866"),
    "iso-8859-2": (
        "iso8859_2",
        "csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    ),
    "iso-8859-3": (
        "iso8859_3",
        "csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    ),
    "iso-8859-4": (
        "iso8859_4",
        "csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    ),
    "iso-8859-5": (
        "iso8859_5",
        "csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    ),
    "iso-8859-6": (
        "iso8859_6",
        "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6-e"
        " iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    ),
    "iso-8859-7": (
        "iso8859_7",
        "csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597"
        " iso_8859-7 iso_8859-7:1987 sun_eu_greek",
    ),
    "iso-8859-8": (
        "iso8859_8",
        "csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 iso88598"
        " iso_8859-8 iso_8859-8:1988 visual",
    ),
    "iso-8859-8-i": ("iso8859_8", "csiso88598i logical"),
    "iso-8859-10": ("iso8859_10", "csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6"),
    "iso-8859-13": ("iso8859_13", "iso8859-13 iso885913"),
    "iso-8859-14": ("iso8859_14", "iso8859-14 iso885914"),
    "iso-8859-15": ("iso8859_15", "csisolatin9 iso8859-15 iso885915 iso_8859-15 l9"),
    "iso-8859-16": ("iso8859_16", ""),
    "koi8-r": ("koi8_r", "cskoi8r koi koi8 koi8_r"),
    "koi8-u": ("koi8_u", "koi8-ru"),
    "macintosh": ("mac_roman", "csmacintosh mac x-mac-roman"),
    "windows-874": ("cp874", "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620"),
    "windows-1250": ("cp1250", "cp1250 x-cp1250"),
    "windows-1251": ("cp1251", "cp1251 x-cp1251"),
    "windows-1252": (
        "cp1252",
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1"
        " iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii x-cp1252"
        " latin-1",  # not in the standard, but Python's name for it is common in headers
    ),
    "windows-1253": ("cp1253", "cp1253 x-cp1253"),
    "windows-1254": (
        "cp1254",
        "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9"
        " iso_8859-9:1989 l5 latin5 x-cp1254",
    ),
    "windows-1255": ("cp1255", "cp1255 x-cp1255"),
    "windows-1256": ("cp1256", "cp1256 x-cp1256"),
    "windows-1257": ("cp1257", "cp1257 x-cp1257"),
    "windows-1258": ("cp1258", "cp1258 x-cp1258"),
    "x-mac-cyrillic": ("mac_cyrillic", "x-mac-ukrainian"),
    "x-user-defined": ("ascii", ""),
}
_NAMES: Final = {
    label: name
    for name, (_, labels) in (_MULTI_BYTE | _SINGLE_BYTE).items()
    for label in (name, *labels.split())
}

# Where the standard's tables have a character and Python's codecs another one or none.
_DIFFERENT: Final = {
    "koi8-u": {0xAE: "\u045e", 0xBE: "\u040e"},
    "windows-1255": {0xCA: "\u05ba"},
    "x-user-defined": {byte: chr(0xF700 + byte) for byte in range(0x80, 0x100)},
}

_CHARSET = re.compile(
    r"""charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.IGNORECASE
)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding[\t\n\r ]*=[\t\n\r ]*["']([^"'>]*)["']""")
_TAG = re.compile(rb"<(?:!--|(/?[a-zA-Z][^\t\n\f\r />]*)|[!/?])")
_ATTRIBUTE = re.compile(
    rb"""[\t\n\f\r /]*([^\t\n\f\r />][^\t\n\f\r />=]*)"""
    rb"""(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r >"'][^\t\n\f\r >]*)))?"""
)


def detect(body: bytes, content_type: str | None) -> str:
    """Return the WHATWG name of the body's encoding, in lower case (`"windows-1252"`).

    Byte order mark, then the header's charset, then `<meta>` or the XML declaration in the first
    1,024 bytes; where none speaks, UTF-8 if the body is UTF-8, else windows-1252.
    """
    return _declared(body, content_type) or decode_with_name(body, content_type)[0]


def decode(body: bytes, content_type: str | None) -> str:
    """Return the body as text without byte order mark; what is malformed becomes U+FFFD."""
    return decode_with_name(body, content_type)[1]


def decode_with_name(body: bytes, content_type: str | None) -> tuple[str, str]:
    """Return `(detect(...), decode(...))` for the price of one decoding."""
    return _decoded(body, _declared(body, content_type))


def utf8_with_name(body: bytes, content_type: str | None) -> tuple[str, bytes]:
    """Return `(detect(...), decode(...).encode())`; the body itself if it is UTF-8 already."""
    name = _declared(body, content_type)
    if name in (None, "utf-8") and _is_utf8(body):
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
    except UnicodeDecodeError:
        return "windows-1252", _decode_as(body, "windows-1252")
    # A body cut inside its last character is still UTF-8.
    return "utf-8", text if read == len(body) else text + "\ufffd"


def _declared(body: bytes, content_type: str | None) -> str | None:
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
    return _NAMES.get(label.strip("\t\n\f\r ").lower())


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
    at = 0 if b"charset" in head.lower() else len(head)
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
            if is_meta and (name := _encoding_of_meta(attributes)):
                return name
    return None


def _attributes(head: bytes, at: int, *, wanted: bool) -> tuple[dict[str, str], int]:
    """The attributes of the tag whose name ends at `at`, if `wanted`, and where they end.

    Of several of one name the first wins.
    """
    attributes: dict[str, str] = {}
    while found := _ATTRIBUTE.match(head, at):
        at = found.end()
        if not wanted:
            continue
        value = found[2] or found[3] or found[4] or b""
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
    if name in _SINGLE_BYTE:
        return codecs.charmap_decode(body, "replace", _table(name))[0]
    if name == "replacement":
        return "\ufffd" if body else ""
    codec = _MULTI_BYTE[name][0]
    if name == "euc-jp" and b"\x8f" not in body:
        # Holds all of euc_jp but its third plane (0x8F), and the ① and ㈱ that euc_jp lacks.
        codec = "euc_jis_2004"
    return body.decode(codec, "replace")


@cache
def _table(name: str) -> str:
    """The 256 characters of a single-byte encoding, as the standard's index has them.

    Bytes 0x80 to 0x9F that a code page leaves open are C1 controls there. A table decodes without
    one error callback a byte, so a hostile body costs no more than another.
    """
    different = _DIFFERENT.get(name, {})
    characters = (bytes([byte]).decode(_SINGLE_BYTE[name][0], "replace") for byte in range(256))
    return "".join(
        different.get(byte) or (chr(byte) if character == "\ufffd" and byte < 0xA0 else character)
        for byte, character in enumerate(characters)
    )
