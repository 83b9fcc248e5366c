"""Which pages have the body of another?"""

import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import Literal

from crawler.rules.likeness import Likeness, are_near

Copy = Literal["duplicate_bodies", "near_duplicates"]
"""What kind of copy a page is, as it is counted."""

_KEPT = "body "
_PACKED = struct.Struct("<QQ?")
_MOST_PAGES = 100_000
_MOST_IN_BAND = 64
_BANDS = range(4)
_BAND_BITS = 16


class Copies:
    """The bodies of a run's pages, each once, by the URL that had it first; a `Memory`.

    Known is what was added: of a page that failed, a copy may be the only one left. A page is no
    copy of its own URL's, so one that is made again after a crash is what it was.
    Simhashes that differ in three bits or fewer agree in one of four bands of 16 (Manku 2007). The
    last `most` pages are remembered, 500 bytes each.
    """

    def __init__(self, *, most: int = _MOST_PAGES) -> None:
        self._most = most
        self._pages: dict[str, Likeness] = {}
        self._digests: set[int] = set()
        self._bands: dict[int, list[int]] = {}
        self._new: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._pages)

    def judge(self, url: str, likeness: Likeness) -> Copy | None:
        """Return what kind of copy the page at `url` is; None for the first of its kind."""
        if _key(url) in self._pages:
            return None
        if likeness.digest in self._digests:
            return "duplicate_bodies"
        if likeness.simhash is not None and self._has_near(likeness.simhash):
            return "near_duplicates"
        return None

    def add(self, url: str, likeness: Likeness) -> None:
        """Know a page from now on, unless its body is known already."""
        key = _key(url)
        if key in self._pages or likeness.digest in self._digests:
            return
        self._add(key, likeness)
        self._new[_KEPT + key] = _PACKED.pack(
            likeness.digest, likeness.simhash or 0, likeness.simhash is not None
        )

    def remove(self, url: str) -> None:
        """Know a page no longer, as an earlier life may have."""
        key = _key(url)
        if key in self._pages:
            self._forget(key)
            self._new[_KEPT + key] = b""

    def changes(self) -> Mapping[str, bytes]:
        """Return the bodies that are new, and those that are forgotten."""
        new, self._new = self._new, {}
        return new

    def learn(self, name: str, value: bytes) -> None:
        """Hear of a body that an earlier life or another process met, or forgot."""
        if not name.startswith(_KEPT):
            return
        key = name.removeprefix(_KEPT)
        if not value:
            self._forget(key)
        elif key not in self._pages:
            digest, simhash, has_text = _PACKED.unpack(value)
            self._add(key, Likeness(digest, simhash if has_text else None))

    def _has_near(self, simhash: int) -> bool:
        return any(
            are_near(simhash, other)
            for band in _bands_of(simhash)
            for other in self._bands.get(band, ())
        )

    def _add(self, key: str, likeness: Likeness) -> None:
        while len(self._pages) >= self._most:
            oldest = next(iter(self._pages))
            self._forget(oldest)
            self._new[_KEPT + oldest] = b""
        self._pages[key] = likeness
        self._digests.add(likeness.digest)
        for band in _bands_of(likeness.simhash):
            some = self._bands.setdefault(band, [])
            some.append(likeness.simhash or 0)
            del some[:-_MOST_IN_BAND]

    def _forget(self, key: str) -> None:
        likeness = self._pages.pop(key, None)
        if likeness is None:
            return
        self._digests.discard(likeness.digest)
        for band in _bands_of(likeness.simhash):
            some = self._bands.get(band, [])
            if likeness.simhash in some:
                some.remove(likeness.simhash)
            if not some:
                self._bands.pop(band, None)


def _key(url: str) -> str:
    return blake2b(url.encode(), digest_size=8).hexdigest()


def _bands_of(simhash: int | None) -> list[int]:
    """Return the four bands of a simhash, each with its number."""
    if simhash is None:
        return []
    mask = (1 << _BAND_BITS) - 1
    return [band << _BAND_BITS | (simhash >> band * _BAND_BITS) & mask for band in _BANDS]
