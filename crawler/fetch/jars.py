"""Each request has its cookie jar."""

from collections.abc import Mapping

import msgspec
from msgspec import structs

from crawler.fetch.cookies import CookieJar, Key
from crawler.fetch.setcookie import Cookie
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response

_KEPT = "cookies "
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Cookie).decode
_decode_name = msgspec.json.Decoder(tuple[str, str, bool, str, str]).decode


class Jars:
    """The cookie jars of a crawl, by name; a `Memory`, kept cookie by cookie.

    So what two processes get from one site at the same time is kept side by side.
    """

    def __init__(self) -> None:
        self._jars: dict[str, CookieJar] = {}
        self._touched: set[str] = set()  # since the last look for changes: there may be very many

    def find(self, name: str) -> CookieJar | None:
        """Return the jar of that name if there is one."""
        jar = self._jars.get(name)
        if jar is not None:
            self._touched.add(name)
        return jar

    def make(self, name: str) -> CookieJar:
        """Return the jar of that name, new if there is none."""
        self._touched.add(name)
        return self._jars.setdefault(name, CookieJar())

    def changes(self) -> Mapping[str, bytes]:
        """Return the cookies that changed as JSON; nothing for one that is gone."""
        touched, self._touched = self._touched, set()
        return {
            _KEPT + _encode([name, *key]).decode(): _encode(cookie) if cookie is not None else b""
            for name in touched
            for key, cookie in self._jars[name].changed().items()
        }

    def learn(self, name: str, value: bytes) -> None:
        """Take a cookie as an earlier life or another process had it."""
        if name.startswith(_KEPT):
            jar, domain, host_only, path, cookie = _decode_name(name.removeprefix(_KEPT))
            key = Key(domain, host_only, path, cookie)
            self.make(jar).take(key, _decode(value) if value else None)


class CookieLayer:
    """Sends the cookies of `request.jar`, and keeps those that come back.

    Sits below redirects, so that every hop's cookies count. A Cookie header of the request itself
    is sent as well, and wins over the jar's cookies of the same names.
    """

    def __init__(self, fetch: Fetch, *, jars: Jars) -> None:
        self._fetch = fetch
        self._jars = jars

    async def __call__(self, request: Request) -> Response:
        """Fetch `request` with its jar's cookies."""
        jar = self._jars.find(request.jar)
        if jar is not None and (with_cookies := _with_cookies(request, jar)) is not None:
            response = await self._fetch(with_cookies)
            response.request = request
        else:
            response = await self._fetch(request)
        if cookies := response.headers.getall("Set-Cookie", ()):
            self._jars.make(request.jar).store(response.url, *cookies)
        return response


def _with_cookies(request: Request, jar: CookieJar) -> Request | None:
    """Return the request with what the jar has for it, None if that is nothing."""
    own = "; ".join(value for name, value in request.headers if name.lower() == "cookie")
    own = own.strip("; ")
    named = {pair.partition("=")[0].strip() for pair in own.split(";")} if own else ()
    cookies = jar.header(request.url, beside=own, besides=named)
    if not cookies:
        return None
    rest = [pair for pair in request.headers if pair[0].lower() != "cookie"]
    value = f"{own}; {cookies}" if own else cookies
    return structs.replace(request, headers=(*rest, ("Cookie", value)))
