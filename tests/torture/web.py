"""The site under torture: which URLs it has, and what each of them answers."""

import re
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

HOSTS = tuple(f"127.0.2.{number}" for number in range(1, 9))
STRICT = HOSTS[1]
"""The host whose robots.txt forbids something."""

# How often a page has such a link; the first pages have one of each kind.
SPECIALS = {
    "gone": 0.02,  # 404
    "broken": 0.003,  # 500 for ever
    "moved": 0.02,  # redirects to a page of the host that is linked as well
    "chain": 0.01,  # three redirects to a page that is found in no other way
    "away": 0.02,  # redirects to a page of another host
    "loop": 0.004,  # redirects in a circle, on the host
    "swing": 0.002,  # redirects in a circle, between two hosts
    "private": 0.01,  # forbidden by robots.txt
    "login": 0.004,  # sets a cookie, links to a page that wants it
    "image": 0.01,  # of an unwanted type
    "odd": 0.004,  # its callback raises
    "again": 0.01,  # its callback asks for it once more
}
CONTENT = frozenset({"p", "only", "login", "member", "odd", "again"})
"""Kinds of URL whose body is kept."""

_HTML = "text/html; charset=utf-8"
_PATH = re.compile(r"/([a-z]+)/(\d+)(?:/(\w+))?")
_SIZES = (0, 2_000, 8_000, 30_000, 200_000)
_SIZE_ODDS = (30, 40, 20, 9, 1)


class Answer(NamedTuple):
    """What a URL answers.

    `cookie` is set, `wants` is the cookie without which it is 403; `rest` are seconds before the
    answer, `pieces` of the body come with a pause between them; the first `stumbles` requests get
    503, or a connection that breaks if it `breaks`.
    """

    body: bytes = b""
    status: int = 200
    type: str = _HTML
    location: str = ""
    cookie: str = ""
    wants: str = ""
    rest: float = 0.0
    pieces: int = 1
    stumbles: int = 0
    breaks: bool = False


class _Page(NamedTuple):
    """What is drawn for one of the numbered pages."""

    links: list[int]
    specials: list[str]
    manners: Answer
    noise: tuple[int, int]
    is_detail: bool


class Web:
    """A site of `pages` pages, and of URLs that misbehave beside them; the same for every `seed`.

    A URL is /KIND/NUMBER on the host that NUMBER decides. Page 0 is the beginning. Every page has
    10 to 30 links, most of them to pages before it.
    """

    def __init__(self, pages: int, *, seed: int, port: int) -> None:
        self.pages = pages
        self.port = port
        draw = Random(seed)
        self._noise = draw.randbytes(300_000).hex().encode()
        children = _tree(pages, draw)
        self._pages = [self._draw(number, children[number], draw) for number in range(pages)]

    @property
    def start(self) -> str:
        """The URL of the first page."""
        return self.url("p", 0)

    def url(self, kind: str, number: int, host: str | None = None) -> str:
        """Return a URL of the site."""
        return f"http://{host or _host(number)}:{self.port}/{kind}/{number}"

    def answer(self, host: str, path: str) -> Answer:
        """Return what is answered to a request for `path`."""
        if path == "/robots.txt" and host == STRICT:
            return Answer(b"User-agent: *\nDisallow: /private/\n", type="text/plain")
        kind, number, rest = _parsed(path)
        number %= self.pages
        match kind:
            case "p":
                page = self._pages[number]
                return page.manners._replace(body=self._body(number, page))
            case "aside":
                return Answer(b'{"aside": %d}\n' % number, type="application/json", rest=0.01)
            case "broken":
                return Answer(b"always so", status=500)
            case "image":
                return Answer(b"GIF89a", type="image/gif")
            case "login":
                body = f'<a class="plain" href="/member/{number}">in</a>\n'
                return Answer(body.encode(), cookie=f"c{number}=yes")
            case "member":
                return Answer(b"<p>welcome %d</p>\n" % number, wants=f"c{number}=yes")
            case "only" | "odd" | "again" | "private":
                return Answer(b"<p>%s %d</p>\n" % (kind.encode(), number))
        location = self._location(kind, number, rest, host)
        return Answer(status=302, location=location) if location else Answer(b"no", status=404)

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Give each URL whose body a whole crawl keeps, and the body."""
        for number, page in enumerate(self._pages):
            yield self.url("p", number), self._body(number, page)
            for special in page.specials:
                for kind in {"chain": ["only"], "login": ["login", "member"]}.get(
                    special, [special]
                ):
                    if kind in CONTENT:
                        body = self.answer(_host(number), f"/{kind}/{number}").body
                        yield self.url(kind, number), body

    def once(self) -> set[str]:
        """Return the URLs of pages that a crawl has no reason to ask for twice."""
        twice = {self._goal(n) for n, page in enumerate(self._pages) if "moved" in page.specials}
        urls = {url for url, _ in self.contents() if "/again/" not in url}
        return urls - {self.url("p", number) for number in twice}

    def _draw(self, number: int, children: list[int], draw: Random) -> _Page:
        known = draw.randint(10, 30) - len(children)
        kinds = list(SPECIALS)
        specials = [kind for kind, odds in SPECIALS.items() if draw.random() < odds]
        if number < len(kinds) and kinds[number] not in specials:
            specials.append(kinds[number])
        (size,) = draw.choices(_SIZES, _SIZE_ODDS)
        return _Page(
            links=[*children, *(draw.randint(0, number) for _ in range(known))],
            specials=specials,
            manners=_manners(draw),
            noise=(draw.randrange(len(self._noise)), size and draw.randrange(size)),
            is_detail=draw.random() < 0.05,
        )

    def _body(self, number: int, page: _Page) -> bytes:
        host = _host(number)
        anchors = [self._anchor(link, host) for link in page.links]
        anchors += [self._special(kind, number) for kind in page.specials]
        start, size = page.noise
        noise = self._noise[start : start + size].decode()
        links = "\n".join(anchors)
        elsewhere = f'<a class="plain" href="http://127.0.3.1:{self.port}/p/{number}">off</a>'
        text = f"<!doctype html><title>{number}</title>\n{links}\n{elsewhere}\n<p>{noise}</p>\n"
        return text.encode()

    def _anchor(self, number: int, host: str, *, by: str = "") -> str:
        """Return a link to a page; `by` is a redirect that leads there."""
        there = _host(number)
        href = by or (f"/p/{number}" if there == host else self.url("p", number))
        if self._is_detail(number):
            return f'<a class="detail" data-number="{number}" href="{href}">{number}</a>'
        return f'<a class="plain" href="{href}">{number}</a>'

    def _special(self, kind: str, number: int) -> str:
        match kind:
            case "moved":
                return self._anchor(self._goal(number), "", by=f"/moved/{number}")
            case "away":
                return self._anchor(self._far(number), "", by=f"/away/{number}")
            case "chain":
                return f'<a class="plain" href="/chain/{number}/3">chain</a>'
            case "private":
                return f'<a class="plain" href="{self.url(kind, number, STRICT)}">private</a>'
            case "odd" | "again":
                return f'<a class="{kind}" href="/{kind}/{number}">{kind}</a>'
        return f'<a class="plain" href="/{kind}/{number}">{kind}</a>'

    def _location(self, kind: str, number: int, rest: str, host: str) -> str:
        """Return where a redirect leads, "" if `kind` is none."""
        match kind:
            case "moved":
                return f"/p/{self._goal(number)}"
            case "away":
                return self.url("p", self._far(number))
            case "chain" if rest in ("3", "2"):
                return f"/chain/{number}/{int(rest) - 1}"
            case "chain":
                return f"/only/{number}"
            case "loop":
                return f"/loop/{number}" if rest else f"/loop/{number}/back"
            case "swing":
                home = _host(number)
                return self.url(kind, number, _host(number + 1) if host == home else home)
        return ""

    def _goal(self, number: int) -> int:
        """Return the page of the same host that /moved/NUMBER leads to."""
        home = number % len(HOSTS)
        goal = number * 7 % self.pages // len(HOSTS) * len(HOSTS) + home
        return goal if goal < self.pages else home

    def _far(self, number: int) -> int:
        """Return the page of another host that /away/NUMBER leads to."""
        far = (number * 11 + 1) % self.pages
        return far if _host(far) != _host(number) else (far + 1) % self.pages

    def _is_detail(self, number: int) -> bool:
        return self._pages[number].is_detail


def _host(number: int) -> str:
    return HOSTS[number % len(HOSTS)]


def _parsed(path: str) -> tuple[str, int, str]:
    """Return the kind, the number, and what follows it, of /KIND/NUMBER/REST."""
    match = _PATH.fullmatch(path)
    return (match[1], int(match[2]), match[3] or "") if match else ("", 0, "")


def _tree(pages: int, draw: Random) -> list[list[int]]:
    """Return each page's children, so that all are found from page 0, at many depths."""
    children: list[list[int]] = [[] for _ in range(pages)]
    for number in range(1, pages):
        near = max(0, number - draw.randint(1, 40))
        parent = number // 5 if draw.random() < 0.8 else near
        children[parent].append(number)
    return children


def _manners(draw: Random) -> Answer:
    """Return how a page behaves: most of them well."""
    lot = draw.random()
    if lot < 0.04:
        return Answer(rest=draw.uniform(0.02, 0.3))
    if lot < 0.06:
        return Answer(pieces=draw.randint(3, 6))
    if lot < 0.08:
        return Answer(stumbles=draw.randint(1, 2), breaks=draw.random() < 0.5)
    return Answer()
