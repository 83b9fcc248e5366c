"""Which pages are copies of others, or no pages at all?"""

import asyncio
from collections.abc import Mapping
from secrets import token_hex
from typing import Literal

import msgspec
from msgspec import Struct

from crawler import urls
from crawler.errors import FetchError, HostGivenUp
from crawler.outcome import Verdict
from crawler.protocols import Fetch
from crawler.request import link_request
from crawler.response import Response
from crawler.rules.copies import Copies
from crawler.rules.likeness import Likeness, likeness_of, tiny_likeness_of

Mode = Literal["drop", "count", "ignore"]

_KEPT = "no page "
_MOST_PROBES = 8
"""Of one host; in what other folders there is, it is taken to do as at its root."""


class _Blank(Struct, frozen=True):
    """What a host gives for a URL that is none: nothing if it says 404, as it should.

    `url` is where it redirects to, "" if it does not.
    """

    likeness: Likeness | None = None
    url: str = ""

    def is_like(self, page: Response, likeness: Likeness | None) -> bool:
        """True for a page that looks so, or was redirected to the same place."""
        if self.url and page.redirects and page.url == self.url:
            return True
        return bool(self.likeness and likeness and likeness.is_near(self.likeness))


_HONEST = _Blank()
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Blank).decode


class Sifted(Struct, frozen=True):
    """What a page was found to be: counted under these names; with a verdict, it is dropped."""

    counts: Mapping[str, int] = {}
    verdict: Verdict | None = None
    likeness: Likeness | None = None
    """Of a page that may be the first of its kind."""


_WANTED = Sifted()


class Sieve:
    """Looks at pages before their callbacks do; a `Memory`.

    `duplicates`: pages with the body of another URL's, or nearly so. `soft_404`: pages like what
    their host gives for a URL that is none; it is asked for one at its root, and in each folder
    below that, before the first page there is judged. `drop` drops them, `count` counts them.
    Nothing is sifted of what is no plain GET, or has another status than 2xx.
    """

    def __init__(self, *, duplicates: Mode = "ignore", soft_404: Mode = "ignore") -> None:
        self._duplicates = duplicates
        self._soft_404 = soft_404
        self._copies = Copies()
        self._blanks: dict[str, _Blank] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._asked: dict[str, int] = {}
        self._new: dict[str, bytes] = {}

    @property
    def is_idle(self) -> bool:
        """True if it would let everything through."""
        return self._duplicates == self._soft_404 == "ignore"

    async def sift(self, page: Response, *, fetch: Fetch) -> Sifted:
        """Return what a page is; `fetch` asks its host, ahead of the queue."""
        request = page.request
        if not 200 <= page.status < 300 or request.method != "GET" or request.body is not None:
            return _WANTED
        counts: dict[str, int] = {}
        likeness = likeness_of(page)
        if self._soft_404 != "ignore" and await self._is_blank(page, likeness, fetch=fetch):
            counts["soft_404"] = 1
            if self._soft_404 == "drop":
                return Sifted({**counts, "dropped.soft_404": 1}, Verdict.DROPPED)
        if self._duplicates != "ignore" and likeness is not None:
            copy = self._copies.judge(page.url, likeness)
            if copy is not None:
                counts[copy] = 1
                if self._duplicates == "drop":
                    return Sifted(counts, Verdict.DUPLICATE)
            else:
                return Sifted(counts, likeness=likeness)
        return Sifted(counts) if counts else _WANTED

    def settle(self, url: str, likeness: Likeness, verdict: Verdict) -> None:
        """Know the body of a page that was let through, once its callback is done with it.

        Pages that come meanwhile are no copies of it: if it fails, they are all there is. `url` is
        whose the body is: the page's own, or one that will take its place.
        """
        if verdict is Verdict.DONE:
            self._copies.add(url, likeness)
        else:
            self._copies.remove(url)

    def changes(self) -> Mapping[str, bytes]:
        """Return the bodies that are new, and what hosts give for URLs that are none."""
        new, self._new = self._new, {}
        return {**new, **self._copies.changes()}

    def learn(self, name: str, value: bytes) -> None:
        """Hear what an earlier life or another process found."""
        if name.startswith(_KEPT):
            folder = name.removeprefix(_KEPT)
            root = urls.origin_of(folder) + "/"
            self._asked[root] = self._asked.get(root, 0) + (folder not in self._blanks)
            self._blanks[folder] = _decode(value)
        else:
            self._copies.learn(name, value)

    async def _is_blank(self, page: Response, likeness: Likeness | None, *, fetch: Fetch) -> bool:
        """True for a page like what its host gives there for a URL that is none."""
        folder = self._folder_of(page.url)
        blank = self._blanks.get(folder) or await self._ask(folder, fetch)
        if not blank.is_like(page, likeness or tiny_likeness_of(page)):
            return False
        is_seed = not (page.request.depth or page.request.parent)
        if is_seed or page.request.url == folder:
            # It gives this page for any URL, as sites do whose pages are made in the browser.
            self._keep(folder, _HONEST)
            return False
        return True

    def _folder_of(self, url: str) -> str:
        """Return the folder whose ways with URLs that are none are those of a page."""
        root = urls.origin_of(url) + "/"
        first, below, _ = url.partition("?")[0].removeprefix(root).partition("/")
        folder = f"{root}{first}/" if below else root
        if folder in self._blanks or folder in self._asking:
            return folder
        known = self._asked.get(root, 0)
        if folder != root and known >= _MOST_PROBES:
            return root
        self._asked[root] = known + 1
        return folder

    async def _ask(self, folder: str, fetch: Fetch) -> _Blank:
        """Ask a host for a page that it cannot have; once, whoever else wants to know."""
        async with self._asking.setdefault(folder, asyncio.Lock()):
            if (known := self._blanks.get(folder)) is not None:
                return known
            probe = link_request(url=f"{folder}{token_hex(12)}", kind="probe", retries=0)
            blank, is_known = _HONEST, True
            try:
                page = await fetch(probe)
            except HostGivenUp:
                is_known = False  # it is left alone just now, and asked when it is asked again
                self._asked[urls.origin_of(folder) + "/"] -= 1
            except FetchError:
                pass  # as it should be; or nothing is known of it
            else:
                if 200 <= page.status < 300 and page.url.startswith(urls.origin_of(folder) + "/"):
                    likeness = likeness_of(page) or tiny_likeness_of(page)
                    blank = _Blank(likeness, page.url if page.redirects else "")
                page.release()
            if is_known:
                self._keep(folder, blank)
        self._asking.pop(folder, None)
        return blank

    def _keep(self, folder: str, blank: _Blank) -> None:
        self._blanks[folder] = blank
        self._new[_KEPT + folder] = _encode(blank)
