"""What is meant by a run or a WARC file."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from crawler.archive.run_files import FILES
from crawler.archive.run_pages import PAGES, has_body, pages_of
from crawler.archive.scanning import check, scan
from crawler.errors import RunError

_RECORD = "run.json"
_WARC = "warc"
_ENDINGS = (".warc", ".warc.gz", ".warc.zst", ".warc.lz4")


class Sources(Struct, frozen=True):
    """What answers in place of the network: folders of runs, and WARC files."""

    runs: Sequence[Path] = ()
    files: Sequence[Path] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.files)

    @property
    def marks(self) -> str:
        """Return what tells if any of it has changed."""
        paths = [*(run / PAGES for run in self.runs), *self.files]
        downloads = [run / FILES for run in self.runs if (run / FILES).exists()]
        return "\n".join(map(_mark, [*paths, *downloads]))


def sources_of(paths: Iterable[str]) -> Sources:
    """Return what these name: a run's folder, a WARC file, or a folder of WARC files.

    Raises `RunError` for anything else, and for a run that has kept no pages.
    """
    runs: list[Path] = []
    files: list[Path] = []
    for path in (Path(os.path.abspath(text)) for text in paths):
        if (path / _RECORD).exists():
            kept = _kept(path)
            runs.append(path)
            files += kept
        elif path.is_dir():
            files += _files_in(path)
        elif path.is_file():
            files.append(path)
        else:
            raise RunError(f"{path}: is no run's folder, and no WARC file")
    for file in files:
        check(file)
    return Sources(tuple(runs), tuple(dict.fromkeys(files)))


def _kept(run: Path) -> list[Path]:
    """Return the WARC files that a run keeps its pages in; none if they are files each."""
    if (run / _WARC).is_dir() and (files := _warcs(run / _WARC)):
        return files
    if not any(has_body(line) for _, line in pages_of(run)):
        raise RunError(
            f"{run}: has kept no pages that can be parsed again (pages=files keeps them)"
        )
    return []


def _warcs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.endswith(_ENDINGS))


def _files_in(folder: Path) -> list[Path]:
    if not (files := _warcs(folder)):
        raise RunError(f"{folder}: is no run's folder, and has no WARC file in it")
    return files


def _mark(path: Path) -> str:
    try:
        found = path.stat()
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from None
    return f"{path} {found.st_size} {found.st_mtime_ns}"


def all_urls(sources: Sources) -> Iterable[str]:
    """Yield the URL of every stored page, as it stands there."""
    for run in sources.runs:
        yield from (line.url for _, line in pages_of(run) if line.file is not None)
    if not sources.runs:
        for file in sources.files:
            yield from (r.url for r in scan(file) if r.kind != "request")
