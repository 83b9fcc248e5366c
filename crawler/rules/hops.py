"""Where does an answer send us?"""

from collections.abc import Container, Iterator

from msgspec import structs

from crawler import urls
from crawler.errors import InvalidUrl
from crawler.request import Headers, Request
from crawler.response import Response

REDIRECTS = frozenset({301, 302, 303, 307, 308})
FOR_ORIGIN = frozenset({"authorization", "cookie", "proxy-authorization", "host"})
"""Headers, in lower case, that are for one origin whatever the user says."""

_ABOUT_BODY = frozenset(
    {"content-type", "content-length", "content-encoding", "content-language", "content-location"}
)


def hop(response: Response, *, secret: Container[str] = FOR_ORIGIN) -> Request | None:
    """Return the request a redirect asks for, or None if `response` is no redirect.

    As in the Fetch standard's "HTTP-redirect fetch": 303, and 301 or 302 to a POST, become a GET
    without body; headers named in `secret` (lower case) stay with their origin: scheme, host and
    port. What a hop before this one dropped stays dropped. Without a usable Location there is
    nothing to follow.
    """
    location = response.headers.get("Location", "").strip()
    if response.status not in REDIRECTS or not location:
        return None
    try:
        target = urls.without_credentials(urls.join(response.url, location))
    except InvalidUrl:
        return None
    request = response.asked or response.request
    is_get = _becomes_get(response.status, request.method)
    return _led(response, target, is_get=is_get, secret=secret)


def onward(
    response: Response, *, is_wanted: bool, secret: Container[str] = FOR_ORIGIN
) -> Request | None:
    """Return the request that a redirect, or a page that refreshes to another, asks for.

    `is_wanted`: a callback would get the response, so its status is none to follow. A page that
    leads back to where it came from, and brings no cookie, is the page itself.
    """
    if not is_wanted:
        return hop(response, secret=secret)
    if response.request.kind != "page" or not 200 <= response.status < 300:
        return None
    target = response.refresh
    if target is None or (target in response.redirects and "Set-Cookie" not in response.headers):
        return None
    return _led(response, target, is_get=True, secret=secret)


def _led(response: Response, target: str, *, is_get: bool, secret: Container[str]) -> Request:
    request = response.asked or response.request
    dropped: frozenset[str] = frozenset()
    method, body = request.method, request.body
    if is_get and method != "GET":
        method, body, dropped = "GET", None, _ABOUT_BODY
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in dropped)
    if urls.origin_of(response.url) != urls.origin_of(target):
        headers = tuple(_for_another(headers, target, secret))
    return structs.replace(request, url=target, method=method, body=body, headers=headers)


def referer_of(value: str, *, to: str, whole: bool = True) -> str | None:
    """Return what a Referer may tell `to` (RFC 9110 10.1.3): no user, no fragment.

    Only the origin if not `whole`; None, to send none, from https to http and for what is no URL.
    """
    try:
        url = urls.without_credentials(urls.canonicalize(value))
    except InvalidUrl:
        return None
    if url.startswith("https:") and to.startswith("http:"):
        return None
    return url if whole else urls.origin_of(url) + "/"


def _for_another(
    headers: Headers, target: str, secret: Container[str]
) -> Iterator[tuple[str, str]]:
    """Yield the headers that another origin, that of `target`, may see."""
    for name, value in headers:
        if name.lower() == "referer":
            if (told := referer_of(value, to=target, whole=False)) is not None:
                yield name, told
        elif name.lower() not in secret:
            yield name, value


def _becomes_get(status: int, method: str) -> bool:
    if status == 303:
        return method not in ("GET", "HEAD")
    return status in (301, 302) and method == "POST"
