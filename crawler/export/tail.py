"""The last lines of a spool, kept twice."""

import os
from collections.abc import Mapping
from pathlib import Path

from crawler.errors import TargetError
from crawler.oserrors import refused
from crawler.owned import Opener, own

_KEPT = "tail "
_MOST_BYTES = 256_000
_LENGTH = 8


class Tail:
    """What was appended last to each line file: a `Memory`, kept in the frontier's transaction.

    A file that lost the end of its last lines (the power failed, or somebody cut it) is mended from
    it. More than 256 KB at once are not kept.
    """

    def __init__(self) -> None:
        self._new: dict[str, bytes] = {}

    def append(self, name: str, start: int, data: bytes) -> None:
        """Hear that `data` was appended to the file `name` at byte `start`."""
        kept = data if len(data) <= _MOST_BYTES else b""
        self._new[_KEPT + name] = start.to_bytes(_LENGTH, "little") + kept

    def changes(self) -> Mapping[str, bytes]:
        """Return what was appended since the last call."""
        new, self._new = self._new, {}
        return new

    def learn(self, name: str, value: bytes) -> None:
        """See `mend`: a tail is needed before its file is opened, not later."""


def mend(
    kept: Mapping[str, bytes], name: str, path: Path, *, committed: int, opener: Opener = own
) -> int:
    """Put back what is missing of a file's last lines; return how many bytes that was.

    Nothing is done if more is missing than the last lines. Raises `TargetError`, also for a whole
    file whose last lines are others.
    """
    value = kept.get(_KEPT + name, b"")
    start, data = int.from_bytes(value[:_LENGTH], "little"), value[_LENGTH:]
    if start + len(data) != committed or not data:
        return 0
    try:
        with open(path, "r+b", opener=opener) as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(min(start, length))
            there = file.read(len(data))
            is_edited = there != data[: len(there)]
            if length < committed and start <= length and not is_edited:
                file.write(data[len(there) :])
                return committed - length
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise refused(path, error) from None
    if length >= committed and is_edited:
        raise TargetError(f"{path}: was edited: its last lines are not those that were written")
    return 0
