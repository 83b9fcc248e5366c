"""Reads what `-o` asks for."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from crawler.errors import OutputError, TargetUnfit
from crawler.export.appending import kept_of
from crawler.export.file_target import FileTarget, Place
from crawler.export.formats import FORMATS
from crawler.export.naming import check_gaps, filled, has_gap, whole, with_item
from crawler.export.sheet import Sheet
from crawler.export.standard_output import StandardOutput
from crawler.oserrors import refused
from crawler.outcome import Mark, Position
from crawler.protocols import Follower
from crawler.records.streams import Streams
from crawler.setting_values import unknown
from crawler.settings import Settings

STDOUT = "-"
_LINES = ".jsonl"


class Source(Struct, frozen=True):
    """What a target follows: the lines of a run, those from byte `begin` on, and their types."""

    run: str
    streams: Streams
    settings: Settings
    begin: int = 0


class Target(Struct, frozen=True):
    """One output besides the spool: plain values, so that a run can remember it.

    `path` is a name with gaps for `run`, `item` and `part`. `kept` are the bytes that other runs
    left in its files; what follows them is this run's; `part` is the number of its first part.
    """

    path: str
    format: str
    kept: Mapping[str, int] = {}
    part: int = 1

    @property
    def name(self) -> str:
        """The target's name for people."""
        return "standard output" if self.path == STDOUT else whole(self.path)

    def files(self, streams: Streams, *, run: str) -> Sequence[Path]:
        """Return the files that it begins with."""
        return [] if self.path == STDOUT else list(_files(filled(self.path, run=run), streams))

    async def open(self, source: Source, mark: Mark | None = None) -> Follower:
        """Open the target, as it was at `mark`, or without anything of this run's.

        Raises `TargetError`.
        """
        if self.path == STDOUT:
            return StandardOutput(mark or Mark(source.begin))
        _check_kept(self.kept)
        place = Place(
            filled(self.path, run=source.run),
            FORMATS[self.format],
            self.kept,
            Sheet(Path(), settings=source.settings),
            part=self.part,
        )
        return await FileTarget.open(place, source.streams, begin=source.begin, mark=mark)


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
    names: Mapping[str, str] | None = None,
    overwrite: bool = False,
    append: bool = False,
    begun: Plan | None = None,
) -> Plan:
    """Return what the `-o` texts come to, with parent folders made and no file changed.

    The first `.jsonl` is the spool itself, unless a run has `begun` with a plan, which these are
    added to. `names` fill gaps of names: the spider's, and the date. Raises `OutputError`.
    """
    if overwrite and append:
        raise OutputError("--overwrite and --append exclude each other")
    spool, position = (begun.spool, begun.position) if begun else (None, Position())
    targets: list[Target] = [*begun.targets] if begun else []
    taken: set[Path] = set()
    for text in outputs:
        target = _target(text, streams, names=names or {})
        files = list(_files(target.path, streams)) if target.path != STDOUT else []
        for file in files:
            if not has_gap(str(file), "run"):
                _check(Path(whole(str(file))), may_exist=overwrite or append)
            _claim(file, taken)
        if append and target.path != STDOUT:
            kept, part = kept_of(target.path, target.format, files=files, streams=streams)
            target = Target(target.path, target.format, kept, part)
        is_plain = target.format == _LINES and "{" not in target.path
        if is_plain and spool is None and begun is None:
            spool, position = target.path, {"items": target.kept.get(target.path, 0)}
        else:
            targets.append(target)
    if targets.count(Target(STDOUT, STDOUT)) > 1:
        raise OutputError("-o - is given twice")
    return Plan(spool, position, tuple(targets))


def _target(text: str, streams: Streams, *, names: Mapping[str, str]) -> Target:
    """Return the target of an `-o`, as if there were nothing in its place."""
    if text == STDOUT:
        return Target(STDOUT, STDOUT)
    suffix = _suffix_of(text)
    check_gaps(text)
    path = os.path.abspath(filled(text, **names))
    if FORMATS[suffix].is_table and len(streams.fields) > 1 and not has_gap(path, "item"):
        path = with_item(path, suffix)
    return Target(path, suffix)


def _suffix_of(text: str) -> str:
    """Return the longest known suffix, so that a later `.jsonl.gz` is not read as `.gz`."""
    name = Path(text).name.lower()
    for suffix in sorted(FORMATS, key=len, reverse=True):
        if name.endswith(suffix) and name != suffix:
            return suffix
    if os.path.isdir(text) or text.endswith(os.sep):
        raise OutputError(f"{text}: is a folder; -o needs a file")
    problem = unknown("output format", Path(name).suffix, FORMATS)
    raise OutputError(f"{text}: {problem}; known are {', '.join(FORMATS)} (- is standard output)")


def _files(path: str, streams: Streams, *, part: int = 1) -> Iterator[Path]:
    """Yield the files of a target: one, or one a type; the first part if there are parts."""
    items = list(streams.fields) if has_gap(path, "item") else [""]
    for item in items:
        name = filled(path, item=item, part=part)
        yield Path(name if has_gap(name, "run") else whole(name))


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
    """Raise `TargetUnfit` if a file lost what other runs left in it."""
    for name, size in kept.items():
        length = os.path.getsize(name) if os.path.exists(name) else 0
        if length < size:
            raise TargetUnfit(
                f"{name}: held {size:,} bytes when the run began, but has {length:,} now; "
                "was it edited?"
            )
