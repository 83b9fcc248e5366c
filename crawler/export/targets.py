"""Reads what `-o` asks for."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from crawler.errors import OutputError, TargetError
from crawler.export.csv_table import CsvTable
from crawler.export.json_array import JsonArray
from crawler.export.jsonl_copy import JsonlCopy, StandardOutput
from crawler.oserrors import refused
from crawler.outcome import Position
from crawler.protocols import Follower
from crawler.records.streams import Streams
from crawler.setting_values import unknown
from crawler.settings import Settings

STDOUT = "-"
_LINES = ".jsonl"


class Format(Protocol):
    """What a format brings: which files it writes, what `--append` keeps of them, a follower."""

    def files(self, path: Path, streams: Streams) -> Sequence[Path]:
        """Return every file that will be written for the target `path`."""

    def keep(self, path: Path, streams: Streams) -> Mapping[str, int]:
        """Return the bytes kept of each file that exists. Raises `OutputError` if none can be."""

    async def open(
        self, path: Path, *, streams: Streams, kept: Mapping[str, int], settings: Settings
    ) -> Follower:
        """Open the target, cut to what is `kept` (not named: empty). Raises `TargetError`."""


# A format with a dependency of its own imports it when it is opened.
FORMATS: dict[str, Format] = {
    _LINES: JsonlCopy,
    ".json": JsonArray,
    ".csv": CsvTable,
    STDOUT: StandardOutput,
}


class Target(Struct, frozen=True):
    """One output besides the spool: plain values, so that a run can remember it.

    `kept` are the bytes that other runs left in its files; what follows them is this run's.
    """

    path: str
    format: str
    kept: Mapping[str, int] = {}

    @property
    def name(self) -> str:
        """The target's name for people."""
        return "standard output" if self.path == STDOUT else self.path

    def files(self, streams: Streams) -> Sequence[Path]:
        """Return every file of it."""
        return FORMATS[self.format].files(Path(self.path), streams)

    async def open(self, *, streams: Streams, settings: Settings) -> Follower:
        """Open the target, without what this run wrote to it before. Raises `TargetError`."""
        _check_kept(self.kept)
        return await FORMATS[self.format].open(
            Path(self.path), streams=streams, kept=self.kept, settings=settings
        )


class Plan(Struct, frozen=True):
    """Where the items go: the spool's own file if `-o` named one, and the other targets.

    `position` is where the spool, and so every follower's cursor, begins.
    """

    spool: str | None = None
    position: Position = {}
    targets: Sequence[Target] = ()


def plan(
    outputs: Sequence[str],
    *,
    streams: Streams,
    overwrite: bool = False,
    append: bool = False,
    begun: Plan | None = None,
) -> Plan:
    """Return what the `-o` texts come to, with parent folders made and no file changed.

    The first `.jsonl` is the spool itself, unless a run has `begun` with a plan, which these are
    added to. Raises `OutputError`.
    """
    if overwrite and append:
        raise OutputError("--overwrite and --append exclude each other")
    spool, position = (begun.spool, begun.position) if begun else (None, Position())
    targets: list[Target] = [*begun.targets] if begun else []
    taken: set[Path] = set()
    for text in outputs:
        suffix = _format_of(text)
        path = Path(text if suffix == STDOUT else os.path.abspath(text))
        for file in FORMATS[suffix].files(path, streams):
            _check(file, may_exist=overwrite or append)
            _claim(file, taken)
        kept = _kept(path, suffix, streams) if append else {}
        if suffix == _LINES and spool is None and begun is None:
            spool, position = str(path), {"items": kept.get(str(path), 0)}
        else:
            targets.append(Target(str(path), suffix, kept))
    if targets.count(Target(STDOUT, STDOUT)) > 1:
        raise OutputError("-o - is given twice")
    return Plan(spool, position, tuple(targets))


def _format_of(text: str) -> str:
    """Return the longest known suffix, so that a later `.jsonl.gz` is not read as `.gz`."""
    if text == STDOUT:
        return STDOUT
    name = Path(text).name.lower()
    for suffix in sorted(FORMATS, key=len, reverse=True):
        if suffix != STDOUT and name.endswith(suffix) and name != suffix:
            return suffix
    if os.path.isdir(text) or text.endswith(os.sep):
        raise OutputError(f"{text}: is a folder; -o needs a file")
    problem = unknown("output format", Path(name).suffix, FORMATS)
    raise OutputError(f"{text}: {problem}; known are {', '.join(FORMATS)} (- is standard output)")


def _check(file: Path, *, may_exist: bool) -> None:
    if file.is_dir():
        raise OutputError(f"{file}: is a folder; -o needs a file")
    if file.exists() and not file.is_file():
        raise OutputError(f"{file}: is not a regular file; use -o - for a pipe")
    if file.exists() and not may_exist:
        raise OutputError(f"{file}: exists; use --overwrite or --append")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{refused(file.parent, error)}; -o needs a folder to write in") from None
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise OutputError(f"{file}: no permission to write")


def _claim(file: Path, taken: set[Path]) -> None:
    real = Path(os.path.realpath(file))
    if real in taken:
        raise OutputError(f"{file}: two outputs go to this file")
    taken.add(real)


def _check_kept(kept: Mapping[str, int]) -> None:
    """Raise `TargetError` if a file lost what other runs left in it."""
    for name, size in kept.items():
        length = os.path.getsize(name) if os.path.exists(name) else 0
        if length < size:
            raise TargetError(
                f"{name}: held {size:,} bytes when the run began, but has {length:,} now; "
                "was it edited?"
            )


def _kept(path: Path, suffix: str, streams: Streams) -> Mapping[str, int]:
    try:
        return FORMATS[suffix].keep(path, streams)
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from None
