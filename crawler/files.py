"""Opens a run's files."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from crawler.errors import RunError
from crawler.export.following import Following
from crawler.export.marks import Marks, mark_of
from crawler.export.media import MediaFiles
from crawler.export.pages import NoPages
from crawler.export.run_folder import read_report
from crawler.export.spool import FileSpool
from crawler.export.stores import Ground, open_store
from crawler.export.tail import mend
from crawler.export.targets import Source, Target
from crawler.frontier.presence import present
from crawler.frontier.schema import FILE
from crawler.jobs import Job, has_lines
from crawler.keeping import keep
from crawler.oserrors import refused
from crawler.outcome import Mark, Restart
from crawler.owned import Opener, make_folder, named, own
from crawler.protocols import Follower, Frontier, MediaStore, Memory, PageStore, Spool
from crawler.records.streams import Streams
from crawler.settings import Settings

PARTS = "parts"
"""The folder of the line files of a run's further processes, one folder each."""

UPLOADS = "uploads"
"""The folder of files that are made before they are uploaded."""
MEDIA = "media"
"""The folder of downloaded files."""

log = logging.getLogger(__name__)


class Kept(Struct, frozen=True):
    """Where a run's data comes to rest; without a folder, with whoever gave the spool."""

    spool: Spool
    store: PageStore = NoPages()
    followings: Sequence[Following] = ()
    memories: Sequence[Memory] = ()
    media: MediaStore | None = None


@asynccontextmanager
async def open_files(
    job: Job, settings: Settings, restart: Restart, streams: Streams, *, frontier: Frontier
) -> AsyncIterator[Kept]:
    """Open what goes into the run's folder, and where `-o` said; cut back to what is committed."""
    if restart.fresh and has_lines(job.folder):
        raise RunError(
            f"{job.folder / FILE}: holds nothing of this run, whose files do; "
            "was it emptied, or replaced?"
        )
    spooled = partial(
        FileSpool.open,
        min_free_bytes=settings.min_free_bytes,
        durable=settings.durable == "full",
    )
    async with AsyncExitStack() as stack:
        media = await stack.enter_async_context(_media(job, settings, is_own=not restart.part))
        store = await stack.enter_async_context(_store(job, settings, restart, frontier))
        if restart.part:
            _make_part(job.folder, restart.part)
            files = paths(job.folder / PARTS / str(restart.part))
            spool = await stack.enter_async_context(await spooled(files))
            del restart  # what it kept may be much
            yield Kept(spool, store, media=media)
            return
        plan = job.record.plan
        files = paths(job.folder, items=plan.spool)
        # What -o names is the user's: a link there leads where they want it to.
        openers: Mapping[str, Opener] = {"items": named} if plan.spool else {}
        _mend(restart, files, openers)
        position = restart.position or plan.position
        spool = await stack.enter_async_context(
            await spooled(files, position=position, resumed=bool(restart.position), openers=openers)
        )
        followings = [
            _following(target, job, settings, restart, source=files["items"], streams=streams)
            for target in plan.targets
        ]
        await open_all(followings)
        marks = Marks(followings)
        await keep(frontier, [marks])  # what is in their places from now on is ours
        for following in followings:
            spool.follow(following)
        # What is committed already is carried without waiting for what comes.
        await spool.committed(position, ())
        del restart
        yield Kept(spool, store, followings, [spool.tail, marks], media)


def _media(job: Job, settings: Settings, *, is_own: bool) -> MediaFiles:
    return MediaFiles(
        job.folder / MEDIA,
        min_free_bytes=settings.min_free_bytes,
        durable=settings.durable == "full",
        pause=settings.target_pause,
        is_over=lambda: is_own and _is_finished(job.folder),
    )


def _store(
    job: Job, settings: Settings, restart: Restart, frontier: Frontier
) -> AbstractAsyncContextManager[PageStore]:
    ground = Ground(
        job.folder,
        settings,
        name=f"{job.record.spider}-{job.record.created:%Y%m%d%H%M%S}",
        part=restart.part,
        living=partial(present, job.folder),
        lengths=frontier.lengths,
    )
    return open_store(ground)


def _mend(restart: Restart, files: Mapping[str, Path], openers: Mapping[str, Opener]) -> None:
    """Put back the last lines that files lost."""
    for name, committed in restart.position.items():
        opener = openers.get(name, own)
        if missing := mend(restart.kept, name, files[name], committed=committed, opener=opener):
            log.warning("%s had lost its last %d bytes; they are back", files[name], missing)


async def open_all(followings: Sequence[Following]) -> None:
    """Open every target; if one is refused, nothing is left in the others. Raises `TargetError`."""
    async with AsyncExitStack() as stack:
        for following in followings:
            stack.push_async_callback(following.let_go)
            await following.open()
        stack.pop_all()


def _following(
    target: Target,
    job: Job,
    settings: Settings,
    restart: Restart,
    *,
    source: Path,
    streams: Streams,
) -> Following:
    """Return what carries the run's items to a target."""
    run = job.folder.absolute().name
    begin = job.record.plan.position.get("items", 0)
    record = job.record
    # Not the folder's name: a run is the same one where its folder was moved.
    identity = f"{record.spider} {record.created.isoformat()}"
    uploads = job.folder / UPLOADS
    followed = Source(run, streams, settings, begin=begin, uploads=uploads, identity=identity)

    async def opener(mark: Mark | None) -> Follower:
        return await target.open(followed, mark)

    return Following(
        opener,
        target=target.name,
        key=target.key,
        source=source,
        mark=mark_of(restart.kept, target.key),
        pause=settings.target_pause,
        lasting=target.files(streams, run=run) if settings.durable == "full" else (),
    )


def _is_finished(folder: Path) -> bool:
    report = read_report(folder)
    return report is not None and report.finished


def _make_part(folder: Path, number: int) -> None:
    """Make the folder of a further process's line files. Raises `TargetError`."""
    part = folder / PARTS / str(number)
    try:
        make_folder(part.parent)
        make_folder(part)
    except OSError as error:
        raise refused(part, error) from None


def paths(folder: Path, *, items: str | None = None) -> dict[str, Path]:
    """Return a run's line files, or those of one part of it, by name."""
    return {
        "items": Path(items) if items else folder / "items.jsonl",
        "pages": folder / "pages.jsonl",
        "media": folder / "media.jsonl",
        "failures": folder / "failures.jsonl",
    }
