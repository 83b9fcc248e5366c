"""A disk that loses what was not synced when its power fails."""

import shutil
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from random import Random

_SECTOR = 512

Patch = tuple[int, bytes] | int
"""Bytes written at an offset, or a length that a file is cut or grown to."""


class File:
    """What the disk has of a file for sure, and what was done to it since."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)
        self.length = len(content)
        self.patches: dict[int, Patch] = {}

    def do(self, moment: int, patch: Patch) -> None:
        """Write, cut or grow."""
        self.patches[moment] = patch
        end = patch if isinstance(patch, int) else patch[0] + len(patch[1])
        self.length = end if isinstance(patch, int) else max(self.length, end)

    def keep(self, until: int) -> None:
        """Make sure what was done before a moment."""
        for moment in [moment for moment in self.patches if moment < until]:
            _apply(self.content, self.patches.pop(moment))

    def found(self, keeps: Callable[[], bool], draw: Random) -> bytes:
        """Return a content that the power may leave: of what is not sure, any part."""
        content = bytearray(self.content)
        for patch in self.patches.values():
            if keeps():
                _apply(content, patch)
            elif isinstance(patch, tuple) and keeps():
                whole = draw.randrange(len(patch[1]) // _SECTOR + 1)
                _apply(content, (patch[0], patch[1][: whole * _SECTOR]))
        return bytes(content)


class Folder:
    """A folder; what is in it is known by the names."""


Names = dict[Path, File | Folder]
Change = Mapping[Path, File | Folder | None]
"""What some paths lead to now; None if to nothing. All of it happens, or nothing."""


class Disk:
    """Everything below `root` but for the files `outside`, as it is now, and as it is for sure.

    A file's bytes are sure when the file was synced since, a name when the folder it is in was.
    """

    def __init__(self, root: Path, *, outside: frozenset[Path] = frozenset()) -> None:
        self.root = root
        self._outside = outside
        self._sure: Names = {root: Folder()}
        for path in root.rglob("*"):
            if path not in outside:
                self._sure[path] = Folder() if path.is_dir() else File(path.read_bytes())
        self._now = dict(self._sure)
        self._changes: dict[int, Change] = {}
        self._moments = count()

    def has(self, path: Path) -> bool:
        """True if a path, in use or not, belongs to this disk."""
        return path.is_relative_to(self.root) and path not in self._outside

    def create(self, path: Path, *, emptied: bool = False) -> None:
        """Open a file, which may be new, or emptied."""
        if path not in self._now:
            self._change({path: File()})
        elif emptied:
            self.resize(path, 0)

    def make_folder(self, path: Path) -> None:
        """Make a folder."""
        self._change({path: Folder()})

    def remove(self, path: Path) -> None:
        """Remove a file or an empty folder."""
        self._change({path: None})

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name, which may be in use."""
        self._change({path: None, to: self._now[path]})

    def write(self, path: Path, data: bytes, *, at: int | None = None) -> None:
        """Write at an offset, or at the end."""
        file = self._file(path)
        file.do(next(self._moments), (file.length if at is None else at, data))

    def resize(self, path: Path, length: int) -> None:
        """Cut a file, or let it grow."""
        self._file(path).do(next(self._moments), length)

    def sync(self, path: Path) -> Callable[[], None]:
        """Begin to sync a file or a folder; return what is to be called when it is done."""
        until, synced = next(self._moments), self._now[path]

        def done() -> None:
            if isinstance(synced, File):
                synced.keep(until)
                return
            for moment in self._changes_of(path, until):
                _rename(self._sure, self._changes.pop(moment))

        return done

    def fail(self, draw: Random) -> None:
        """Let the power fail: write down what may be found when it is back."""
        odds = draw.choice([0.0, 0.0, 0.5, 0.9])

        def keeps() -> bool:
            return draw.random() < odds

        names = dict(self._sure)
        for change in self._changes.values():
            if keeps():
                _rename(names, change)
        self._clear()
        for path, found in sorted(names.items()):
            if not path.parent.is_dir():
                continue  # it is there, and no name leads to it
            if isinstance(found, Folder):
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(found.found(keeps, draw))

    def _change(self, change: Change) -> None:
        self._changes[next(self._moments)] = change
        _rename(self._now, change)

    def _changes_of(self, folder: Path, until: int) -> list[int]:
        """Return the changes of names in a folder, and those that came before of the same names."""
        found: list[int] = []
        names: set[Path] = set()
        for moment, change in reversed(self._changes.items()):
            is_in = any(name.parent == folder for name in change)
            if moment < until and (is_in or names & change.keys()):
                found.append(moment)
                names |= change.keys()
        return found[::-1]

    def _file(self, path: Path) -> File:
        file = self._now[path]
        assert isinstance(file, File), path
        return file

    def _clear(self) -> None:
        for path in self.root.iterdir():
            if path in self._outside:
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _rename(names: Names, change: Change) -> None:
    for path, found in change.items():
        if found is None:
            names.pop(path, None)
        else:
            names[path] = found


def _apply(content: bytearray, patch: Patch) -> None:
    length = patch if isinstance(patch, int) else patch[0]
    content.extend(bytes(max(0, length - len(content))))
    if isinstance(patch, int):
        del content[length:]
    else:
        content[length : length + len(patch[1])] = patch[1]
