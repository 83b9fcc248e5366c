"""Names and values as a form sends them.

Sources: the HTML standard 4.10.21.5 to 4.10.21.8, the URL standard 5.2 and the Encoding standard,
whose encoders write what they cannot encode as `&#233;`.
"""

import codecs
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Literal
from urllib.parse import quote_plus

from crawler.parse.charsets import NAMES, SINGLE_BYTE
from crawler.parse.controls import Upload
from crawler.parse.encoding import decode

Enctype = Literal["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
URLENCODED: Final = "application/x-www-form-urlencoded"
ENCTYPES: Final[dict[str, Enctype]] = {
    "multipart/form-data": "multipart/form-data",
    "text/plain": "text/plain",
}

Entry = tuple[str, str | Upload]

# Those that Python calls otherwise; UTF-16 and what is replaced are sent as UTF-8.
_CODECS: Final = {
    "gbk": "gbk",
    "gb18030": "gb18030",
    "big5": "cp950",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
}
_NEWLINE = re.compile(r"\r\n?|\n")
_ALL_BYTES: Final = bytes(range(256))


def encoding_for(accepted: str | None, page: str) -> str:
    """Return the encoding that a form is sent in, by its `accept-charset` and its page's own."""
    name = page
    if accepted is not None:
        labels = (label.lower() for label in accepted.split())
        name = next((NAMES[label] for label in labels if label in NAMES), "utf-8")
    return name if name in _CODECS or name in SINGLE_BYTE else "utf-8"


def urlencoded(entries: Sequence[Entry], encoding: str) -> str:
    """Return entries as a query or a body has them; of a file its name."""
    return "&".join(
        f"{_quoted(name, encoding)}={_quoted(_plain(value), encoding)}" for name, value in entries
    )


def body_of(entries: Sequence[Entry], enctype: Enctype, encoding: str) -> tuple[bytes, str]:
    """Return the body that sends entries, and its Content-Type."""
    if enctype == "multipart/form-data":
        return _multipart(entries, encoding)
    if enctype == "text/plain":
        lines = (f"{_lines(name)}={_lines(_plain(value))}\r\n" for name, value in entries)
        return _encoded("".join(lines), encoding), enctype
    return urlencoded(entries, encoding).encode(), enctype


def _plain(value: str | Upload) -> str:
    return value.name if isinstance(value, Upload) else value


def _lines(text: str) -> str:
    return _NEWLINE.sub("\r\n", text)


def _quoted(text: str, encoding: str) -> str:
    return quote_plus(_encoded(_lines(text), encoding), safe="*").replace("~", "%7E")


def _multipart(entries: Sequence[Entry], encoding: str) -> tuple[bytes, str]:
    parts: list[bytes] = []
    for name, value in entries:
        head = b'Content-Disposition: form-data; name="%s"' % _in_quotes(_lines(name), encoding)
        if isinstance(value, Upload):
            kind = value.type.encode("ascii", "replace")
            head += b'; filename="%s"\r\nContent-Type: %s' % (
                _in_quotes(value.name, encoding),
                kind,
            )
            content = value.content
        else:
            content = _encoded(_lines(value), encoding)
        parts.append(b"%s\r\n\r\n%s\r\n" % (head, content))
    # Made of what it parts, so that the same form is the same request whenever it is filled in.
    boundary = f"----form-{hashlib.blake2b(b''.join(parts), digest_size=16).hexdigest()}"
    begin = f"--{boundary}\r\n".encode()
    body = b"".join([begin + part for part in parts])
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _in_quotes(text: str, encoding: str) -> bytes:
    encoded = _encoded(text, encoding)
    return encoded.replace(b"\n", b"%0A").replace(b"\r", b"%0D").replace(b'"', b"%22")


def _encoded(text: str, encoding: str) -> bytes:
    # Half of a surrogate pair is no character, and no encoding has it.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if encoding in SINGLE_BYTE:
        table = _table(encoding)
        return codecs.charmap_encode(text, "xmlcharrefreplace", table)[0]
    return text.encode(_CODECS.get(encoding, "utf-8"), "xmlcharrefreplace")


@cache
def _table(encoding: str) -> Any:
    """The bytes of a single-byte encoding's characters, by what decoding makes of them."""
    characters = decode(_ALL_BYTES, f"text/plain; charset={encoding}")
    return {ord(char): byte for byte, char in enumerate(characters) if char != "\ufffd"}
