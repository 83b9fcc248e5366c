"""Which run is meant, and what it remembers."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

from crawler.errors import OutputError, RunError
from crawler.export.run_folder import (
    RECORD,
    REPORT,
    Record,
    new_folder,
    read_report,
    write_record,
)
from crawler.export.targets import plan
from crawler.frontier.presence import is_there
from crawler.records.streams import streams_of
from crawler.settings import Settings
from crawler.spider import Spider

FRONTIER = "frontier.db"
PROCESSES = ".processes"
_BEFORE = frozenset({RECORD, f".{RECORD}.part", ".lock", PROCESSES})
"""What is in a run's folder before its frontier is."""

_MOST_LISTED = 1_000
_KEYS = ("max_depth", "ignore_query_order", "ignore_params")
_SCOPE = ("start_urls", "allowed_domains", "allowed_prefixes", "deny", "sitemaps")

State = Literal["finished", "live", "unfinished", "stopped", "gone"]
"""A run nobody crawls is `stopped` if it ended in good order, else `unfinished`, with work left;
`gone` if there is no frontier to go on from."""


class Job(Struct, frozen=True):
    """One run: its folder, and what it remembers; `is_new` if it is only now begun."""

    folder: Path
    record: Record
    is_new: bool = True


def begin(
    spider: Spider[Any],
    settings: Settings,
    *,
    outputs: Sequence[str] = (),
    overwrite: bool = False,
    append: bool = False,
    folder: Path | None = None,
    given: Record | None = None,
) -> Job:
    """Begin a run in a new folder (or in `folder`), with what `given` says of its command line.

    Raises `OutputError`.
    """
    given = given or Record(spider=spider.name, created=datetime.now(UTC))
    streams = streams_of(spider.item_types)
    where = plan(outputs, streams=streams, overwrite=overwrite, append=append)
    folder = new_folder(Path(settings.output_dir) / spider.name) if folder is None else folder
    record = structs.replace(
        given,
        outputs=tuple(outputs),
        plan=where,
        meaning=meaning_of(spider, settings, given.arguments),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
    write_record(folder, record)
    return Job(folder, record)


def go_on(
    folder: Path,
    record: Record,
    spider: Spider[Any],
    settings: Settings,
    *,
    outputs: Sequence[str] = (),
    arguments: Mapping[str, str] | None = None,
) -> Job:
    """Return a run that is to go on, with `outputs` that it did not have yet.

    Raises `RunError` if it cannot go on, or was begun with another scope, seeds or arguments.
    """
    if not (folder / FRONTIER).exists():
        raise RunError(f"{folder}: has no {FRONTIER} to go on from")
    now = meaning_of(spider, settings, record.arguments if arguments is None else arguments)
    if changed := _differences(record.meaning, now):
        raise RunError(f"{folder}: is another crawl than this one: {'; '.join(changed)}")
    fresh = [text for text in outputs if text not in record.outputs]
    if fresh:
        more = plan(fresh, streams=streams_of(spider.item_types), begun=record.plan)
        record = structs.replace(record, outputs=(*record.outputs, *fresh), plan=more)
    write_record(folder, record)
    return Job(folder, record, is_new=False)


def reopen(folder: Path) -> None:
    """Let a run that may be finished count as unfinished. Raises `OutputError`."""
    try:
        (folder / REPORT).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{folder / REPORT}: cannot be removed: {error.strerror}") from None


def runs_in(output_dir: Path, name: str) -> list[Path]:
    """Return the folders of a spider's runs, the oldest first."""
    folders = [path.parent for path in (output_dir / name).glob(f"*/{RECORD}")]
    return sorted(folders, key=lambda folder: _age(folder.name))


def find_run(output_dir: Path, name: str, run: str = "") -> Path:
    """Return the folder of a spider's run: by its name, its path, or the newest.

    Raises `RunError`.
    """
    runs = runs_in(output_dir, name)
    if run:
        for folder in (Path(run), output_dir / name / run):
            if (folder / RECORD).exists():
                return folder
        known = ", ".join(folder.name for folder in runs[-3:]) or "none"
        raise RunError(f"spider {name} has no run {run!r}; its newest are {known}")
    if not runs:
        raise RunError(
            f"spider {name} has no run in {output_dir / name}; there is nothing to resume"
        )
    return runs[-1]


def is_begun(folder: Path) -> bool:
    """False for a folder that holds no run, or one that was killed before it had anything."""
    return folder.exists() and any(path.name not in _BEFORE for path in folder.iterdir())


def state_of(folder: Path) -> State:
    """Return what there is to do for a run."""
    if any(is_there(path) for path in (folder / PROCESSES).glob("*")):
        return "live"
    report = read_report(folder)
    if report is not None and report.finished:
        return "finished"
    if not (folder / FRONTIER).exists():
        return "gone"
    return "unfinished" if report is None else "stopped"


def meaning_of(
    spider: Spider[Any], settings: Settings, arguments: Mapping[str, str]
) -> dict[str, Any]:
    """Return what may not change in a run, as plain values."""
    meaning: dict[str, Any] = {name: _listed(getattr(spider, name)) for name in _SCOPE}
    meaning |= {name: msgspec.to_builtins(getattr(settings, name)) for name in _KEYS}
    return {**meaning, "arguments": dict(arguments)}


def _listed(values: Any) -> list[str]:
    """Return a spider's list as texts; of a very long one a digest, so that none is written out."""
    texts = [v.pattern if isinstance(v, re.Pattern) else str(v) for v in values or ()]
    if len(texts) <= _MOST_LISTED:
        return texts
    digest = hashlib.blake2b("\n".join(texts).encode(errors="replace"), digest_size=8)
    return [f"{len(texts):,} entries, digest {digest.hexdigest()}"]


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    now = msgspec.json.decode(msgspec.json.encode(now))
    return [
        f"{name} was {was.get(name)!r}, is {now[name]!r}"
        for name in now
        if name in was and was[name] != now[name]
    ]


def _age(name: str) -> tuple[str, int]:
    """Return what sorts runs by age: of one second `…-10` is younger than `…-2`."""
    stamp, number = name[:19], name[20:]
    return stamp, int(number) if number.isdigit() else 0
