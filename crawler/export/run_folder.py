"""The folder of one run."""

import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from crawler.errors import OutputError, RunError
from crawler.export.targets import Plan
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Position, Report
from crawler.owned import fresh, own
from crawler.records.streams import Streams, streams_of
from crawler.syncing import sync_names

log = logging.getLogger(__name__)

RECORD = "run.json"
REPORT = "stats.json"


class Record(Struct, kw_only=True):
    """What a run has to remember of how it was begun: the content of `run.json`.

    `source` is how the command line finds the spider again; `pairs` and `flags` are the settings it
    was given; `streams` are the types of its items; `meaning` is what may not change in a run:
    scope, seeds, and what makes two URLs one. `ends` is how far its line files are, once its
    frontier, which knew that, is pruned.
    """

    spider: str
    source: str = ""
    arguments: Mapping[str, str] = {}
    pairs: Sequence[str] = ()
    flags: Mapping[str, str] = {}
    processes: int = 1
    outputs: Sequence[str] = ()
    plan: Plan = Plan()
    streams: Streams = streams_of(())
    meaning: Mapping[str, Any] = {}
    created: datetime
    ends: Position = {}


def new_folder(parent: Path) -> Path:
    """Make `parent`/RUN/ and return it; RUN is the time (UTC), so runs sort by age.

    Raises `OutputError`.
    """
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    number = 1
    while True:
        folder = parent / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
        else:
            return folder


def read_record(folder: Path) -> Record:
    """Return what a run remembers. Raises `RunError` if the folder is none of a run."""
    path = folder / RECORD
    try:
        return msgspec.json.decode(_bytes(path), type=Record)
    except FileNotFoundError:
        raise RunError(f"{folder}: is no folder of a run, it has no {RECORD}") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise RunError(f"{path}: cannot be read: {error}") from None


def write_record(folder: Path, record: Record) -> None:
    """Write what a run remembers, whole or not at all. Raises `OutputError`."""
    try:
        # Settings and arguments of the command line may be passwords.
        _write(folder / RECORD, record, mode=0o600)
    except OSError as error:
        raise OutputError(str(refused(folder / RECORD, error))) from None


def read_report(folder: Path) -> Report | None:
    """Return how a run ended last, or None if it never did in good order."""
    try:
        return msgspec.json.decode(_bytes(folder / REPORT), type=Report)
    except (OSError, msgspec.MsgspecError):
        return None


async def write_report(folder: Path, report: Report) -> None:
    """Write `stats.json`; a disk that is full by now is logged, since the crawl is over."""
    thread = FileThread("report")
    try:
        await thread.run(_write, folder / REPORT, report)
    except OSError as error:
        log.error("%s", refused(folder / REPORT, error))
    finally:
        thread.close()


def _bytes(path: Path) -> bytes:
    with open(path, "rb", opener=own) as file:
        return file.read()


def _write(path: Path, value: Struct, *, mode: int = 0o666) -> None:
    """Replace a file by `value` as JSON; it is never there in part, also if the power fails."""
    beside = path.with_name(f".{path.name}.part")
    with open(beside, "xb", opener=partial(fresh, mode=mode)) as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    sync_names(path)
