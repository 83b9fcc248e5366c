"""What a disk keeps when its power fails."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def sync_file(path: Path) -> None:
    """Have the disk keep a file that somebody wrote, and its name."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_names(path)


def sync_names(path: Path) -> None:
    """Have the disk keep the name of a new file, and those of the folders it is in."""
    sync_folders(path.absolute().parents)


def sync_folders(folders: Iterable[str | os.PathLike[str]]) -> None:
    """Have the disk keep the names that are in folders.

    Not every file system can, and not every folder above ours may be opened: what is refused is
    left to the system, as SQLite does with its own.
    """
    for folder in folders:
        with suppress(OSError):
            fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
