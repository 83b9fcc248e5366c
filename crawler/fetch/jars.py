"""Each request has its cookie jar."""

from msgspec import structs

from crawler.fetch.cookies import CookieJar
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response


class CookieLayer:
    """Sends the cookies of `request.jar`, and keeps those that come back.

    Sits below redirects, so that every hop's cookies count. A Cookie header of the request itself
    is sent as well, and wins over the jar's cookies of the same names.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._jars: dict[str, CookieJar] = {}

    async def __call__(self, request: Request) -> Response:
        """Fetch `request` with its jar's cookies."""
        jar = self._jars.get(request.jar)
        if jar is not None and (cookies := jar.header(request.url)):
            response = await self._fetch(_with_cookies(request, cookies))
            response.request = request
        else:
            response = await self._fetch(request)
        for cookie in response.headers.getall("Set-Cookie", ()):
            self._jar(request.jar).store(response.url, cookie)
        return response

    def _jar(self, name: str) -> CookieJar:
        if name not in self._jars:
            self._jars[name] = CookieJar()
        return self._jars[name]


def _with_cookies(request: Request, cookies: str) -> Request:
    own = "; ".join(value for name, value in request.headers if name.lower() == "cookie")
    named = {_name(pair) for pair in own.split(";")}
    kept = [pair for pair in cookies.split("; ") if _name(pair) not in named]
    rest = [pair for pair in request.headers if pair[0].lower() != "cookie"]
    value = "; ".join([own.strip("; "), *kept] if own else kept)
    return structs.replace(request, headers=(*rest, ("Cookie", value)))


def _name(pair: str) -> str:
    return pair.partition("=")[0].strip()
