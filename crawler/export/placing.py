"""A whole file gets its name."""

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from crawler.errors import MediaError, TargetError
from crawler.export.media_part import PARTS, PartFile
from crawler.export.tree import Tree
from crawler.oserrors import refused
from crawler.syncing import sync_folders, sync_names

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_STEP = 1_000_000
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK)


class Placing:
    """Gives files their names below `folder`, at once and whole.

    A name that another content has is left to it: ours gets a part of its digest in its own.
    """

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder
        self._durable = durable

    def place(self, file: PartFile, to: str, *, is_own: bool, url: str) -> str:
        """Move a part to `to`, or near it; return its path below the folder that holds ours.

        `is_own`: the name can be of no other content. Raises `MediaError` where there can be no
        such file, `TargetError`.
        """
        try:
            with Tree(self._folder) as tree:
                if self._durable:
                    file.sync()
                path = self._name(tree, file.name, to, file.sha256, is_own=is_own)
                file.placed(tree.folder(PARTS))
        except NotADirectoryError:
            raise MediaError(f"a file is in the place of a folder of {to!r}", url=url) from None
        except OSError as error:
            raise refused(self._folder / to, error) from None
        self._keep(path)
        return f"{self._folder.name}/{path}"

    def save(self, data: bytes, to: str, *, is_own: bool) -> str:
        """Write a small file as `to`, which `place` returned, or near it; return its path."""
        path = to.removeprefix(f"{self._folder.name}/")
        name = f"thumbnail-{secrets.token_hex(8)}"
        try:
            with Tree(self._folder) as tree:
                there = tree.folder(PARTS)
                fd = os.open(name, _NEW, 0o666, dir_fd=there)
                try:
                    rest = memoryview(data)
                    while rest:
                        rest = rest[os.write(fd, rest) :]
                    if self._durable:
                        os.fsync(fd)
                    digest = hashlib.sha256(data).hexdigest()
                    path = self._name(tree, name, path, digest, is_own=is_own)
                finally:
                    os.close(fd)
                    with suppress(FileNotFoundError):
                        os.unlink(name, dir_fd=tree.folder(PARTS))
        except OSError as error:
            raise refused(self._folder / path, error) from None
        self._keep(path)
        return f"{self._folder.name}/{path}"

    def _name(self, tree: Tree, part: str, to: str, digest: str, *, is_own: bool) -> str:
        """Give a part its name, and return that."""
        for path in (to,) if is_own else _near(to, digest):
            folder, _, leaf = path.rpartition("/")
            try:
                there = tree.folder(folder) if folder else tree.top
            except TargetError as error:
                if not is_own and isinstance(error.__context__, NotADirectoryError):
                    raise error.__context__ from None
                raise
            # The descriptor is good until the next is asked for, and parts are asked for below.
            there = os.dup(there)
            try:
                if is_own or _moved(tree.folder(PARTS), part, there, leaf, digest):
                    if is_own:
                        os.replace(part, leaf, src_dir_fd=tree.folder(PARTS), dst_dir_fd=there)
                    return path
            finally:
                os.close(there)
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))

    def _keep(self, path: str) -> None:
        if self._durable:
            sync_names(self._folder)
            sync_folders(self._folder / above for above in PurePosixPath(path).parents)


def _near(to: str, digest: str) -> Iterator[str]:
    """Yield `to`, and names beside it that are of one content only."""
    yield to
    path = PurePosixPath(to)
    for part in (digest[:8], digest):
        yield str(path.with_name(f"{path.stem}-{part}{path.suffix}"))


def _moved(parts: int, part: str, there: int, leaf: str, digest: str) -> bool:
    """Move a part to a name that nothing has, or the same content; False if another has it."""
    try:
        # Renaming would replace, also what somebody puts there in this moment.
        os.link(part, leaf, src_dir_fd=parts, dst_dir_fd=there, follow_symlinks=False)
    except FileExistsError:
        if _digest(there, leaf) != digest:
            return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if _is_there(there, leaf):
            if _digest(there, leaf) != digest:
                return False
        else:
            os.rename(part, leaf, src_dir_fd=parts, dst_dir_fd=there)
            return True
    os.unlink(part, dir_fd=parts)
    return True


def _is_there(there: int, leaf: str) -> bool:
    try:
        os.stat(leaf, dir_fd=there, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _digest(there: int, leaf: str) -> str:
    """Return the digest of a file, "" for what is none."""
    try:
        fd = os.open(leaf, _READ, dir_fd=there)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return ""
        digest = hashlib.sha256()
        while data := os.read(fd, _STEP):
            digest.update(data)
        return digest.hexdigest()
    finally:
        os.close(fd)
