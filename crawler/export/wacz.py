"""An archive as one file, WACZ."""

import gzip
import hashlib
import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec import Struct

from crawler.errors import OutputError, RunError
from crawler.export.warc import FOLDER, SORTED
from crawler.oserrors import refused
from crawler.owned import fresh, own
from crawler.settings import VERSION

# specs.webrecorder.net/wacz/1.1.1
_VERSION: Final = "1.1.1"
_PAGES: Final = {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
_CHUNK: Final = 1_000_000


class _Line(Struct):
    """What is needed of a line of `pages.jsonl`."""

    url: str
    type: str
    fetched: datetime
    final: str | None = None
    file: str | None = None


class _Resource(Struct):
    """A file in the package."""

    name: str
    path: str
    hash: str
    bytes: int


def write_wacz(run: Path, target: Path, *, title: str) -> None:
    """Pack a run's archive, its index and its list of pages into `target`, whole or not at all.

    Raises `RunError` for a run without an archive or whose end has not come, `OutputError` for a
    target that is there or cannot be written.
    """
    if not (run / FOLDER / SORTED).is_file():
        raise RunError(f"{run}: has no archive that is complete; `--pages warc` makes one")
    if target.exists():
        raise OutputError(f"{target}: exists; remove it, or name another file with -o")
    beside = target.with_name(f".{target.name}.part")
    try:
        with open(beside, "xb", opener=fresh) as file, zipfile.ZipFile(file, "w") as package:
            _pack(run, package, title)
        os.replace(beside, target)
    except OSError as error:
        raise OutputError(str(refused(target, error))) from None


def _pack(run: Path, package: zipfile.ZipFile, title: str) -> None:
    resources = [
        _copied(package, f"archive/{path.name}", path)
        for path in sorted((run / FOLDER).glob("*.warc.gz"))
    ]
    resources.append(_index(package, run / FOLDER / SORTED))
    resources.append(_pages(package, run / "pages.jsonl"))
    about = {
        "profile": "data-package",
        "wacz_version": _VERSION,
        "software": f"crawlkeeper/{VERSION}",
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "title": title,
        "resources": resources,
    }
    data = msgspec.json.format(msgspec.json.encode(about), indent=2)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    package.writestr("datapackage.json", data)
    package.writestr(
        "datapackage-digest.json", msgspec.json.encode({"path": "datapackage.json", "hash": digest})
    )


class _Entry:
    """A file on its way into the package, which has to say what is in it."""

    def __init__(self, file: IO[bytes], path: str) -> None:
        self._file = file
        self._path = path
        self._hash = hashlib.sha256()
        self._bytes = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self._bytes += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        """It goes where it goes at once."""

    def resource(self) -> _Resource:
        name = self._path.rpartition("/")[2]
        return _Resource(name, self._path, f"sha256:{self._hash.hexdigest()}", self._bytes)


def _copied(package: zipfile.ZipFile, path: str, source: Path) -> _Resource:
    # Stored, not packed: it is already, and readers ask for ranges of it.
    with open(source, "rb", opener=own) as read, package.open(path, "w", force_zip64=True) as file:
        entry = _Entry(file, path)
        while data := read.read(_CHUNK):
            entry.write(data)
        return entry.resource()


def _index(package: zipfile.ZipFile, source: Path) -> _Resource:
    path = "indexes/index.cdx.gz"
    with open(source, "rb", opener=own) as lines, package.open(path, "w", force_zip64=True) as file:
        entry = _Entry(file, path)
        with gzip.GzipFile(filename="", mode="wb", fileobj=entry, mtime=0) as packed:
            while data := lines.read(_CHUNK):
                packed.write(data)
        return entry.resource()


def _pages(package: zipfile.ZipFile, source: Path) -> _Resource:
    path = "pages/pages.jsonl"
    with package.open(path, "w", force_zip64=True) as file:
        entry = _Entry(file, path)
        for line in _page_lines(source):
            entry.write(line + b"\n")
        return entry.resource()


def _page_lines(source: Path) -> Iterator[bytes]:
    yield msgspec.json.encode(_PAGES)
    decoder = msgspec.json.Decoder(_Line)
    with open(source, "rb", opener=own) as lines:
        for number, line in enumerate(lines, 1):
            try:
                page = decoder.decode(line)
            except msgspec.DecodeError as error:
                raise RunError(f"{source}: line {number}: {error}") from None
            if page.file is not None and "html" in page.type:
                at = page.fetched.strftime("%Y-%m-%dT%H:%M:%SZ")
                yield msgspec.json.encode({"url": page.final or page.url, "ts": at})
