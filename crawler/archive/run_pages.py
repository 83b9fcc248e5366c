"""The pages that a run has kept."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

import msgspec
from msgspec import Struct

from crawler.archive.answer import Answer
from crawler.errors import BodyTooLarge, NotStored, RunError
from crawler.owned import open_folder, own
from crawler.records.page_index import PageLine

PAGES = "pages.jsonl"
FAILURES = "failures.jsonl"
_BODIES = "pages/"
# What `pages=markdown` makes of a page is called so, and no page is.
_MARKDOWN = "+.md"
_LONGEST_LINE = 1_000_000

T = TypeVar("T")

decode_page = msgspec.json.Decoder(PageLine).decode


class FailureLine(Struct):
    """What of a line of `failures.jsonl` tells how a URL was answered."""

    url: str
    kind: str
    status: int | None = None
    method: str = "GET"


_decode_failure = msgspec.json.Decoder(FailureLine).decode


def pages_of(folder: Path) -> Iterator[tuple[int, PageLine]]:
    """Yield the lines of `pages.jsonl`, as `lines_of` does."""
    return lines_of(folder / PAGES, decode_page)


def has_body(line: PageLine) -> bool:
    """True if a page's body is kept as it came, in a file of its own."""
    name = line.file or ""
    return name.startswith(_BODIES) and not name.endswith(_MARKDOWN)


def failures_of(folder: Path) -> Iterator[FailureLine]:
    """Yield what a run did not get. Raises `RunError`."""
    return (line for _, line in lines_of(folder / FAILURES, _decode_failure))


def lines_of(path: Path, decode: Callable[[bytes], T]) -> Iterator[tuple[int, T]]:
    """Yield a file's lines, decoded, each with the byte that it begins at.

    A line that is none, as the last of a run that is crawled now may be, is left out. Raises
    `RunError`.
    """
    try:
        with open(path, "rb", opener=own) as file:
            at = 0
            while line := file.readline(_LONGEST_LINE):
                begin, at = at, at + len(line)
                try:
                    decoded = decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    continue
                yield begin, decoded
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from None


def line_at(file: IO[bytes], at: int, decode: Callable[[bytes], T]) -> T:
    """Return the line at that byte of a file. Raises `NotStored` if there is none."""
    file.seek(at)
    try:
        return decode(file.readline(_LONGEST_LINE))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NotStored("the run has changed since it was indexed") from None


def answer_of(folder: Path, line: PageLine, *, limit: int) -> Answer:
    """Return a page as it was kept, its body no more than `limit` bytes.

    Of its headers only the type is known, with the encoding that the page turned out to have.
    Raises `NotStored`, and `BodyTooLarge`.
    """
    charset = f"; charset={line.encoding}" if line.encoding else ""
    fields = (("Content-Type", f"{line.type}{charset}"),) if line.type else ()
    if not has_body(line):
        raise NotStored("the run has changed since it was indexed")
    return Answer(line.status, fields, _body(folder, line.file or "", limit=limit))


def _body(folder: Path, name: str, *, limit: int) -> bytes:
    file, size = opened(folder, name)
    with file:
        try:
            body = file.read(min(limit, size) + 1)
        except OSError as error:
            raise NotStored(f"{name} cannot be read: {error.strerror}") from None
    if len(body) > limit:
        raise BodyTooLarge(f"more than {limit:,} bytes")
    return body


def opened(folder: Path, name: str) -> tuple[IO[bytes], int]:
    """Open a file below a run's folder, and return its size; no link leads out of it.

    Raises `NotStored`.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise NotStored(f"{name!r} is no file of the run")
    try:
        with ExitStack() as stack:
            within = open_folder(folder)
            stack.callback(os.close, within)
            for part in path.parts[:-1]:
                within = open_folder(part, within=within)
                stack.callback(os.close, within)
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = open(os.open(path.name, flags, dir_fd=within), "rb")  # noqa: SIM115  # the caller's
    except OSError as error:
        raise NotStored(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in it, say
        raise NotStored(f"{name!r} is no file of the run") from None
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        file.close()
        raise NotStored(f"{name} is no file of the run")
    return file, found.st_size
