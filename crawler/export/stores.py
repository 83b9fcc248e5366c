"""What each value of `pages` opens."""

import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Final

from msgspec import Struct

from crawler.export.markdown_pages import as_markdown
from crawler.export.pages import FilePages, NoPages, Rendering, as_it_came
from crawler.export.warc import WarcPages
from crawler.outcome import Position
from crawler.parse.markdown import check_installed
from crawler.protocols import PageStore
from crawler.settings import VERSION, Settings

_SPECIFICATION: Final = (
    "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
)


async def _nothing() -> Position:
    return {}


class Ground(Struct, frozen=True):
    """What a page store is built on: the run's `folder`, and the `part` of the run that writes.

    `name` tells the run from others, `living()` are the names of parts that others write meanwhile,
    `lengths()` says how long files are whose `lengths` were committed.
    """

    folder: Path
    settings: Settings
    name: str = "run"
    part: int = 0
    living: Callable[[], Collection[str]] = tuple
    lengths: Callable[[], Awaitable[Position]] = _nothing


Opener = Callable[[Ground], AbstractAsyncContextManager[PageStore]]
"""Opens a store, and closes it; raises `TargetError`, `MissingExtra`."""


def _files(ground: Ground) -> AbstractAsyncContextManager[PageStore]:
    return _mirror(ground, as_it_came)


def _markdown(ground: Ground) -> AbstractAsyncContextManager[PageStore]:
    check_installed()  # now, and not when the first page comes
    return _mirror(ground, as_markdown)


def _mirror(ground: Ground, render: Rendering) -> FilePages:
    settings = ground.settings
    return FilePages(
        ground.folder / "pages",
        render=render,
        min_free_bytes=settings.min_free_bytes,
        durable=settings.durable == "full",
        name=str(ground.part),
        living=ground.living,
    )


def _warc(ground: Ground) -> AbstractAsyncContextManager[PageStore]:
    settings = ground.settings
    about = {
        "software": f"crawlkeeper/{VERSION}",
        "format": "WARC File Format 1.1",
        "conformsTo": _SPECIFICATION,
        "isPartOf": ground.name,
        "http-header-user-agent": settings.user_agent,
        "robots": "obey" if settings.obey_robots else "ignore",
    }
    return WarcPages(
        ground.folder / "warc",
        prefix=ground.name,
        most_bytes=settings.warc_bytes,
        lengths=ground.lengths,
        living=ground.living,
        part=str(ground.part),
        about=about,
        withholds=settings.obey_meta_robots,
        clock=time.time,
        min_free_bytes=settings.min_free_bytes,
        durable=settings.durable == "full",
    )


def _none(_: Ground) -> AbstractAsyncContextManager[PageStore]:
    return nullcontext(NoPages())


# A store with a dependency of its own imports it when it is opened.
STORES: Final[dict[str, Opener]] = {
    "files": _files,
    "markdown": _markdown,
    "warc": _warc,
    "none": _none,
}


def open_store(ground: Ground) -> AbstractAsyncContextManager[PageStore]:
    """Open the store that the setting `pages` names."""
    return STORES[ground.settings.pages](ground)
