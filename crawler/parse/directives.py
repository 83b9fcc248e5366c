"""What a page asks of those who crawl it.

Sources: the HTML standard (base, refresh), RFC 6596 (canonical), RFC 8288 (Link). What metas and
headers of robots say is in `parse/robots_words.py`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.errors import InvalidUrl
from crawler.parse.robots_words import MOST_ROBOTS
from crawler.settings import USER_AGENT, Settings
from crawler.urls import SCHEMES, canonicalize, join, without_credentials

Canonical = Literal["follow", "drop", "ignore"]


# A page that sends its readers on waits a moment; one that reloads itself for news waits longer.
_LONGEST_DELAY = 10
_LONGEST_HEAD = 65_536
_LATE = 1_024
_LONGEST_REFRESH = 10_000
_MOST_REFRESHES = 10
_MOST_CANONICALS = 10
# Of 15,000 pages none has 1,000 in its head; each that is looked at costs a microsecond.
_MOST_ELEMENTS = 5_000

_TAGS = ("base", "link", "meta")
_TOKEN = re.compile(r"[A-Za-z0-9._-]+")
_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_REFRESH = re.compile(r"[\t\n\f\r ]*(?:([0-9]+)|(?=\.))[0-9.]*(?:[\t\n\f\r ;,](.*))?", re.DOTALL)
_REFRESH_URL = re.compile(
    r"[\t\n\f\r ]*[;,]?[\t\n\f\r ]*(?:url[\t\n\f\r ]*=[\t\n\f\r ]*)?(.*)",
    re.DOTALL | re.IGNORECASE,
)
_LINK = re.compile(
    r"""<([^<>]*)>((?:[\t ]*;[\t ]*[\w!#$&+.^`|~*-]+(?:[\t ]*=[\t ]*(?:"[^"]*"|[^\t ;,"]*))?)*)"""
)
_PARAMETER = re.compile(r""";[\t ]*([\w!#$&+.^`|~*-]+)[\t ]*=[\t ]*(?:"([^"]*)"|([^\t ;,"]*))""")


class PageRules(Struct, frozen=True, gc=False):
    """Which directives are kept to; `agent` is the name by which robots directives call us."""

    agent: str
    robots: bool
    nofollow: bool
    base: bool
    refresh: bool
    srcset: bool
    canonical: Canonical


def page_rules(settings: Settings) -> PageRules:
    """Return what the settings say of pages."""
    token = _TOKEN.match(settings.user_agent)
    return PageRules(
        agent=token[0].lower() if token else "robots",
        robots=settings.obey_meta_robots,
        nofollow=settings.obey_nofollow,
        base=settings.obey_base,
        refresh=settings.meta_refresh,
        srcset=settings.srcset,
        canonical=settings.canonical,
    )


STANDARD: Final = page_rules(Settings(user_agent=USER_AGENT))


class Marks(Struct, frozen=True, gc=False):
    """What the elements of a document say, as it is written there."""

    base: str | None = None
    robots: tuple[str, ...] = ()
    refresh: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()


NO_MARKS: Final = Marks()


def beginning(text: bytes) -> bytes:
    """Return the head of a document and 1,024 bytes of its body, in lower case.

    What a broken head leaves to the body stands at its beginning.
    """
    end = text.find(b"<body", 0, _LONGEST_HEAD)
    return text[: end + _LATE if end >= 0 else _LONGEST_HEAD].lower()


def speaking(begin: bytes, agent: str) -> tuple[str, ...]:
    """Return which elements could be marks, by the `beginning` of a document: mostly none."""
    meta = b"robots" in begin or b"refresh" in begin or agent.encode() in begin
    said = ("base", b"<base" in begin), ("link", b"canonical" in begin), ("meta", meta)
    return tuple(tag for tag, is_there in said if is_there)


def marks_of(
    tree: LexborHTMLParser, begin: bytes, agent: str, *, tags: Sequence[str] = _TAGS
) -> Marks:
    """Look through a document for some elements; `begin` is its `beginning`.

    Its head is looked through, child by child: 5 µs, where a selector takes 20 for 100 KB and the
    whole tree 250. Canonical links count in the head only (RFC 6596 3: metadata).
    """
    kinds = _among(() if tree.head is None else tree.head.iter(), tags)
    late = begin[max(begin.find(b"<body"), 0) :]
    if b"<base" in late or b"<meta" in late:
        anywhere = () if tree.root is None else tree.root.traverse()
        kinds |= _among(anywhere, [tag for tag in tags if tag != "link"])
    bases = (node.attributes for node in kinds.get("base", ()))
    base = next((own["href"] or "" for own in bases if "href" in own), None)
    robots: list[str] = []
    refresh: list[str] = []
    looked_at = 0  # those for no script too: each look climbs the tree
    for node in kinds.get("meta", ()):
        own = node.attrs
        name = own.get("name")
        if name is not None and name.lower() in ("robots", agent) and len(robots) < MOST_ROBOTS:
            robots.append(own.get("content") or "")
        if (equivalent := own.get("http-equiv")) is not None and (
            equivalent.lower() == "refresh" and looked_at < _MOST_REFRESHES
        ):
            looked_at += 1
            if not _is_for_no_script(node):
                refresh.append(own.get("content") or "")
    canonical: dict[str, None] = {}
    for node in kinds.get("link", ()):
        own = node.attrs
        if "canonical" in (own.get("rel") or "").lower().split():
            canonical[own.get("href") or ""] = None
            if len(canonical) == _MOST_CANONICALS:
                break
    if base is None and not (robots or refresh or canonical):
        return NO_MARKS
    return Marks(base, tuple(robots), tuple(refresh), tuple(canonical))


def _among(nodes: Iterable[LexborNode], tags: Iterable[str]) -> dict[str, list[LexborNode]]:
    kinds: dict[str, list[LexborNode]] = {tag: [] for tag in tags}
    for node in islice(nodes, _MOST_ELEMENTS):
        if (tag := node.tag) in kinds:
            kinds[tag].append(node)
    return kinds


def _is_for_no_script(node: LexborNode) -> bool:
    """True for what a browser with scripts does not see; a page may send only others on."""
    parent = node.parent
    while parent is not None:
        if parent.tag == "noscript":
            return True
        parent = parent.parent
    return False


def resolved(base: str, href: str) -> str | None:
    """Return what `href` leads to, None if that is no page."""
    if _OTHER_SCHEME.match(href):
        return None  # as below, without an error, which costs 20 µs
    try:
        # Most canonical links are whole URLs, which need no parser.
        url = canonicalize(href) if href.startswith(SCHEMES) else join(base, href)
    except InvalidUrl:
        return None
    return without_credentials(url)


def canonical_of(marks: Marks, headers: Iterable[str], *, url: str, base: str) -> str | None:
    """Return the one URL that elements and Link headers call canonical, or None."""
    named = {resolved(base, href) if href.strip() else None for href in marks.canonical}
    for header in headers:
        named.update(resolved(url, href) for href in _canonical_links(header))
    return named.pop() if len(named) == 1 else None


def _canonical_links(header: str) -> Iterator[str]:
    if "canonical" not in header.lower():
        return
    for href, rest in _LINK.findall(header):
        given: dict[str, str] = {}
        for name, quoted, plain in _PARAMETER.findall(rest):
            given.setdefault(name.lower(), quoted or plain)
        # With an anchor the link is one of another document.
        if "canonical" in given.get("rel", "").lower().split() and "anchor" not in given:
            yield href


def refresh_of(marks: Marks, header: str | None, *, url: str, base: str) -> str | None:
    """Return where a page sends its readers at once, or nearly so; None if it does not.

    Of several the first counts, as in a browser; one that reloads the page itself is none.
    """
    for content, against in _refreshes(marks.refresh, header, url=url, base=base):
        if (asked := _refresh(content)) is None:
            continue
        delay, href = asked
        target = resolved(against, href) if href else url
        if target is not None:
            return target if delay <= _LONGEST_DELAY and target != url else None
    return None


def _refreshes(
    metas: Sequence[str], header: str | None, *, url: str, base: str
) -> Iterator[tuple[str, str]]:
    if header:
        yield header, url
    for content in metas:
        yield content, base


def _refresh(content: str) -> tuple[float, str] | None:
    """The HTML standard's "shared declarative refresh steps": delay and URL, "" for none."""
    if len(content) > _LONGEST_REFRESH or (read := _REFRESH.fullmatch(content)) is None:
        return None
    digits, rest = read[1] or "0", read[2]
    delay = float(digits[:20])
    if rest is None:
        return delay, ""
    written = _REFRESH_URL.fullmatch(rest)
    href = written[1] if written else ""
    if href[:1] in ("'", '"'):
        href = href[1:].partition(href[0])[0]
    return delay, href
