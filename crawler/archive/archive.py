"""Answers from stored pages."""

import logging
from pathlib import Path
from typing import IO

from msgspec import structs

from crawler import urls
from crawler.archive import warc
from crawler.archive.answer import Answer
from crawler.archive.index import Index, Place
from crawler.archive.run_files import FILES, StoredFile, decode_file, stored_file
from crawler.archive.run_pages import PAGES, answer_of, decode_page, line_at
from crawler.archive.sources import Sources
from crawler.errors import InvalidUrl, NotStored
from crawler.owned import own
from crawler.urls import KeyRules

log = logging.getLogger(__name__)

INDEX = "source.db"
"""The index of the stored pages that a run is made of, in its folder."""

_NO_RULES = KeyRules()
_MOST_OPEN = 32
_MOST_HOPS = 10


class Archive:
    """Stored pages, found by what is asked for. All of it is used in one thread, which blocks.

    The index is kept at `index`; without one it is made for this time only. `rules` say which URLs
    are the same. Raises `RunError` for what cannot be read at all.
    """

    def __init__(
        self, sources: Sources, *, index: Path | None = None, rules: KeyRules = _NO_RULES
    ) -> None:
        self._sources = sources
        self._index = Index(sources, path=index, rules=rules)
        self._files: dict[Path, IO[bytes]] = {}
        self._stopped = False

    def open(self) -> None:
        """Open the index, or make it, which takes a while: 10 to 50 µs a page."""
        if self._index.open(lambda: self._stopped):
            names = ", ".join(map(str, (*self._sources.runs, *self._sources.files)))
            log.info("indexed what is stored in %s", names)

    def stop(self) -> None:
        """Let an index that is being made go unfinished; from any thread."""
        self._stopped = True

    def close(self) -> None:
        """Close all files."""
        self._index.close()
        for file in self._files.values():
            file.close()
        self._files.clear()

    def ask(
        self, url: str, *, method: str = "GET", sent: str | None = None, limit: int
    ) -> Answer | None:
        """Return what is stored for a request; None if nothing is.

        `sent` is the digest of the request's body. The answer's body has at most `limit` bytes.
        Raises `NotStored` for what cannot be read any more, `BodyTooLarge`, and `BodyError`.
        """
        gone: NotStored | None = None
        for place in self._index.find(url, method=method, sent=sent):
            try:
                if (answer := self._answer(place, url, limit=limit)) is not None:
                    return answer
            except NotStored as error:
                gone = gone or error  # an older one may be whole
        if gone is not None:
            raise gone
        hop = self._index.hop(url, method=method, sent=sent)
        if hop is None:
            return None
        fields = (("Location", hop.url),) if hop.url is not None else ()
        return Answer(hop.status, fields, is_whole=False)

    def file(self, url: str) -> StoredFile | None:
        """Return what a run has downloaded from a URL, opened; None if none has.

        Raises `NotStored` for a file that is gone, or another one by now.
        """
        if (place := self._index.file(url)) is None:
            return None
        folder = self._sources.runs[place.source]
        line = line_at(self._file(folder / FILES), place.at, decode_file)
        return stored_file(folder, line) if self._is_same(line.final or line.url, url) else None

    def listing(self, url: str) -> Answer | None:
        """Return, in place of a sitemap that is not stored, the stored pages that it listed.

        A robots.txt names a sitemap, in whose place all come that any sitemap listed.
        """
        found = self._index.listed(url)
        if url.partition("?")[0].endswith("/robots.txt") and found:
            found = [f"Sitemap: {urls.origin_of(url)}/sitemap.xml"]
        fields = (("Content-Type", "text/plain; charset=utf-8"),)
        return Answer(200, fields, "\n".join(found).encode()) if found else None

    def page(self, url: str, *, limit: int) -> tuple[str, Answer] | None:
        """Return what is stored for a URL, and where its redirects led; None if nothing is."""
        for _ in range(_MOST_HOPS):
            answer = self.ask(url, limit=limit)
            if answer is None:
                return None
            location = answer.header("location")
            if location is None or not 300 <= answer.status < 400:
                return url, answer
            try:
                url = urls.without_credentials(urls.join(url, location))
            except InvalidUrl:
                return url, answer
        return None

    def has(self, url: str) -> bool:
        """True if something is stored for a URL; False for what is none."""
        try:
            return bool(self._index.find(url) or self._index.hop(url))
        except InvalidUrl:
            return False

    def _answer(self, place: Place, url: str, *, limit: int) -> Answer | None:
        """Return what is at a place, if it is what was asked for: two URLs may share a number."""
        runs = self._sources.runs
        if place.source < len(runs):
            folder = runs[place.source]
            line = line_at(self._file(folder / PAGES), place.at, decode_page)
            is_it = self._is_same(line.final or line.url, url)
            return answer_of(folder, line, limit=limit) if is_it else None
        stored = self._read(place, limit=limit)
        if not self._is_same(stored.url, url):
            return None
        return self._original(stored, limit=limit) if stored.is_revisit else stored.answer

    def _is_same(self, one: str, other: str) -> bool:
        return one == other or self._index.key(one) == self._index.key(other)

    def _original(self, revisit: warc.Stored, *, limit: int) -> Answer:
        """Return a revisit with the body that it says was the same."""
        originals = self._index.originals(
            name=revisit.refers_to, url=revisit.refers_to_url, digest=revisit.digest
        )
        for place in originals:
            first = self._read(place, limit=limit)
            if revisit.not_modified:
                return first.answer
            body, is_whole = first.answer.body, first.answer.is_whole
            return structs.replace(revisit.answer, body=body, is_whole=is_whole)
        raise NotStored("a revisit of a page that is not stored itself")

    def _read(self, place: Place, *, limit: int) -> warc.Stored:
        path = self._sources.files[place.source - len(self._sources.runs)]
        return warc.read(self._file(path), path, place.at, limit=limit)

    def _file(self, path: Path) -> IO[bytes]:
        file = self._files.pop(path, None)
        try:
            # What the user named may be a link; a run's own files are none.
            opener = own if path.name in (PAGES, FILES) else None
            file = file or open(path, "rb", opener=opener)  # noqa: SIM115  # see `close`
        except OSError as error:
            raise NotStored(f"{path}: cannot be read: {error.strerror}") from None
        if len(self._files) >= _MOST_OPEN:
            self._files.pop(next(iter(self._files))).close()
        self._files[path] = file
        return file
