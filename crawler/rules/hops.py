"""Where does a redirect lead?"""

from msgspec import structs

from crawler import urls
from crawler.errors import InvalidUrl
from crawler.request import Request
from crawler.response import Response

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ABOUT_BODY = frozenset(
    {"content-type", "content-length", "content-encoding", "content-language", "content-location"}
)
_FOR_ORIGIN = frozenset({"authorization", "cookie", "proxy-authorization", "host"})


def hop(request: Request, response: Response) -> Request | None:
    """Return the request a redirect asks for, or None if `response` is no redirect.

    As in the Fetch standard's "HTTP-redirect fetch": 303, and 301 or 302 to a POST, become a GET
    without body; credentials set for one origin stay there. Without a usable Location there is
    nothing to follow.
    """
    location = response.headers.get("Location", "").strip()
    if response.status not in REDIRECTS or not location:
        return None
    try:
        target = urls.without_credentials(urls.join(response.url, location))
    except InvalidUrl:
        return None
    dropped: frozenset[str] = frozenset()
    method, body = request.method, request.body
    if _becomes_get(response.status, method):
        method, body, dropped = "GET", None, _ABOUT_BODY
    if urls.origin_of(response.url) != urls.origin_of(target):
        dropped |= _FOR_ORIGIN
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in dropped)
    return structs.replace(request, url=target, method=method, body=body, headers=headers)


def _becomes_get(status: int, method: str) -> bool:
    if status == 303:
        return method not in ("GET", "HEAD")
    return status in (301, 302) and method == "POST"
