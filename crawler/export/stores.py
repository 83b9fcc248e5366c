"""What each value of `pages` opens."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Final

from msgspec import Struct

from crawler.export.markdown_pages import as_markdown
from crawler.export.pages import FilePages, NoPages, Rendering, as_it_came
from crawler.parse.markdown import check_installed
from crawler.protocols import PageStore
from crawler.settings import Settings


class Ground(Struct, frozen=True):
    """What a page store is built on: the run's `folder`, and the `part` of the run that writes.

    `living()` are the names of parts that others write meanwhile.
    """

    folder: Path
    settings: Settings
    part: int = 0
    living: Callable[[], Collection[str]] = tuple


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


def _none(_: Ground) -> AbstractAsyncContextManager[PageStore]:
    return nullcontext(NoPages())


# A store with a dependency of its own imports it when it is opened.
STORES: Final[dict[str, Opener]] = {"files": _files, "markdown": _markdown, "none": _none}


def open_store(ground: Ground) -> AbstractAsyncContextManager[PageStore]:
    """Open the store that the setting `pages` names."""
    return STORES[ground.settings.pages](ground)
