"""What a file is, by its first bytes.

Source: the WHATWG MIME Sniffing standard, and the formats' own specifications.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

HEAD_BYTES: Final = 1024
"""How much of a file tells what it is."""
UNKNOWN: Final = "application/octet-stream"

_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\0\0\1\0", "image/x-icon"),
    (b"\0\0\0\x0cjP  ", "image/jp2"),
    (b"\0\0\0\x0cJXL ", "image/jxl"),
    (b"%PDF-", "application/pdf"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"OggS", "audio/ogg"),
    (b"PK\3\4", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?[\s\0]*(?:<!--.{0,500}?-->\s*)*"
    rb"<(?:!doctype html|html|head|body|title|script|meta|h1|div|p|table|br|a)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,300}?>\s*)?(?:<!--.{0,500}?-->\s*)*"
    rb"(?:<!doctype svg.{0,300}?>\s*)?<svg[\s>]",
    re.IGNORECASE | re.DOTALL,
)
# Formats that others are made of: an .epub is a zip, and a server that says so is right.
_CONTAINERS: Final = frozenset({"application/zip", "application/gzip", "audio/ogg", "video/webm"})
_IN_CONTAINERS: Final = frozenset(
    {
        "application/epub+zip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
_VAGUE: Final = frozenset({"", UNKNOWN, "binary/octet-stream", "application/x-download"})
HTML: Final = "text/html"

_SUFFIXES: Final = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ico": "image/x-icon",
    ".jp2": "image/jp2",
    ".jpg": "image/jpeg",
    ".jxl": "image/jxl",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".webp": "image/webp",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".avi": "video/x-msvideo",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".7z": "application/x-7z-compressed",
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".gz": "application/gzip",
    ".html": HTML,
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rar": "application/vnd.rar",
    ".txt": "text/plain",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
_OF_TYPE: Final = {mime: suffix for suffix, mime in _SUFFIXES.items()} | {"text/xml": ".xml"}
_OTHER_NAMES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/vnd.microsoft.icon": "image/x-icon",
    "image/x-ms-bmp": "image/bmp",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "application/x-gzip": "application/gzip",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
}
_MIME = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_SUFFIX = re.compile(r"[^.](\.[A-Za-z0-9]{1,8})$")
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 60


def sniffed(head: bytes) -> str | None:
    """Return the type of a file that begins so, None if that tells nothing."""
    for start, mime in _STARTS:
        if head.startswith(start):
            return mime
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if _SVG.match(head):
        return "image/svg+xml"
    return HTML if _HTML.match(head) else None


def usual_name(content_type: str) -> str:
    """Return the type of a Content-Type header without parameters, by the name most use.

    "" for what is none.
    """
    mime = content_type.partition(";")[0].strip().lower()
    return _OTHER_NAMES.get(mime, mime) if _MIME.fullmatch(mime) else ""


def is_vague(mime: str) -> bool:
    """True if a server that says this has not said what it is."""
    return mime in _VAGUE


def type_of(mime: str, head: bytes, url: str) -> str:
    """Return what a file is, of which the server says `mime`, and that begins with `head`.

    Bytes are believed, but for what holds other formats, and for text that looks like HTML.
    """
    found = sniffed(head)
    if found is None:
        return UNKNOWN if is_vague(mime) else mime
    if is_vague(mime):
        # Of what a .docx is made, and an .epub, the bytes say no more than that it is a zip.
        usual = promised(url) if found in _CONTAINERS else None
        return usual if usual in _IN_CONTAINERS else found
    holds_others = found in _CONTAINERS and not mime.startswith("image/")
    is_text = found == HTML and (mime.startswith("text/") or mime.endswith(("xml", "json")))
    return mime if holds_others or is_text else found


def suffix_of(mime: str, url: str) -> str:
    """Return what a file's name ends in: by its type, else as in its URL, else nothing."""
    if (suffix := _OF_TYPE.get(mime)) is not None:
        return suffix
    found = _SUFFIX.search(_last(url))
    return found[1].lower() if found else ""


def promised(url: str) -> str | None:
    """Return the type that the end of a URL's path is usual for, None if it is none we know."""
    found = _SUFFIX.search(_last(url))
    suffix = found[1].lower() if found else ""
    return _SUFFIXES.get({".jpeg": ".jpg", ".tiff": ".tif", ".htm": ".html"}.get(suffix, suffix))


def name_in(url: str) -> str:
    """Return the last part of a URL's path as a short name without its suffix; never empty."""
    last = _SUFFIX.sub(lambda found: found[0][0], _last(url))
    return _NOT_IN_NAMES.sub("_", last).strip("._")[:_LONGEST_NAME] or "file"


def _last(url: str) -> str:
    path = urlsplit(url).path.rpartition("/")[2]
    return unquote_to_bytes(path).decode("utf-8", "replace").rpartition("/")[2]
