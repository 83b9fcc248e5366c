"""What a system's refusal means."""

import errno
import os

from crawler.errors import TargetError

_WORDS = {
    errno.ENOSPC: "no space left on the disk",
    errno.EFBIG: "the file may not grow any larger",
    errno.EDQUOT: "the disk quota is used up",
    errno.EIO: "the disk reports an error",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "no permission to write",
    errno.EPERM: "no permission to write",
    errno.ENOENT: "the folder is gone",
    errno.ELOOP: "is a symbolic link, which is not followed",
    errno.ENOTDIR: "a file or a symbolic link is in the place of a folder",
    errno.ENXIO: "not a regular file",
    errno.EPIPE: "nobody reads it any more",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
}


def refused(path: str | os.PathLike[str], error: OSError) -> TargetError:
    """Return the `TargetError` that says in words why `path` could not be written."""
    reason = _WORDS.get(error.errno or 0) or (error.strerror or str(error)).lower()
    return TargetError(f"{os.fspath(path)}: {reason}")
