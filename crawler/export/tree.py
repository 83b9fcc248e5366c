"""Folders below one, reached through no link."""

import os
from pathlib import Path
from types import TracebackType

from crawler.oserrors import refused
from crawler.owned import open_folder

_MOST_OPEN = 8


class Tree:
    """Makes and opens folders below `top`, each within the one above it, by descriptor.

    So a symbolic link in the place of any of them is refused, also if it is put there meanwhile.
    Meant for one batch of files: what it has opened (a few, whatever it is asked for) stays open
    until the block ends. Raises `TargetError`, naming the folder.
    """

    def __init__(self, top: Path) -> None:
        self._path = top
        self._open: dict[str, int] = {}
        try:
            self.top = open_folder(top, makes=True)
        except OSError as error:
            raise refused(top, error) from None

    def __enter__(self) -> "Tree":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for fd in (*self._open.values(), self.top):
            os.close(fd)

    def folder(self, name: str) -> int:
        """Return the descriptor of the folder `a/b/c`, good until the next call."""
        fd = self._open.get(name)
        return self._enter(name) if fd is None else fd

    def _enter(self, name: str) -> int:
        above, _, leaf = name.rpartition("/")
        within = self.folder(above) if above else self.top
        try:
            fd = open_folder(leaf, within=within, makes=True)
        except OSError as error:
            raise refused(self._path / name, error) from None
        if len(self._open) >= _MOST_OPEN:
            os.close(self._open.pop(next(iter(self._open))))
        self._open[name] = fd
        return fd
