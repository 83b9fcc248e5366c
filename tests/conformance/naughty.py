"""Naughty strings, where the web could put them: nothing raises what it should not."""

import json
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from urllib.parse import quote

from crawler import urls
from crawler.errors import InvalidUrl
from crawler.export.paths import path_for
from crawler.fetch.cookies import CookieJar
from crawler.parse.encoding import decode
from crawler.parse.links import extract
from crawler.parse.sitemaps import parse as parse_sitemap
from crawler.rules.pacing import retry_after
from crawler.rules.robots import Robots
from tests.conformance.packages import Package

BLNS = Package(
    registry="npm",
    name="blns",
    version="2.0.4",
    file="blns-2.0.4.tgz",
    sha256="07defd1e4ac44024cec61c668696afed8353ee01d2fcaeca2a174d5220c24d9d",
)
_HOME = "http://a.example/"


def _url(text: str) -> bool:
    try:
        url = urls.join(_HOME, text)
    except InvalidUrl:
        return True
    path = path_for(url)
    return urls.canonicalize(url) == url and not path.is_absolute() and ".." not in path.parts


def _path(text: str) -> bool:
    path = path_for(urls.canonicalize(_HOME + quote(text, safe="/\\:?#%&=.~")))
    return PurePosixPath(*path.parts) == path and not {"..", ".", ""} & set(path.parts)


def _links(text: str) -> bool:
    for link in extract(f"<base href='{text}'><a href='{text}'>{text}</a><a href={text}>", _HOME):
        if not link.url.startswith(urls.SCHEMES):
            return False
    return True


def _robots(text: str) -> bool:
    robots = Robots.parse(f"User-agent: *\nDisallow: /{text}\nSitemap: {text}".encode())
    return isinstance(robots.allows("me", _HOME), bool)


def _sitemap(text: str) -> bool:
    parse_sitemap(f"<urlset><url><loc>{text}</loc></url></urlset>".encode())
    parse_sitemap(text.encode())
    return True


def _cookie(text: str) -> bool:
    jar = CookieJar()
    jar.store(_HOME, text, f"a={text}", f"a=b; expires={text}; path={text}; domain={text}")
    return not set(jar.header(_HOME)) & set("\r\n\0")


def _header(text: str) -> bool:
    wait = retry_after(text, 0.0)
    decode(text.encode(), text)
    return wait is None or wait >= 0


_PLACES: list[Callable[[str], bool]] = [_url, _path, _links, _robots, _sitemap, _cookie, _header]


def strings() -> Iterator[tuple[str, bool]]:
    """Each string in each place."""
    for text in json.loads(BLNS.read("package/resources/blns.json")):
        for place in _PLACES:
            yield f"{place.__name__[1:]} {text!r}", place(text)
