"""What processes did to files, as strace saw it."""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.torture.disk import Disk

STRACE = shutil.which("strace")
STRACE_IS_MISSING = "apt-get install -y strace"

_SYNCS = ("fsync", "fdatasync")
_WITHIN = ("openat", "unlinkat", "mkdirat", "renameat")
"""Calls whose path is relative to an open folder."""
_STRANGE = ("open", "creat", "truncate", "writev", "pwritev", "renameat2")
"""Calls that nobody makes here: what one of them does would be missed."""

_BYTES = r"((?:\\x[0-9a-f]{2})*)"
_STRING = re.compile(f'"{_BYTES}"')
_OPEN_FILE = re.compile(rf"(?:\d+|AT_FDCWD)<{_BYTES}>")
_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+).*")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)")


def strace(log: Path) -> Sequence[str]:
    """Return the words that stand before a command that is to be traced."""
    calls = ",".join((*Trace.CALLS, *_STRANGE))
    options = ["-f", "--seccomp-bpf", "-y", "-xx", "-s", str(1 << 24), "-o", str(log)]
    assert STRACE is not None, STRACE_IS_MISSING
    return [STRACE, *options, "-e", f"trace={calls}", "-e", "signal=none"]


class Trace:
    """Does to a disk what processes did, line by line of a trace."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._begun: dict[str, str] = {}
        self._syncing: dict[str, Callable[[], None]] = {}

    def replay(self, log: Path) -> None:
        """Do all of a trace; of a call that never ended nobody knows whether it was made."""
        for line in log.read_text().splitlines():
            self._line(line)
        for line in self._begun.values():
            if (call := _BEGUN.fullmatch(f"{line} <unfinished ...>")) and call[2] not in _SYNCS:
                self._do(call[2], call[3].split(", "))

    def _line(self, line: str) -> None:
        if begun := _BEGUN.fullmatch(line):
            process, name, words = begun.groups()
            self._begun[process] = f"{process} {name}({words}"
            if name in _SYNCS:
                self._begin_sync(process, words)
            return
        if ended := _ENDED.fullmatch(line):
            line = f"{self._begun.pop(ended[1])}{ended[3]}"
        if (call := _CALL.fullmatch(line)) is None:
            return  # a process began or ended, or the last line is cut
        process, name, words, result = call.groups()
        if name in _SYNCS:
            if process not in self._syncing:
                self._begin_sync(process, words)
            done = self._syncing.pop(process)
            if result == "0":
                done()
        elif int(result) >= 0:
            self._do(name, words.split(", "), result=int(result))

    def _begin_sync(self, process: str, words: str) -> None:
        path = _open_file(words)
        is_ours = path is not None and self._disk.has(path)
        self._syncing[process] = self._disk.sync(path) if path and is_ours else lambda: None

    def _do(self, name: str, words: list[str], *, result: int | None = None) -> None:
        path = _open_file(words[0]) if words[0][:1] != '"' else Path(_text(words[0]))
        if name in _WITHIN and path is not None:
            path /= _text(words[1])
        if path is None or not self._disk.has(path):
            return
        if name in _STRANGE:
            raise ValueError(f"{name} of {path}: is not understood")
        self.CALLS[name](self, path, words, result)

    def _open(self, path: Path, words: list[str], _: int | None) -> None:
        if "O_CREAT" in words[2] or "O_TRUNC" in words[2]:
            self._disk.create(path, emptied="O_TRUNC" in words[2])

    def _write(self, path: Path, words: list[str], written: int | None) -> None:
        at = int(words[3]) if len(words) > 3 else None
        self._disk.write(path, _bytes(words[1])[:written], at=at)

    def _resize(self, path: Path, words: list[str], _: int | None) -> None:
        self._disk.resize(path, int(words[1]))

    def _reserve(self, path: Path, words: list[str], _: int | None) -> None:
        self._disk.resize(path, int(words[2]) + int(words[3]))

    def _rename(self, path: Path, words: list[str], _: int | None) -> None:
        self._disk.rename(path, Path(_text(words[1])))

    def _rename_within(self, path: Path, words: list[str], _: int | None) -> None:
        if (folder := _open_file(words[2])) is not None:
            self._disk.rename(path, folder / _text(words[3]))

    def _remove(self, path: Path, words: list[str], _: int | None) -> None:
        self._disk.remove(path)

    def _make_folder(self, path: Path, words: list[str], _: int | None) -> None:
        self._disk.make_folder(path)

    def _nothing(self, path: Path, words: list[str], _: int | None) -> None:
        """See `_line`: a sync has two ends."""

    CALLS = {
        "openat": _open,
        "write": _write,
        "pwrite64": _write,
        "ftruncate": _resize,
        "fallocate": _reserve,
        "rename": _rename,
        "renameat": _rename_within,
        "unlink": _remove,
        "unlinkat": _remove,
        "rmdir": _remove,
        "mkdir": _make_folder,
        "mkdirat": _make_folder,
        "fsync": _nothing,
        "fdatasync": _nothing,
    }


def _open_file(words: str) -> Path | None:
    """Return the path of an open file, None if it is no file with a name."""
    found = _OPEN_FILE.fullmatch(words)
    return Path(_decoded(found[1]).decode(errors="surrogateescape")) if found else None


def _bytes(word: str) -> bytes:
    found = _STRING.fullmatch(word)
    if found is None:
        raise ValueError(f"no string: {word[:100]}")
    return _decoded(found[1])


def _text(word: str) -> str:
    return _bytes(word).decode(errors="surrogateescape")


def _decoded(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
