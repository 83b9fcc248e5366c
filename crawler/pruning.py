"""Frees what finished runs need no more."""

import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from crawler.archive.archive import INDEX
from crawler.errors import OutputError, RunError
from crawler.export.media_part import PARTS as MEDIA_PARTS
from crawler.export.run_folder import RECORD, REPORT, read_record, write_record
from crawler.export.warc import DIGESTS, FOLDER
from crawler.files import MEDIA, PARTS
from crawler.frontier.glance import glance
from crawler.frontier.presence import PROCESSES, is_crawled, locked
from crawler.frontier.schema import FILE, LOCK
from crawler.jobs import has_lines, state_of

_DIGESTS = [f"{FOLDER}/{DIGESTS}{ending}" for ending in ("", "-wal", "-shm")]
_INDEX = (INDEX, f".{INDEX}.part")
_FRONTIER = (FILE, f"{FILE}-wal", f"{FILE}-shm", PROCESSES, PARTS, LOCK, *_DIGESTS, *_INDEX)
_EMPTY = {
    *_FRONTIER,
    *(f"{name}.jsonl" for name in ("items", "pages", "media", "failures")),
    *(RECORD, f".{RECORD}.part", "crawl.log"),
}
"""All that a run may have in its folder and yet hold nothing."""
_RUN = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(-\d+)?")
_BEGUN_SECONDS = 3600.0
"""A folder so young may belong to a run that waits for its first page."""


def prune(folder: Path) -> int | None:
    """Delete a finished run's frontier; return the bytes freed, None if there is nothing to do.

    Raises `OutputError`.
    """
    if state_of(folder) != "finished" or not (folder / FILE).exists():
        return None
    with locked(folder / LOCK):
        if state_of(folder) != "finished":  # somebody may have begun meanwhile
            return None
        with suppress(RunError):  # what is broken may go as well
            # Others may have added to a file of -o since, or may yet.
            ends = glance(folder).position
            write_record(folder, structs.replace(read_record(folder), ends=ends))
        return _remove(folder, (*_FRONTIER, f"{MEDIA}/{MEDIA_PARTS}"))


def prune_empty(folder: Path) -> bool:
    """Delete the folder of a run that holds nothing; False if it is none. Raises `OutputError`."""
    if not _is_empty(folder):
        return False
    _remove(folder, _EMPTY)
    try:
        folder.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be removed: {error.strerror}") from None
    return True


def _is_empty(folder: Path) -> bool:
    if not _RUN.fullmatch(folder.name) or time.time() - folder.stat().st_mtime < _BEGUN_SECONDS:
        return False
    if is_crawled(folder) or (folder / REPORT).exists() or has_lines(folder):
        return False
    if any(path.name not in _EMPTY for path in folder.iterdir()):
        return False
    try:
        return not (folder / FILE).exists() or glance(folder).fresh
    except RunError:
        return False


def _remove(folder: Path, names: Iterable[str]) -> int:
    """Delete files and folders of a run's; return the bytes they held."""
    freed = 0
    for path in (folder / name for name in names):
        try:
            if path.is_dir():
                freed += sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
                shutil.rmtree(path)
            elif path.exists():
                freed += path.stat().st_size
                path.unlink()
        except OSError as error:
            raise OutputError(f"{path}: cannot be removed: {error.strerror}") from None
    return freed
