"""Which pages are copies of others, or no pages at all?"""

import asyncio
from collections.abc import Mapping
from secrets import token_hex
from typing import Literal

import msgspec
from msgspec import Struct

from crawler import urls
from crawler.errors import FetchError
from crawler.outcome import Verdict
from crawler.protocols import Fetch
from crawler.request import link_request
from crawler.response import Response
from crawler.rules.copies import Copies
from crawler.rules.likeness import Likeness, likeness_of

Mode = Literal["drop", "count", "ignore"]

_KEPT = "no page "


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


_WANTED = Sifted()


class Sieve:
    """Looks at pages before their callbacks do; a `Memory`.

    `duplicates`: pages with the body of another URL's, or nearly so. `soft_404`: pages like what
    their host gives for a URL that is none, which is asked for once, before its first page is
    judged. `drop` drops them, `count` counts them. Nothing is sifted of what is no plain GET, or
    has another status than 2xx.
    """

    def __init__(self, *, duplicates: Mode = "ignore", soft_404: Mode = "ignore") -> None:
        self._duplicates = duplicates
        self._soft_404 = soft_404
        self._copies = Copies()
        self._blanks: dict[str, _Blank] = {}
        self._asking: dict[str, asyncio.Lock] = {}
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
        return Sifted(counts) if counts else _WANTED

    def changes(self) -> Mapping[str, bytes]:
        """Return the bodies that are new, and what hosts give for URLs that are none."""
        new, self._new = self._new, {}
        return {**new, **self._copies.changes()}

    def learn(self, name: str, value: bytes) -> None:
        """Hear what an earlier life or another process found."""
        if name.startswith(_KEPT):
            self._blanks[name.removeprefix(_KEPT)] = _decode(value)
        else:
            self._copies.learn(name, value)

    async def _is_blank(self, page: Response, likeness: Likeness | None, *, fetch: Fetch) -> bool:
        origin = urls.origin_of(page.url)
        blank = self._blanks.get(origin)
        if blank is None:
            blank = await self._ask(origin, fetch)
        if not blank.is_like(page, likeness):
            return False
        is_seed = not (page.request.depth or page.request.parent)
        if is_seed or page.request.url == f"{origin}/":
            # It gives this page for any URL, as sites do whose pages are made in the browser.
            self._keep(origin, _HONEST)
            return False
        return True

    async def _ask(self, origin: str, fetch: Fetch) -> _Blank:
        """Ask a host for a page that it cannot have; once, whoever else wants to know."""
        async with self._asking.setdefault(origin, asyncio.Lock()):
            if (blank := self._blanks.get(origin)) is not None:
                return blank
            probe = link_request(url=f"{origin}/{token_hex(12)}", kind="probe", retries=0)
            blank = _HONEST
            try:
                page = await fetch(probe)
            except FetchError:
                pass  # as it should be; or nothing is known of it
            else:
                if 200 <= page.status < 300 and urls.origin_of(page.url) == origin:
                    blank = _Blank(likeness_of(page), page.url if page.redirects else "")
                page.release()
            self._keep(origin, blank)
        self._asking.pop(origin, None)
        return blank

    def _keep(self, origin: str, blank: _Blank) -> None:
        self._blanks[origin] = blank
        self._new[_KEPT + origin] = _encode(blank)
