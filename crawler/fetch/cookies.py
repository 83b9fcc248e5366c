"""Cookies as a browser keeps them."""

import time
from collections import OrderedDict
from collections.abc import Collection, Iterable
from heapq import nsmallest
from typing import Final, NamedTuple

from msgspec import structs

from crawler.fetch.setcookie import Cookie, Origin, domain_matches, parse, path_matches, site_of

# Section numbers are those of draft-ietf-httpbis-rfc6265bis-22; its least is 50 and 3,000 (6.1).
_SITE_LIMIT: Final = 180
_JAR_LIMIT: Final = 3000
# nginx and Apache refuse a header line of more than 8 KiB; 180 cookies may be 700 kB.
_HEADER_BYTES: Final = 8000


class CookieJar:
    """What sites have set, at most 180 cookies a registrable domain and 3,000 in all.

    Plain http to a loopback host counts as secure, as in browsers, so that sites under development
    work. SameSite does not restrict a crawler, whose every request is a top-level navigation.
    A `url` that is none raises `InvalidUrl`; a Set-Cookie that is none is ignored. `now` is in
    seconds since the epoch.
    """

    def __init__(self) -> None:
        # Within a site in order of creation; a replaced cookie keeps its time (5.7 step 23).
        self._sites: dict[str, dict[Key, Cookie]] = {}
        # All of them, the least recently used first; the number tells who is older.
        self._used: OrderedDict[Key, int] = OrderedDict()
        self._uses = 0
        self._next_expiry = float("inf")
        self._changed: set[Key] = set()

    def store(self, url: str, *set_cookies: str, now: float | None = None) -> None:
        """Keep what the Set-Cookie headers of the response from `url` say (5.6, 5.7).

        Room is made once, behind the last: 5,000 of them in one response cost 50 ms.
        """
        now = time.time() if now is None else now
        origin = Origin.of(url)
        site = site_of(origin.host)
        guarded = [] if origin.trusted else [old for old in self._of_site(site) if old.secure]
        for number, text in enumerate(set_cookies):
            moment = now + number / 1e6  # so that whoever keeps them can tell which came first
            cookie = parse(text, origin=origin, now=moment)
            if cookie is None or (guarded and _shadows(cookie, guarded)):
                continue
            key = _key(cookie)
            old = self._sites.get(site, {}).get(key)
            if not cookie.expired(moment):
                self._put(structs.replace(cookie, created=old.created) if old else cookie)
            elif old is not None:
                self._drop(key)
        self._evict(site, now)

    def header(
        self, url: str, *, beside: str = "", besides: Collection[str] = (), now: float | None = None
    ) -> str:
        """Return the Cookie header for a request to `url`, "" if there is none (5.8.3).

        Longer paths come first, then older cookies; what would make it longer than 8,000 bytes is
        left out, whole cookies only. `beside`: what the header holds already; cookies of the names
        `besides` are left out.
        """
        if not self._used:
            return ""
        self._evict_expired(time.time() if now is None else now)
        origin = Origin.of(url)
        found = [c for c in self._of_site(site_of(origin.host)) if c.fits(origin)]
        found.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        sent = []
        room = _HEADER_BYTES - (len(beside.encode()) + len("; ") if beside else 0)
        for cookie in found:
            pair = f"{cookie.name}={cookie.value}" if cookie.name else cookie.value
            length = len(pair.encode())
            if length <= room and cookie.name not in besides:
                room -= length + len("; ")
                sent.append(pair)
                self._touch(_key(cookie))
        return "; ".join(sent)

    def dump(self) -> list[Cookie]:
        """Return every cookie, each site's in order of creation: what `load` takes."""
        return [cookie for site in self._sites.values() for cookie in site.values()]

    def load(self, cookies: Iterable[Cookie], *, now: float | None = None) -> None:
        """Add cookies that a `dump` gave; the bounds hold, expired ones are left out."""
        now = time.time() if now is None else now
        for cookie in cookies:
            self._put(cookie)
            self._evict(site_of(cookie.domain), now)

    def changed(self) -> dict["Key", Cookie | None]:
        """Return what changed since the last call: a cookie, or None if it is gone."""
        changed, self._changed = self._changed, set()
        return {key: self._sites.get(site_of(key.domain), {}).get(key) for key in changed}

    def take(self, key: "Key", cookie: Cookie | None) -> None:
        """Take what another jar's `changed` gave; that is no change here.

        What has changed here, and was not told yet, stays. What has expired meanwhile is a change:
        it is to be forgotten by whoever keeps it.
        """
        if key in self._changed:
            return
        if cookie is not None:
            self.load([cookie])
        elif key in self._used:
            self._drop(key)
        if cookie is None or key in self._used:
            self._changed.discard(key)

    def _of_site(self, site: str) -> Iterable[Cookie]:
        return self._sites.get(site, {}).values()

    def _put(self, cookie: Cookie) -> None:
        key = _key(cookie)
        self._changed.add(key)
        self._sites.setdefault(site_of(cookie.domain), {})[key] = cookie
        self._touch(key)
        if cookie.expires is not None:
            self._next_expiry = min(self._next_expiry, cookie.expires)

    def _touch(self, key: "Key") -> None:
        self._uses += 1
        self._used[key] = self._uses
        self._used.move_to_end(key)

    def _drop(self, key: "Key") -> None:
        site = site_of(key.domain)
        self._changed.add(key)
        del self._used[key]
        del self._sites[site][key]
        if not self._sites[site]:
            del self._sites[site]

    def _evict(self, site: str, now: float) -> None:
        """Make room (5.7): expired, then insecure ones of a full site, then any of it, then any."""
        self._evict_expired(now)
        cookies = self._sites.get(site, {})
        if (excess := len(cookies) - _SITE_LIMIT) > 0:
            for key in nsmallest(
                excess, cookies, key=lambda key: (cookies[key].secure, self._used[key])
            ):
                self._drop(key)
        while len(self._used) > _JAR_LIMIT:
            self._drop(next(iter(self._used)))

    def _evict_expired(self, now: float) -> None:
        if now < self._next_expiry:
            return
        for cookie in self.dump():
            if cookie.expired(now):
                self._drop(_key(cookie))
        expiries = (c.expires for site in self._sites.values() for c in site.values())
        self._next_expiry = min((at for at in expiries if at is not None), default=float("inf"))


class Key(NamedTuple):
    """What makes a cookie replace another (5.7 step 23)."""

    domain: str
    host_only: bool
    path: str
    name: str


def _shadows(cookie: Cookie, guarded: Iterable[Cookie]) -> bool:
    """Return whether it reaches for the name of a secure cookie (5.7 step 16)."""
    return any(
        old.name == cookie.name
        and (domain_matches(old.domain, cookie.domain) or domain_matches(cookie.domain, old.domain))
        and path_matches(cookie.path, old.path)
        for old in guarded
    )


def _key(cookie: Cookie) -> Key:
    return Key(cookie.domain, cookie.host_only, cookie.path, cookie.name)
