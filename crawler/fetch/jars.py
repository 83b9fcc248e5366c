"""Each request has its cookie jar."""

from collections.abc import Mapping

import msgspec
from msgspec import structs

from crawler.fetch.cookies import CookieJar
from crawler.fetch.setcookie import Cookie
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response

_KEPT = "cookies "
_decode = msgspec.json.Decoder(list[Cookie]).decode


class Jars:
    """The cookie jars of a crawl, by name; a `Memory`, kept by jar and site."""

    def __init__(self) -> None:
        self._jars: dict[str, CookieJar] = {}

    def find(self, name: str) -> CookieJar | None:
        """Return the jar of that name if there is one."""
        return self._jars.get(name)

    def make(self, name: str) -> CookieJar:
        """Return the jar of that name, new if there is none."""
        return self._jars.setdefault(name, CookieJar())

    def changes(self) -> Mapping[str, bytes]:
        """Return what changed, each site's cookies as JSON; nothing if it has none more."""
        return {
            f"{_KEPT}{site} {name}": msgspec.json.encode(cookies) if cookies else b""
            for name, jar in self._jars.items()
            for site, cookies in jar.changed().items()
        }

    def learn(self, name: str, value: bytes) -> None:
        """Take a site's cookies as an earlier life or another process had them."""
        if name.startswith(_KEPT):
            site, _, jar = name.removeprefix(_KEPT).partition(" ")
            self.make(jar).replace(site, _decode(value) if value else ())


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
        if jar is not None and (cookies := jar.header(request.url)):
            response = await self._fetch(_with_cookies(request, cookies))
            response.request = request
        else:
            response = await self._fetch(request)
        for cookie in response.headers.getall("Set-Cookie", ()):
            self._jars.make(request.jar).store(response.url, cookie)
        return response


def _with_cookies(request: Request, cookies: str) -> Request:
    own = "; ".join(value for name, value in request.headers if name.lower() == "cookie")
    named = {_name(pair) for pair in own.split(";")}
    kept = [pair for pair in cookies.split("; ") if _name(pair) not in named]
    rest = [pair for pair in request.headers if pair[0].lower() != "cookie"]
    value = "; ".join([own.strip("; "), *kept] if own else kept)
    return structs.replace(request, headers=(*rest, ("Cookie", value)))


def _name(pair: str) -> str:
    return pair.partition("=")[0].strip()
