"""Reads what `-o` asks for."""

import os
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from msgspec import Struct, structs

from crawler.errors import OutputError
from crawler.export.appending import check_kept, kept_of
from crawler.export.databases.registry import DATABASES
from crawler.export.databases.registry import check as check_begins
from crawler.export.databases.urls import check_url, planned, split, without_password
from crawler.export.databases.wanted import Wanted
from crawler.export.file_target import FileTarget, begins_with, parts_of
from crawler.export.formats import FORMATS
from crawler.export.naming import (
    absolute,
    can_meet,
    check_gaps,
    filled,
    has_gap,
    has_gaps,
    literal,
    whole,
    with_item,
)
from crawler.export.place import check_place
from crawler.export.remote import SCHEMES, Uploads, check_installed, scheme_of, shown
from crawler.export.route import Place
from crawler.export.sheet import Sheet
from crawler.export.standard_output import StandardOutput
from crawler.export.suffixes import suffix_of
from crawler.outcome import Mark, Position
from crawler.protocols import Follower
from crawler.records.streams import Streams
from crawler.setting_values import unknown
from crawler.settings import Settings

STDOUT = "-"
_LINES = ".jsonl"
_SCHEMES = (*SCHEMES, *(name for name in DATABASES if not name.startswith(".")))


class Source(Struct, frozen=True):
    """What a target follows: the lines of a run, those from byte `begin` on, and their types.

    `uploads` is the folder where files are made that are uploaded when they are complete. `run` is
    the name of the run's folder, `identity` what no other run has, wherever its folder is.
    """

    run: str
    streams: Streams
    settings: Settings
    begin: int = 0
    uploads: Path = Path("uploads")
    identity: str = ""


class Target(Struct, frozen=True):
    """One output besides the spool: plain values, so that a run can remember it.

    `path` is a name with gaps for `run`, `item` and `part`. `kept` are the bytes that other runs
    left in its files; what follows them is this run's; `part` is the number of its first part.
    `replaces`: files and tables of others in its place may go; `appends`: tables may stay.
    """

    path: str
    format: str
    kept: Mapping[str, int] = {}
    part: int = 1
    replaces: bool = False
    appends: bool = False

    @property
    def name(self) -> str:
        """The target's name for people."""
        return "standard output" if self.path == STDOUT else for_people(whole(self.path))

    @property
    def key(self) -> str:
        """What tells it apart from the other targets of its run; no password is in it."""
        return for_people(self.path)

    @property
    def is_database(self) -> bool:
        """True if it is tables, which several runs may add to by turns, each where it was."""
        return self.format in DATABASES

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
        if self.is_database:
            return await DATABASES[self.format].load().open(self.wanted(source), mark)
        check_kept(self.kept)
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

    def wanted(self, source: Source) -> Wanted:
        """Return what a database is opened with."""
        if self.is_local:
            where, table = whole(filled(self.path, run=source.run)), "{item}"
        else:
            where, table = split(self.path)
        return Wanted(
            where,
            self.name,
            source.streams,
            table=filled(table, run=source.run),
            mode="overwrite" if self.replaces else "append" if self.appends else "new",
            run=source.identity,
            begin=source.begin,
            durable=source.settings.durable == "full",
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
    taken = [name for target in targets for name in _names(target, streams)]
    taken += [_named(literal(spool))] if spool else []
    for text in outputs:
        target = _target(text, streams, names=names or {})
        files = list(begins_with(target.path, streams)) if target.is_local else []
        if not has_gap(target.path, "run"):
            parts = parts_of(target.path, streams) if target.is_local else []
            for file in dict.fromkeys([*files, *parts]):
                check_place(file, may_exist=overwrite or append)
        taken += _claimed(target, taken, streams)
        if append:
            target = _appending(target, files, streams)
        elif overwrite:
            target = structs.replace(target, replaces=True)
        if target.is_database:
            _check_database(target, streams, {known.key for known in targets})
        is_plain = target.is_local and target.format == _LINES and not has_gaps(target.path)
        if is_plain and spool is None and begun is None:
            spool = whole(target.path)
            position = {"items": target.kept.get(spool, 0)}
        else:
            targets.append(target)
    if sum(target.path == STDOUT for target in targets) > 1:
        raise OutputError("-o - is given twice")
    return Plan(spool, position, tuple(targets))


def _target(text: str, streams: Streams, *, names: Mapping[str, str]) -> Target:
    """Return the target of an `-o`, as if there were nothing in its place."""
    if text == STDOUT:
        return Target(STDOUT, STDOUT)
    scheme = scheme_of(text)
    if scheme and scheme not in _SCHEMES:
        problem = unknown("scheme", scheme, _SCHEMES)
        known = f"known are {', '.join(_SCHEMES)}; a file is named by its path alone"
        raise OutputError(f"{for_people(text)}: {problem}; {known}")
    if scheme:
        check_url(text)
    if scheme in DATABASES:
        return Target(planned(text, names=names, several=len(streams.fields) > 1), scheme)
    suffix = suffix_of(text)
    check_gaps(text)
    path = filled(text, **names)
    if scheme:
        if text.partition("://")[2].startswith("/"):
            raise OutputError(f"{text}: has no {'host' if scheme == 'sftp' else 'bucket'}")
        if suffix in DATABASES:
            raise OutputError(f"{shown(text)}: a {suffix} file is not uploaded")
        check_installed(text)
    else:
        path = absolute(path)
    if suffix in DATABASES:
        if has_gap(path, "item") or has_gap(path, "part"):
            raise OutputError(f"{text}: {{item}} and {{part}} are for files; a database has tables")
        return Target(path, suffix)
    FORMATS[suffix].check_installed(shown(text))
    if FORMATS[suffix].is_table and len(streams.fields) > 1 and not has_gap(path, "item"):
        path = with_item(path, suffix)
    return Target(path, suffix)


def _appending(target: Target, files: Sequence[Path], streams: Streams) -> Target:
    """Return a target that keeps what is there. Raises `OutputError` if it cannot."""
    if target.path == STDOUT:
        return target
    if target.is_database:
        return structs.replace(target, appends=True)
    if not target.is_local:
        raise OutputError(
            f"{target.name}: what is uploaded cannot be added to; {{run}} names it anew"
        )
    kept, part = kept_of(target.path, target.format, files=files, streams=streams)
    return structs.replace(target, kept=kept, part=part)


def for_people(output: str) -> str:
    """Return an `-o` without a password that is in it."""
    return without_password(output) if scheme_of(output) in DATABASES else shown(output)


def _check_database(target: Target, streams: Streams, taken: Set[str]) -> None:
    """Raise `OutputError` if a run could not begin with a database."""
    if target.key in taken:
        raise OutputError(f"{target.name}: two outputs go to these tables")
    wanted = target.wanted(Source("", streams, Settings()))
    name = wanted.table if scheme_of(target.path) else target.path
    check_begins(target.format, wanted, is_known=not has_gap(name, "run"))


def _claimed(target: Target, taken: Sequence[str], streams: Streams) -> Sequence[str]:
    """Return the names of a target's files. Raises `OutputError` if another has one of them."""
    names = _names(target, streams)
    for name in names:
        for other in taken:
            if can_meet(name, other):
                both = {for_people(whole(name)): None, for_people(whole(other)): None}
                raise OutputError(f"{' and '.join(both)}: two outputs go to this file")
    return names


def _names(target: Target, streams: Streams) -> list[str]:
    """Return the names of a target's files, with gaps for their parts, and for the run."""
    if target.path == STDOUT or (target.is_database and not target.is_local):
        return []
    items = list(streams.fields) if has_gap(target.path, "item") else [""]
    names = [filled(target.path, item=item) for item in items]
    return [_named(name) for name in names] if target.is_local else names


def _named(name: str) -> str:
    return os.path.realpath(name)
