"""Bodies as files, a mirror of the site."""

import logging
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from types import TracebackType
from typing import Final

from crawler.export.paths import marked, path_for
from crawler.export.space import FreeSpace
from crawler.export.tree import Tree
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Position
from crawler.owned import open_folder
from crawler.records.page_index import Place
from crawler.response import Response
from crawler.syncing import sync_folders, sync_names

__all__ = ["FilePages", "NoPages", "path_for"]

_log = logging.getLogger(__name__)
_MANY_FILES = 100_000
# `python benchmarks/pages.py` on a memory file system, two cores, 10 KB bodies: 45 µs a page in
# batches of 100, 190 µs in batches of 1; written in place, without the renaming, 47-51 µs, so whole
# files cost nothing that can be measured. On a disk all three are slower alike: 60 to 900 µs, as
# the disk's own write-back goes.
_PART = ".part-"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

Rendering = Callable[[Response], tuple[str, bytes]]
"""What a page's file holds, and a mark of its name: `+.md`, or none. Called in a thread."""


def as_it_came(page: Response) -> tuple[str, bytes]:
    """Return a page's body, and no mark."""
    return "", page.body


class FilePages:
    """Writes each body, or what `render` makes of it, to `folder`; its URL decides the name.

    A file is whole or not there: it is written as `.part-NAME` in `folder` and renamed. The same
    page again takes the place of the one before, so a batch that failed or died may be saved again.
    Nothing is written through a symbolic link: `folder` and what is in it are ours.
    `durable`: what is saved survives power loss. Of several processes each has a `name` of its own;
    `living()` are the names in use.
    """

    keeps_exchanges: Final = False

    def __init__(
        self,
        folder: Path,
        *,
        render: Rendering = as_it_came,
        min_free_bytes: int = 0,
        many_files: int = _MANY_FILES,
        durable: bool = False,
        name: str = "0",
        living: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._folder = folder
        self._render = render
        self._part = f"{_PART}{name}"
        self._living = living
        self._space = FreeSpace(folder, min_free_bytes=min_free_bytes)
        self._many_files = many_files
        self._durable = durable
        self._is_named = False
        self._saved = 0
        self._thread = FileThread("pages")

    async def __aenter__(self) -> "FilePages":
        await self._thread.run(self._sweep)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._thread.run(self._sweep)
        await self.aclose()

    @property
    def lengths(self) -> Position:
        """No file is cut back."""
        return {}

    async def save(
        self,
        pages: Sequence[Response],
        *,
        beside: Sequence[Response] = (),  # noqa: ARG002
    ) -> Sequence[Place]:
        """Write the bodies; return their names, relative to the folder that holds this one.

        Raises `TargetError`; what of the batch is written then stays and is written again.
        """
        if not pages:
            return []
        names = await self._thread.run(self._write_all, pages)
        self._warn_of_many(len(pages))
        return [Place(f"{self._folder.name}/{name}") for name in names]

    async def committed(self) -> None:
        """A page written again takes its own place: there is nothing to do."""

    async def settle(self) -> None:
        """It is complete at all times."""

    async def aclose(self) -> None:
        """End the thread."""
        self._thread.close()

    def _sweep(self) -> None:
        """Remove what processes that were killed had begun to write."""
        path = self._folder
        try:
            fd = open_folder(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise refused(path, error) from None
        try:
            # Listed first: who has a part by now is among the living, or dead.
            parts = [name for name in os.listdir(fd) if name.startswith(_PART)]
            living = self._living()
            for part in parts:
                if part.removeprefix(_PART) not in living:
                    path = self._folder / part
                    with suppress(FileNotFoundError):
                        os.unlink(part, dir_fd=fd)
        except OSError as error:
            raise refused(path, error) from None
        finally:
            os.close(fd)
        if self._durable:
            sync_folders([self._folder])

    def _write_all(self, pages: Sequence[Response]) -> Sequence[str]:
        names = [str(path_for(page.url)) for page in pages]
        # Folder by folder, so that each is opened once; of two of one name the last one stays.
        order = sorted(range(len(pages)), key=lambda index: names[index].rpartition("/")[0])
        with Tree(self._folder) as tree:
            self._space.check()
            for index in order:
                mark, content = self._render(pages[index])
                names[index] = marked(names[index], mark)
                folder, _, leaf = names[index].rpartition("/")
                self._write(tree, folder, leaf, content)
        if self._durable:
            self._sync_folders(names)
        return names

    def _write(self, tree: Tree, folder: str, leaf: str, body: bytes) -> None:
        there = tree.folder(folder)
        try:
            fd = self._begin(tree.top)
            try:
                rest = memoryview(body)
                while rest:
                    rest = rest[os.write(fd, rest) :]
                if self._durable:
                    os.fsync(fd)
            finally:
                os.close(fd)
            os.replace(self._part, leaf, src_dir_fd=tree.top, dst_dir_fd=there)
        except OSError as error:
            with suppress(OSError):
                os.unlink(self._part, dir_fd=tree.top)
            raise refused(os.path.join(self._folder, folder, leaf), error) from None

    def _begin(self, top: int) -> int:
        try:
            return os.open(self._part, _NEW_FILE, 0o666, dir_fd=top)
        except FileExistsError:  # of a write that failed, or put there by somebody else
            os.unlink(self._part, dir_fd=top)
            return os.open(self._part, _NEW_FILE, 0o666, dir_fd=top)

    def _sync_folders(self, names: Iterable[str]) -> None:
        """Have the disk keep the names of files as well as what is in them."""
        if not self._is_named:
            sync_names(self._folder)
            self._is_named = True
        above = {folder for name in names for folder in PurePath(name).parents}
        sync_folders(self._folder / folder for folder in above)

    def _warn_of_many(self, new: int) -> None:
        before, self._saved = self._saved, self._saved + new
        if before < self._many_files <= self._saved:
            _log.warning(
                "%s files of pages so far; pages=warc keeps them in a few large ones: %s",
                f"{self._saved:,}",
                self._folder,
            )


class NoPages:
    """Keeps no bodies."""

    keeps_exchanges: Final = False

    @property
    def lengths(self) -> Position:
        """There are no files."""
        return {}

    async def save(
        self,
        pages: Sequence[Response],
        *,
        beside: Sequence[Response] = (),  # noqa: ARG002
    ) -> Sequence[Place]:
        """Return no place for each page."""
        return [Place()] * len(pages)

    async def committed(self) -> None:
        """There is nothing to do."""

    async def settle(self) -> None:
        """There is nothing to do."""

    async def aclose(self) -> None:
        """Do nothing."""
