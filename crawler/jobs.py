"""Which run is meant, and what it remembers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, structs

from crawler.errors import OutputError, RunError
from crawler.export.run_folder import (
    RECORD,
    REPORT,
    Record,
    new_folder,
    read_record,
    read_report,
    write_record,
)
from crawler.export.targets import plan
from crawler.frontier.presence import is_crawled, locked
from crawler.frontier.retrying import retry_failed
from crawler.frontier.schema import FILE, LOCK
from crawler.meaning import differences, meaning_of
from crawler.outcome import Report
from crawler.records.streams import streams_of
from crawler.settings import Settings
from crawler.shared_outputs import check_outputs, is_one_of
from crawler.spider import Spider

State = Literal["finished", "live", "unfinished", "stopped", "gone"]
"""A run nobody crawls is `stopped` if it ended in good order, else `unfinished`, with work left;
`gone` if there is no frontier to go on from."""


class Job(Struct, frozen=True):
    """One run: its folder, and what it remembers; `is_new` if it is only now begun.

    `retried` is how many requests that failed before are asked for again.
    """

    folder: Path
    record: Record
    is_new: bool = True
    retried: int = 0


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

    Raises `OutputError`, and `RunError` if the folder is somebody's.
    """
    if folder is not None:
        _check_lasting(folder, settings)
        _check_empty(folder)
    given = given or Record(spider=spider.name, created=datetime.now(UTC))
    streams = streams_of(spider.item_types)
    where = plan(
        outputs, streams=streams, names=names_of(given), overwrite=overwrite, append=append
    )
    record = structs.replace(
        given,
        outputs=tuple(outputs),
        plan=where,
        streams=streams,
        meaning=meaning_of(spider, settings, given.arguments if given.source else None),
    )
    if folder is None:
        folder = new_folder(Path(settings.output_dir) / spider.name)
        write_record(folder, record)
    else:
        _begin_in(folder, record)
    return Job(folder, record)


def take_up(
    folder: Path,
    spider: Spider[Any],
    settings: Settings,
    *,
    outputs: Sequence[str] = (),
    overwrite: bool = False,
    append: bool = False,
) -> Job | Report:
    """Begin the run of a folder, or go on with it; return how it ended if it is finished.

    Raises `OutputError`, and `RunError` as `go_on` does.
    """
    if not (folder / RECORD).exists():
        return begin(
            spider, settings, outputs=outputs, overwrite=overwrite, append=append, folder=folder
        )
    record, report = read_record(folder), read_report(folder)
    check_name(folder, record, spider.name)
    if report is not None and state_of(folder) == "finished":
        return report
    return go_on(folder, record, spider, settings, outputs=outputs)


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
    check_free(folder)
    _check_lasting(folder, settings)
    check_same(folder, record, spider, settings, arguments=arguments)
    check_outputs(folder, record, Path(settings.output_dir))
    fresh = [text for text in outputs if not is_one_of(text, folder, record)]
    if fresh:
        streams = streams_of(spider.item_types)
        more = plan(fresh, streams=streams, names=names_of(record), begun=record.plan)
        record = structs.replace(record, outputs=(*record.outputs, *fresh), plan=more)
    write_record(folder, record)
    # A process that died before it had made its frontier has kept nothing.
    return Job(folder, record, is_new=not (folder / FILE).exists())


def names_of(record: Record) -> Mapping[str, str]:
    """Return what fills gaps in the names of a run's outputs."""
    return {"spider": record.spider, "date": record.created.strftime("%Y-%m-%d")}


def check_same(
    folder: Path,
    record: Record,
    spider: Spider[Any],
    settings: Settings,
    *,
    arguments: Mapping[str, str] | None = None,
) -> None:
    """Raise `RunError` for another spider, scope, seeds or arguments than a run was begun with."""
    check_name(folder, record, spider.name)
    now = meaning_of(spider, settings, record.arguments if arguments is None else arguments)
    if changed := differences(record.meaning, now):
        raise RunError(f"{folder}: is another crawl than this one: {'; '.join(changed)}")


def check_name(folder: Path, record: Record, name: str) -> None:
    """Raise `RunError` if a run is not of the spider called `name`."""
    if record.spider != name:
        raise RunError(f"{folder}: is a run of spider {record.spider!r}, not of {name!r}")


def try_again(job: Job) -> Job:
    """Queue again what failed in a run, which counts as unfinished then.

    Raises `RunError`, `OutputError`.
    """

    def forget_report() -> None:
        try:
            (job.folder / REPORT).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"{job.folder / REPORT}: cannot be removed: {error.strerror}"
            ) from None

    return structs.replace(job, retried=retry_failed(job.folder, before=forget_report))


def runs_in(output_dir: Path, name: str) -> list[Path]:
    """Return the folders of a spider's runs, the oldest first."""
    folders = [path.parent for path in (output_dir / name).glob(f"*/{RECORD}")]
    return sorted(folders, key=lambda folder: age_of(folder.name))


def find_run(output_dir: Path, name: str, run: str = "") -> Path:
    """Return the folder of a spider's run: by its path, its name or NAME/RUN, or the newest.

    Raises `RunError`.
    """
    runs = runs_in(output_dir, name)
    if run and not (run == name and runs):
        for folder in (Path(run), output_dir / name / run, output_dir / run):
            if (folder / RECORD).exists():
                return folder
        known = ", ".join(folder.name for folder in runs[-3:]) or "none"
        raise RunError(f"spider {name} has no run {run!r}; its newest are {known}")
    if not runs:
        raise RunError(
            f"spider {name} has no run in {output_dir / name}; there is nothing to resume"
        )
    return runs[-1]


def state_of(folder: Path) -> State:
    """Return what there is to do for a run."""
    if is_crawled(folder):
        return "live"
    report = read_report(folder)
    if report is not None and report.finished:
        return "finished"
    if not (folder / FILE).exists() and (report is not None or has_lines(folder)):
        return "gone"
    return "unfinished" if report is None else "stopped"


def check_free(folder: Path) -> None:
    """Raise `RunError` if somebody crawls a run, or if there is nothing to go on from."""
    state = state_of(folder)
    if state == "live":
        raise RunError(f"{folder}: is being crawled now; --join {folder} adds a process to it")
    if state == "gone":
        raise RunError(f"{folder}: has no {FILE} to go on from")


def has_lines(folder: Path) -> bool:
    """True if there is a line in one of the line files that a run keeps in its folder."""
    files = [folder / f"{name}.jsonl" for name in ("items", "pages", "media", "failures")]
    return any(file.exists() and file.stat().st_size for file in files)


def _check_empty(folder: Path) -> None:
    """Raise `RunError` if there is anything in a folder; what begins with a dot may be our own."""
    try:
        names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        if RECORD in names:
            raise _begun(folder)
        if names:
            raise RunError(f"{folder}: is not empty, and no folder of a run")
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(f"{folder}: is no folder of a run: {error.strerror}") from None


def _begin_in(folder: Path, record: Record) -> None:
    """Make a folder the run's; of two that begin at once one is refused."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
    with locked(folder / LOCK):
        if (folder / RECORD).exists():
            raise _begun(folder)
        write_record(folder, record)


def _begun(folder: Path) -> RunError:
    return RunError(f"{folder}: another process began this run just now")


def _check_lasting(folder: Path, settings: Settings) -> None:
    if settings.frontier == "memory":
        raise RunError(f"{folder}: frontier=memory leaves nothing to go on from")


def age_of(name: str) -> tuple[str, int]:
    """Return what sorts runs by age: of one second `…-10` is younger than `…-2`."""
    stamp, number = name[:19], name[20:]
    return stamp, int(number) if number.isdigit() else 0
