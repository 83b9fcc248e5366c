"""Reads what `-o` asks for."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, structs

from crawler.errors import OutputError, TargetUnfit
from crawler.export.appending import kept_of
from crawler.export.file_target import FileTarget, Place, begins_with
from crawler.export.formats import FORMATS
from crawler.export.naming import check_gaps, filled, has_gap, whole, with_item
from crawler.export.remote import SCHEMES, Uploads, check_installed, scheme_of, shown
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
    """What a target follows: the lines of a run, those from byte `begin` on, and their types.

    `uploads` is the folder where files are made that are uploaded when they are complete.
    """

    run: str
    streams: Streams
    settings: Settings
    begin: int = 0
    uploads: Path = Path("uploads")


class Target(Struct, frozen=True):
    """One output besides the spool: plain values, so that a run can remember it.

    `path` is a name with gaps for `run`, `item` and `part`. `kept` are the bytes that other runs
    left in its files; what follows them is this run's; `part` is the number of its first part.
    `replaces`: files of others in its place may go.
    """

    path: str
    format: str
    kept: Mapping[str, int] = {}
    part: int = 1
    replaces: bool = False

    @property
    def name(self) -> str:
        """The target's name for people."""
        return "standard output" if self.path == STDOUT else shown(whole(self.path))

    @property
    def is_local(self) -> bool:
        """True if it is files on this machine."""
        return self.path != STDOUT and not scheme_of(self.path)

    def files(self, streams: Streams, *, run: str) -> Sequence[Path]:
        """Return the files on this machine that it begins with."""
        return list(begins_with(filled(self.path, run=run), streams)) if self.is_local else []

    async def open(self, source: Source, mark: Mark | None = None) -> Follower:
        """Open the target, as it was at `mark`, or without anything of this run's.

        Raises `TargetError`.
        """
        if self.path == STDOUT:
            return StandardOutput(mark or Mark(source.begin))
        _check_kept(self.kept)
        path, uploads = filled(self.path, run=source.run), None
        if not self.is_local:
            uploads = Uploads(path, source.uploads, replaces=self.replaces)
            path = uploads.path
        place = Place(
            path,
            FORMATS[self.format],
            Sheet(Path(), settings=source.settings),
            kept=self.kept,
            part=self.part,
            replaces=self.replaces,
            uploads=uploads,
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
        files = list(begins_with(target.path, streams)) if target.is_local else []
        for file in files:
            if not has_gap(str(file), "run"):
                _check(Path(whole(str(file))), may_exist=overwrite or append)
            _claim(file, taken)
        if append:
            target = _appending(target, files, streams)
        elif overwrite:
            target = structs.replace(target, replaces=True)
        is_plain = target.is_local and target.format == _LINES and "{" not in target.path
        if is_plain and spool is None and begun is None:
            spool, position = target.path, {"items": target.kept.get(target.path, 0)}
        else:
            targets.append(target)
    if sum(target.path == STDOUT for target in targets) > 1:
        raise OutputError("-o - is given twice")
    return Plan(spool, position, tuple(targets))


def _target(text: str, streams: Streams, *, names: Mapping[str, str]) -> Target:
    """Return the target of an `-o`, as if there were nothing in its place."""
    if text == STDOUT:
        return Target(STDOUT, STDOUT)
    suffix = _suffix_of(text)
    check_gaps(text)
    path = filled(text, **names)
    if scheme := scheme_of(text):
        if scheme not in SCHEMES:
            problem = unknown("scheme", scheme, SCHEMES)
            raise OutputError(f"{shown(text)}: {problem}; known are {', '.join(SCHEMES)}")
        check_installed(text)
    else:
        path = os.path.abspath(path)
    if FORMATS[suffix].is_table and len(streams.fields) > 1 and not has_gap(path, "item"):
        path = with_item(path, suffix)
    return Target(path, suffix)


def _appending(target: Target, files: Sequence[Path], streams: Streams) -> Target:
    """Return a target that keeps what is there. Raises `OutputError` if it cannot."""
    if target.path == STDOUT:
        return target
    if not target.is_local:
        raise OutputError(
            f"{target.name}: what is uploaded cannot be added to; {{run}} names it anew"
        )
    kept, part = kept_of(target.path, target.format, files=files, streams=streams)
    return structs.replace(target, kept=kept, part=part)


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
