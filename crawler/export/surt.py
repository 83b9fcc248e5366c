"""A URL as web archives sort it."""

import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from crawler import urls

_WWW: Final = re.compile(r"^www\d*\.")
_SLASHES: Final = re.compile(r"//+")
_SAFE: Final = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
# What tells one visitor from another, and no page from another: of Java, PHP, ASP, ColdFusion.
_IN_PATH: Final = re.compile(r"\((?:(?:[a-z]\([0-9a-z]{24}\))+|[0-9a-z]{24})\)/(?=[^?]+\.aspx)")
_IN_QUERY: Final = (
    re.compile(r"^(.*)(?:jsessionid=[0-9a-z]{32})(?:&(.*))?$"),
    re.compile(r"^(.*)(?:phpsessid=[0-9a-z]{32})(?:&(.*))?$"),
    re.compile(r"^(.*)(?:sid=[0-9a-z]{32})(?:&(.*))?$"),
    re.compile(r"^(.*)(?:aspsessionid[a-z]{8}=[a-z]{24})(?:&(.*))?$"),
    re.compile(r"^(.*)(?:cfid=[^&]+&cftoken=[^&]+)(?:&(.*))?$"),
)


def surt(url: str) -> str:
    """Return the key of a canonical http(s) URL: `com,example)/path?query`.

    As archives make it (the "sort-friendly URI reordering transform"): host from its end to its
    beginning, without `www.`; no scheme, fragment, default port, nor slash at the end; all in lower
    case, percent-encoded no more than once; the query in order, session ids left out.
    """
    split = urls.to_yarl(url)
    host = ",".join(reversed(_WWW.sub("", split.raw_host or "").strip(".").split(".")))
    port = "" if split.is_default_port() else f":{split.port}"
    path = _SLASHES.sub("/", _IN_PATH.sub("", _plain(split.raw_path)))
    query = "&".join(_ordered(_plain(split.raw_query_string)))
    return f"{host}{port}){path.removesuffix('/') or '/'}{'?' if query else ''}{query}"


def _plain(text: str) -> str:
    """Return text in lower case, with nothing percent-encoded that need not be."""
    data = text.encode()
    while (decoded := unquote_to_bytes(data)) != data:
        data = decoded
    return quote(data, safe=_SAFE).lower()


def _ordered(query: str) -> list[str]:
    for pattern in _IN_QUERY:
        if found := pattern.match(query):
            query = found[1] + (found[2] or "")
    return ["=".join(pair) for pair in sorted(part.split("=", 1) for part in query.split("&"))]
