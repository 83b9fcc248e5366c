"""Writes the items of a run to other targets."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from crawler.errors import RunError
from crawler.export.following import Following
from crawler.export.run_folder import Record, read_record
from crawler.export.targets import Plan, Source, Target, plan
from crawler.files import open_all, paths
from crawler.frontier.glance import glance
from crawler.frontier.schema import FILE
from crawler.jobs import names_of, state_of
from crawler.owned import named
from crawler.records.streams import Streams
from crawler.settings import Settings


class Kept(Struct, frozen=True):
    """The items that a run has kept: lines of `path` from byte `begin` to `end`.

    `is_whole`: there are no more that a resume of the run would bring.
    """

    folder: Path
    record: Record
    path: Path
    begin: int
    end: int
    is_whole: bool = True

    @property
    def streams(self) -> Streams:
        """The types of the items."""
        return self.record.streams

    def lines(self) -> Iterator[bytes]:
        """Yield every item's line. Raises `RunError`."""
        left = self.end - self.begin
        try:
            with open(self.path, "rb", opener=named) as file:
                file.seek(self.begin)
                for line in file:
                    left -= len(line)
                    if left < 0:
                        return
                    yield line.removesuffix(b"\n")
        except OSError as error:
            raise RunError(f"{self.path}: cannot be read: {error.strerror}") from None


def kept_items(folder: Path) -> Kept:
    """Return the items of a run that nobody crawls now, as far as they are committed.

    Raises `RunError`.
    """
    record = read_record(folder)
    if state_of(folder) == "live":
        raise RunError(f"{folder}: is being crawled now; its items can be exported when it ends")
    path = paths(folder, items=record.plan.spool)["items"]
    if not path.exists():
        raise RunError(f"{path}: is gone, and with it the items of the run")
    size = path.stat().st_size
    # What a process that was killed wrote last may not be committed: a resume cuts it off.
    seen = glance(folder) if (folder / FILE).exists() else None
    ends = record.ends if seen is None else seen.position
    end = ends.get("items", 0) if ends else size
    if size < end:
        raise RunError(f"{path}: {end:,} bytes were committed, but the file has {size:,}")
    is_whole = seen is None or not (seen.queued or seen.unjoined)
    return Kept(folder, record, path, record.plan.position.get("items", 0), end, is_whole)


async def export(
    kept: Kept,
    outputs: Sequence[str],
    *,
    settings: Settings,
    overwrite: bool = False,
    append: bool = False,
) -> None:
    """Write a run's items to what `-o` names. Raises `OutputError`, and `TargetError` at the end.

    Databases know what they have of the run, and get the rest; files are written anew.
    """
    begun = Plan(str(kept.path), {"items": kept.begin})
    where = plan(
        outputs,
        streams=kept.streams,
        names=names_of(kept.record),
        overwrite=overwrite,
        append=append,
        begun=begun,
    )
    with _uploads(kept.folder, where.targets) as uploads:
        source = Source(
            kept.folder.absolute().name, kept.streams, settings, begin=kept.begin, uploads=uploads
        )
        await _carry(where.targets, source, kept, pause=settings.target_pause)


async def _carry(targets: Sequence[Target], source: Source, kept: Kept, *, pause: float) -> None:
    """Carry the items to every target; raise what the first one that fails says."""
    followings = [
        Following(partial(target.open, source), target=target.name, source=kept.path, pause=pause)
        for target in targets
    ]
    await open_all(followings)
    for following in followings:
        following.advance(kept.end)
    async with asyncio.TaskGroup() as group:
        for following in followings:
            group.create_task(following.aclose())
    if errors := [following.error for following in followings if following.error is not None]:
        raise errors[0]


@contextmanager
def _uploads(folder: Path, targets: Sequence[Target]) -> Iterator[Path]:
    """Give a folder for files that are uploaded, if there are any."""
    if all(target.is_local for target in targets):
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as made:
        yield Path(made)
