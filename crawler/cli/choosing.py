"""Which run a command line means."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from crawler.app import settings_of
from crawler.cli.finding import SpiderClass, build, note_on, source_of
from crawler.cli.layers import layers, split
from crawler.cli.naming import named_source
from crawler.cli.streams import check_stdout, warn
from crawler.conduct import Conduct
from crawler.errors import RunError, UsageError
from crawler.export.run_folder import RECORD, Record, read_record, read_report
from crawler.frontier.glance import glance
from crawler.frontier.schema import FILE
from crawler.jobs import (
    Job,
    begin,
    check_free,
    check_name,
    check_same,
    find_run,
    go_on,
    runs_in,
    state_of,
    try_again,
)
from crawler.plain import encode
from crawler.settings import Settings
from crawler.shared_outputs import is_one_of
from crawler.spider import Spider
from crawler.state import check_stateless


class Asked(Struct, frozen=True):
    """What the command line asks for: an old run by one of four options, or a new one."""

    name: str
    kind: SpiderClass
    arguments: Mapping[str, str]
    pairs: Sequence[str]
    flags: Mapping[str, str]
    outputs: Sequence[str] = ()
    overwrite: bool = False
    append: bool = False
    processes: int | None = None
    resume: str | None = None
    job: str | None = None
    join: str | None = None
    retry_failed: str | None = None
    sources: Sequence[str] = ()


class Chosen(Struct, frozen=True):
    """A run, with the spider and the settings it is crawled with.

    `again` is the command line that goes on with it if it ends early, "" if none can.
    """

    spider: Spider[Any]
    settings: Settings
    job: Job
    again: str = ""


def choose(asked: Asked) -> Chosen | None:
    """Return the run that is meant; None if it is finished, which is said.

    Raises `UsageError` for what does not go together, and for a run that cannot be crawled now.
    """
    _check(asked)
    asked = _sourced(asked)
    folder = _folder(asked)
    if folder is None or not (folder / RECORD).exists():
        return _new(asked, folder)
    record = read_record(folder)
    check_name(folder, record, asked.kind.name)
    if not _may_go_on(folder, record, asked):
        return None
    arguments, pairs = {**record.arguments, **asked.arguments}, _pairs(record, asked)
    merged = structs.replace(asked, arguments=arguments, pairs=pairs, flags={})
    spider, settings = _built(merged)
    if asked.join is not None:
        check_same(folder, record, spider, settings, arguments=arguments)
        check_stateless(spider)
        return Chosen(spider, settings, Job(folder, record, is_new=False))
    record = structs.replace(
        record,
        source=source_of(asked.kind),
        arguments=arguments,
        processes=asked.processes or record.processes,
        pairs=pairs,
        flags={},
    )
    job = go_on(folder, record, spider, settings, outputs=asked.outputs, arguments=arguments)
    if asked.retry_failed is not None:
        job = try_again(job)
    return Chosen(spider, settings, job, _again(asked, job))


def _sourced(asked: Asked) -> Asked:
    """Return what is asked for with `--from` as a setting, its runs found."""
    if not asked.sources:
        return asked
    below, above = layers(asked.pairs, asked.flags)
    settings = settings_of(asked.kind, below=below, above=above)
    places = [
        str(named_source(text, Path(settings.output_dir), name=asked.kind.name))
        for text in asked.sources
    ]
    return structs.replace(asked, flags={**asked.flags, "source": encode(places).decode()})


def _check(asked: Asked) -> None:
    given = [
        f"--{name.replace('_', '-')}"
        for name in ("resume", "job", "join", "retry_failed")
        if getattr(asked, name) is not None
    ]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other")
    if given not in ([], ["--job"]) and (asked.overwrite or asked.append):
        raise UsageError(
            f"{given[0]} keeps the outputs of its run; --overwrite and --append do not"
        )
    if asked.join is not None and (asked.outputs or asked.processes is not None):
        raise UsageError("--join adds one process to a run as it is; -o and --processes do not go")
    if asked.processes is not None and asked.processes < 1:
        raise UsageError(f"--processes must be at least 1, got {asked.processes}")


def _pairs(record: Record, asked: Asked) -> list[str]:
    """Return the settings of a run and those given now, which win, as `-s` takes them."""
    merged = {
        **split(record.pairs, "-s"),
        **record.flags,
        **split(asked.pairs, "-s"),
        **asked.flags,
    }
    return [f"{name}={value}" for name, value in merged.items()]


def _folder(asked: Asked) -> Path | None:
    """Return the folder of the run that is meant; None: a new one."""
    if asked.job is not None:
        return Path(asked.job)
    wanted = [name for name in (asked.resume, asked.join, asked.retry_failed) if name is not None]
    if not wanted:
        return None
    below, above = layers(asked.pairs, asked.flags)
    settings = settings_of(asked.kind, below=below, above=above)
    return find_run(Path(settings.output_dir), asked.kind.name, wanted[0])


def _may_go_on(folder: Path, record: Record, asked: Asked) -> bool:
    """False if there is nothing to do, which is said. Raises `RunError` if that is a mistake."""
    state = state_of(folder)
    if asked.join is not None:
        if state != "live":
            raise RunError(f"{folder}: nobody crawls it now; --resume goes on with it")
        return True
    check_free(folder)
    if asked.retry_failed is not None:
        return _has_failed(folder)
    if state != "finished":
        return True
    report = read_report(folder)
    pages = f" with {report.pages:,} pages" if report is not None else ""
    fresh = [text for text in asked.outputs if not is_one_of(text, folder, record)]
    unwritten = f", nor to write to {fresh[0]}" if fresh else ""
    older = _older(folder, asked)
    warn(f"{folder}: is finished{pages}, there is nothing to go on with{unwritten}{older}")
    return False


def _older(folder: Path, asked: Asked) -> str:
    """Say which run can be gone on with, if there is one beside a finished one."""
    runs = runs_in(folder.parent, ".") if asked.job is None else []
    others = [run for run in runs if state_of(run) in ("unfinished", "stopped")]
    return f"; --resume {others[-1].name} goes on with an older one" if others else ""


def _has_failed(folder: Path) -> bool:
    if not (folder / FILE).exists():
        raise RunError(f"{folder}: has no {FILE} any more, which knows what failed")
    failed = glance(folder).failed
    if not failed:
        warn(f"{folder}: no request of it failed, there is nothing to try again")
    return bool(failed)


def _new(asked: Asked, folder: Path | None) -> Chosen:
    if "-" in asked.outputs:
        check_stdout()
    spider, settings = _built(asked)
    given = Record(
        spider=spider.name,
        source=source_of(asked.kind),
        arguments=asked.arguments,
        pairs=list(asked.pairs),
        flags=asked.flags,
        processes=asked.processes or 1,
        created=datetime.now(UTC),
    )
    if given.processes > 1 and settings.frontier == "memory":
        raise UsageError("--processes: several processes cannot share frontier=memory")
    job = begin(
        spider,
        settings,
        outputs=asked.outputs,
        overwrite=asked.overwrite,
        append=asked.append,
        folder=folder,
        given=given,
    )
    again = _again(asked, job) if settings.frontier != "memory" else ""
    return Chosen(spider, settings, job, again)


def _again(asked: Asked, job: Job) -> str:
    """Return the command line that goes on with a run, as short as it can be."""
    words = ["crawl", *(["run"] if note_on(asked.name) else []), asked.name]
    if asked.job is not None:
        return shlex.join([*words, "--job", asked.job])
    below, above = layers((), {})
    settings = settings_of(asked.kind, below=below, above=above)
    usual = runs_in(Path(settings.output_dir), asked.kind.name)
    if job.folder not in usual:
        return shlex.join([*words, "--resume", str(job.folder)])
    return shlex.join([*words, "--resume", *([job.folder.name] if job.folder != usual[-1] else [])])


def _built(asked: Asked) -> tuple[Spider[Any], Settings]:
    below, above = layers(asked.pairs, asked.flags)
    settings = settings_of(asked.kind, below=below, above=above)
    spider = build(asked.kind, asked.arguments)
    Conduct(spider, settings)  # raises for what could never run
    return spider, settings
