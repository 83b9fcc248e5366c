"""The URL standard: canonical form, keys, hosts.

Every URL of a crawl passes `canonicalize` or `join` once; the functions that cut a URL apart
(`host_of`, `hostname_of`, `origin_of`) rely on that and only slice text.
"""

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import msgspec
from ada_url import join_url, normalize_url
from publicsuffixlist import PublicSuffixList

from crawler.errors import InvalidUrl

if TYPE_CHECKING:
    import yarl

SCHEMES = ("http://", "https://")

# What this admits is its own canonical form: 0.6 µs to see instead of 3 µs to parse and write
# again. It refuses whatever the standard might change: punycode ("--"), ports, hosts that may be
# IPv4 (last label not letters), path segments that may be dot segments (first sign "." or "%").
QUERY = r"(?:\?[\w~!$&()*+,;=:@./?%-]++)?+"
_CANONICAL = re.compile(
    r"https?://(?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)++[a-z]++"
    r"(?:/(?:[\w~!$&()*+,;=:@-][\w~!$&()*+,;=:@.%-]*+)?+)++" + QUERY,
    re.ASCII,
)

# RFC 1035 2.3.4. On a host of 1 MB ada-url gives up in 4 ms, before IDNA.
_LONGEST_HOST = 253
_SHORT = len("http://") + _LONGEST_HOST


def canonicalize(url: str) -> str:
    """Return the WHATWG serialisation of an absolute http(s) URL, without its fragment.

    This is what is fetched and shown; applying it again changes nothing. Raises `InvalidUrl`, also
    for a host of more than 253 bytes.
    """
    if is_plainly_canonical(url):
        return url
    try:
        return _without_fragment(normalize_url(url))
    except ValueError as error:
        if (whole := _scalar(url)) != url:
            return canonicalize(whole)
        raise _invalid(url, error) from None


def is_plainly_canonical(url: str) -> bool:
    """True for most URLs that are canonical; of others it takes the standard's parser to know."""
    return bool(_CANONICAL.fullmatch(url)) and (len(url) <= _SHORT or _host_fits(url))


def join(base: str, href: str) -> str:
    """Resolve `href` as found in a document at `base`; the result is canonical.

    Raises `InvalidUrl` for what is no URL, or none a crawler asks for (`mailto:`, `javascript:`);
    it names `href`, or `base` if that is the wrong one.
    """
    try:
        return _without_fragment(join_url(base, href))
    except ValueError as error:
        if (whole := _scalar(href)) != href:
            return join(base, whole)
        canonicalize(base)
        raise _invalid(href, error) from None


def _without_fragment(href: str) -> str:
    if not href.startswith(SCHEMES):
        raise ValueError("only http and https are crawled")
    if len(href) > _SHORT and not _host_fits(href):
        raise ValueError(f"a host has at most {_LONGEST_HOST} bytes")
    # A "#" anywhere else is escaped by the serialiser.
    return href.partition("#")[0]


def _host_fits(url: str) -> bool:
    return len(hostname_of(url).removesuffix(".")) <= _LONGEST_HOST


def _scalar(text: str) -> str:
    """Replace lone surrogates by U+FFFD, as text is that enters the parser (Web IDL, USVString)."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _invalid(url: str, error: ValueError) -> InvalidUrl:
    """Our error for what ada-url (always "Invalid URL") or `_without_fragment` said."""
    reason = str(error)
    return InvalidUrl(url) if reason == "Invalid URL" else InvalidUrl(url, reason)


class KeyRules(msgspec.Struct, frozen=True, gc=False):
    """Which differences between two URLs do not make two pages.

    `ignore_query_order` compares parameters as a bag; `ignore_params` leaves parameters out by
    name, exactly or by prefix (`"utm_*"`).
    """

    ignore_query_order: bool = False
    ignore_params: tuple[str, ...] = ()


_NO_RULES = KeyRules()


def key(url: str, rules: KeyRules = _NO_RULES) -> str:
    """Return the text by which `url` is known as seen; never fetched, never shown.

    Without rules it is the canonical URL. Parameters that stay are kept as they are written.
    Raises `InvalidUrl`.
    """
    url = canonicalize(url)
    if not (rules.ignore_query_order or rules.ignore_params):
        return url
    path, _, query = url.partition("?")
    names, prefixes = _ignored(rules.ignore_params)
    kept = [part for part in query.split("&") if part and not _is_ignored(part, names, prefixes)]
    if rules.ignore_query_order:
        kept.sort()
    return f"{path}?{'&'.join(kept)}" if kept else path


@lru_cache(maxsize=64)
def _ignored(params: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    exact = frozenset(name for name in params if not name.endswith("*"))
    return exact, tuple(name[:-1] for name in params if name.endswith("*"))


def _is_ignored(part: str, names: frozenset[str], prefixes: tuple[str, ...]) -> bool:
    name = part.partition("=")[0]
    if "%" in name or "+" in name:
        name = unquote_plus(name)
    return name in names or name.startswith(prefixes)


def host_of(url: str) -> str:
    """Return what politeness goes by: the host of a canonical URL, with its port if it shows one.

    Canonical URLs hide default ports, so http and https on theirs are one host.
    """
    authority = url.split("/", 3)[2]  # half the price of looking for its ends
    return authority if "@" not in authority else authority.rpartition("@")[2]


def hostname_of(url: str) -> str:
    """Return the host of a canonical URL without port; IPv6 addresses keep their brackets."""
    host = host_of(url)
    colon = host.rfind(":")
    return host if colon < 0 or host[-1] == "]" else host[:colon]


def origin_of(url: str) -> str:
    """Return `scheme://host[:port]` of a canonical URL, without user and password."""
    return url[: url.index("//") + 2] + host_of(url)


def without_credentials(url: str) -> str:
    """Return a canonical URL without user and password: they are never sent nor shown."""
    if "@" not in url:
        return url
    scheme, _, rest = url.partition("//")
    authority, _, place = rest.partition("/")
    return f"{scheme}//{authority.rpartition('@')[2]}/{place}"


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str | None:
    """Return the domain somebody registered (`a.b.example.co.uk` → `example.co.uk`), lowercase.

    None for IP addresses, single labels and public suffixes themselves. Suffixes are those of
    publicsuffix.org, the private ones (`github.io`) included, as in browsers.
    """
    host = host.lower().removesuffix(".")
    last = host.rpartition(".")[2]
    if ":" in host or "[" in host or last.isdigit():
        return None
    return _suffixes().privatesuffix(host)


@cache
def _suffixes() -> PublicSuffixList:
    # 70 ms of CPU, paid by the first who asks and by nobody who does not.
    return PublicSuffixList()


def to_yarl(url: str) -> "yarl.URL":
    """Return a canonical URL as yarl's, every byte of it kept."""
    import yarl  # 15 ms of CPU that only those who fetch need

    return yarl.URL(url, encoded=True)
