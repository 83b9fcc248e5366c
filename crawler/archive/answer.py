"""What an archive answers."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

HEAD_BYTES = 256_000
"""Longest head of a stored response; a server that sends more was cut off when it was asked."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([^\0]*)")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")


class Answer(Struct, frozen=True):
    """A stored response: what the server said, its body still in its content codings.

    `is_whole` is False where a part of the body is stored, and where nothing is known but the
    status, and where a redirect led.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_whole: bool = True

    def header(self, name: str) -> str | None:
        """Return the first header of that name (lower case)."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class Head(Struct, frozen=True):
    """The status and headers of a response, and how many bytes they took."""

    status: int
    headers: tuple[tuple[str, str], ...]
    size: int


def head_of(block: bytes) -> Head | None:
    """Read the head that an HTTP response begins with; None if it begins with none."""
    found = _STATUS.match(block)
    if found is None:
        return None
    end = re.search(rb"\r?\n\r?\n", block)
    head = block[: end.start()] if end else block
    lines = _FOLD.sub(b" ", head).split(b"\n")[1:]
    return Head(int(found[1]), tuple(_fields(lines)), end.end() if end else len(block))


def _fields(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if field := _FIELD.fullmatch(line.strip()):
            yield field[1].decode(), _text(field[2])


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")  # RFC 9110 5.5: what header fields once were


def without_chunks(body: bytes) -> bytes:
    """Return a body without its transfer coding; one that has none is returned as it is.

    Those who write archives leave the header there either way. What is cut off is kept.
    """
    pieces: list[bytes] = []
    at = 0
    while found := _CHUNK.match(body, at):
        size = int(found[1], 16)
        if not size:
            break
        at = found.end() + size
        pieces.append(body[found.end() : at])
        at += 2 if body.startswith(b"\r\n", at) else body.startswith(b"\n", at)
    return b"".join(pieces) if at or _CHUNK.match(body) else body


def date_of(time: datetime) -> int:
    """Return a time in microseconds since the epoch; one without zone is UTC."""
    whole = time if time.tzinfo else time.replace(tzinfo=UTC)
    return (whole - _EPOCH) // _MICROSECOND
