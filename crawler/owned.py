"""Files of ours: no planted link leads elsewhere, none blocks."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

Opener = Callable[[str | os.PathLike[str], int], int]
"""How a file is opened, as `open(opener=...)` takes it. Raises `OSError`."""

# A pipe that nobody writes to would hold up who opens it, a terminal become the process's own.
_AT_ONCE = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LONGEST_NAME = 255
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def own(path: str | os.PathLike[str], flags: int) -> int:
    """Open a regular file that we made, or make it; a symbolic link is refused."""
    return named(path, flags | os.O_NOFOLLOW)


def private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file as `own` does; made, it is one that nobody else may read."""
    return named(path, flags | os.O_NOFOLLOW, mode=0o600)


def named(path: str | os.PathLike[str], flags: int, *, mode: int = 0o666) -> int:
    """Open a regular file that the user named; a link there is the user's wish."""
    fd = os.open(path, flags | _AT_ONCE, mode)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.ENXIO, "not a regular file", os.fspath(path))
    return fd


def fresh(path: str | os.PathLike[str], flags: int, *, mode: int = 0o666) -> int:
    """Make a file (mode `x`) that was not there a moment ago: what is in its place goes."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, flags | os.O_CLOEXEC, mode)


def beside(path: Path) -> Path:
    """Return where a file is made that is to take the place of another, in the same folder."""
    name = f".{path.name}.part"
    if len(os.fsencode(name)) > _LONGEST_NAME:  # its own name is so long that nothing fits to it
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()}.part"
    return path.with_name(name)


def check_own(path: str | os.PathLike[str]) -> None:
    """Raise `OSError` if there is something, and not a regular file: for who cannot use `own`."""
    with suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            number = errno.ELOOP if stat.S_ISLNK(mode) else errno.ENXIO
            raise OSError(number, os.strerror(number), os.fspath(path))


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder in one that is there, unless it is there and no link. Raises `OSError`."""
    os.close(open_folder(path, makes=True))


def open_folder(
    path: str | os.PathLike[str], *, within: int | None = None, makes: bool = False
) -> int:
    """Return the descriptor of a folder, which is no link; made if it `makes` what is missing.

    `within` is the descriptor of the folder that `path` is relative to. Raises `OSError`.
    """
    try:
        return os.open(path, _FOLDER, dir_fd=within)
    except FileNotFoundError:
        if not makes:
            raise
        with suppress(FileExistsError):  # another process of the run was first
            os.mkdir(path, dir_fd=within)
        return os.open(path, _FOLDER, dir_fd=within)
