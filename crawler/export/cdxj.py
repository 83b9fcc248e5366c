"""The index of an archive, in CDXJ."""

import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec

from crawler.export.surt import surt
from crawler.export.warc_records import Member
from crawler.oserrors import refused
from crawler.owned import fresh, own
from crawler.syncing import sync_file

# About 30 MB of them.
_CHUNK_LINES = 100_000
_MOST_RUNS = 200
_encoder = msgspec.json.Encoder()


def index_entry(member: Member, *, file: str, offset: int) -> bytes:
    """Return a capture's line, with its end: the key, the time, and where it is."""
    stamp = "".join(filter(str.isdigit, member.date))[:14]
    where = {
        "url": member.url,
        "mime": member.mime,
        "status": str(member.status),
        "digest": member.digest,
        "length": str(len(member.data)),
        "offset": str(offset),
        "filename": file,
    }
    fields = _encoder.encode({name: value for name, value in where.items() if value})
    return f"{surt(member.url)} {stamp} ".encode() + fields + b"\n"


def write_index(
    target: Path, entries: Iterable[tuple[Path, int]], *, durable: bool = False
) -> None:
    """Write the lines of all files, each up to a length, sorted by bytes; whole or not at all.

    No more than some 30 MB of them are in memory at once. Raises `TargetError`.
    """
    beside = target.with_name(f".{target.name}.part")
    try:
        with open(beside, "xb", opener=fresh) as out, ExitStack() as stack:
            out.writelines(_sorted(_lines(entries), stack, target.parent))
        os.replace(beside, target)
        if durable:
            sync_file(target)
    except OSError as error:
        raise refused(target, error) from None


def drop_index(target: Path) -> None:
    """Delete an index, if it is there. Raises `TargetError`."""
    try:
        os.unlink(target)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise refused(target, error) from None


def _lines(entries: Iterable[tuple[Path, int]]) -> Iterator[bytes]:
    for path, length in entries:
        # A user may have put a file that is full elsewhere, and its lines with it.
        with suppress(FileNotFoundError), open(path, "rb", opener=own) as file:
            end = 0
            for line in file:
                end += len(line)
                if end > length:
                    break  # not committed
                yield line


def _sorted(lines: Iterator[bytes], stack: ExitStack, folder: Path) -> Iterator[bytes]:
    """Sort lines by way of files: each holds a run of them in order, and runs are merged."""
    runs: list[IO[bytes]] = []
    while chunk := sorted(islice(lines, _CHUNK_LINES)):
        if len(runs) == _MOST_RUNS:
            runs = [_run(heapq.merge(*runs), stack, folder)]
        if not runs and len(chunk) < _CHUNK_LINES:
            return iter(chunk)
        runs.append(_run(chunk, stack, folder))
    return heapq.merge(*runs)


def _run(lines: Iterable[bytes], stack: ExitStack, folder: Path) -> IO[bytes]:
    run: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # the stack closes it
    stack.enter_context(run)
    run.writelines(lines)
    run.seek(0)
    return run
