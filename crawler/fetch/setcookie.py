"""What one Set-Cookie header says."""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from crawler.urls import canonicalize, hostname_of, registrable_domain

# Section numbers are those of draft-ietf-httpbis-rfc6265bis-22.
_PAIR_OCTETS: Final = 4096
_ATTRIBUTE_OCTETS: Final = 1024
_LONGEST_LIFE: Final = 400 * 86_400.0

# 4.1.3; those with "Http" are of draft-ietf-httpbis-layered-cookies.
_PREFIXES: Final = ("__secure-", "__host-", "__http-")

# Octets that are not UTF-8 arrive as lone surrogates; no request could send them back.
_UNUSABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_BLANK: Final = " \t"
_MAX_AGE: Final = re.compile(r"-?[0-9]+")
_IPV4: Final = re.compile(r"[0-9]+(?:\.[0-9]+){3}")

# 5.1.1: a date is whatever tokens look like a time, a day, a month and a year, in any order.
_DATE_DELIMITERS: Final = re.compile(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY: Final = re.compile(r"[0-9]{1,2}(?![0-9])")
_YEAR: Final = re.compile(r"[0-9]{2,4}(?![0-9])")
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip


class Origin(NamedTuple):
    """Where a cookie comes from or goes to; `trusted`: over TLS, or within this machine."""

    host: str
    path: str
    trusted: bool

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Return the origin of a request; raises `InvalidUrl`."""
        url = canonicalize(url)
        host = hostname_of(url)
        path = url.partition("?")[0].split("/", 3)[3]
        local = host in ("localhost", "[::1]") or host.endswith(".localhost")
        local = local or (host.startswith("127.") and _is_address(host))
        return cls(host, "/" + path, local or url.startswith("https:"))


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """One stored cookie; times in seconds since the epoch, `expires` None for the session's end."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool = False
    http_only: bool = False
    expires: float | None = None
    created: float = 0.0

    def expired(self, now: float) -> bool:
        """Return whether its time has passed."""
        return self.expires is not None and self.expires <= now

    def fits(self, origin: Origin) -> bool:
        """Return whether it is sent to `origin` (5.8.3)."""
        at_home = origin.host == self.domain or (
            not self.host_only and domain_matches(origin.host, self.domain)
        )
        return (
            at_home and (origin.trusted or not self.secure) and path_matches(origin.path, self.path)
        )


def parse_date(text: str) -> float | None:
    """Return a cookie-date as seconds since the epoch, or None if it is none (5.1.1)."""
    clock = day = month = year = None
    for token in _DATE_DELIMITERS.split(text):
        if clock is None and (found := _TIME.match(token)):
            clock = found
        elif day is None and (found := _DAY.match(token)):
            day = int(found[0])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS[token[:3].lower()]
        elif year is None and (found := _YEAR.match(token)):
            year = _full_year(int(found[0]))
    if clock is None or day is None or month is None or year is None or year < 1601:
        return None
    try:
        hour, minute, second = map(int, clock.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:  # no such day, or no such hour
        return None


def _full_year(year: int) -> int:
    if year >= 100:
        return year
    return year + (1900 if year >= 70 else 2000)


def parse(text: str, *, origin: Origin, now: float) -> Cookie | None:
    """Return the cookie a Set-Cookie header makes at `origin`, None if it makes none."""
    pair, _, rest = text.partition(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", name
    name, value = name.strip(_BLANK), value.strip(_BLANK)
    if _UNUSABLE.search(text) or not 0 < _octets(name + value) <= _PAIR_OCTETS:
        return None
    attributes = _attributes(rest)
    domain = _domain(attributes.get("domain", ""), origin.host)
    if domain is None:
        return None
    path = attributes.get("path", "")
    cookie = Cookie(
        name=name,
        value=value,
        domain=domain or origin.host,
        host_only=not domain,
        path=path if path.startswith("/") else _default_path(origin.path),
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        expires=_expiry(attributes, now),
        created=now,
    )
    return cookie if _permitted(cookie, attributes, origin) else None


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes that count, by lower-case name; of several the last one (5.6)."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        name, value = name.strip(_BLANK).lower(), value.strip(_BLANK)
        if _octets(value) > _ATTRIBUTE_OCTETS:
            continue
        if name == "max-age" and not _MAX_AGE.fullmatch(value):
            continue
        if name == "expires" and parse_date(value) is None:
            continue
        found[name] = value
    return found


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    """Return when the cookie ends; Max-Age wins over Expires, 400 days are the most (5.5)."""
    if "max-age" in attributes:
        return now + min(max(int(attributes["max-age"]), 0), _LONGEST_LIFE)
    until = parse_date(attributes.get("expires", ""))
    return until if until is None else min(until, now + _LONGEST_LIFE)


def _domain(attribute: str, host: str) -> str | None:
    """Return the Domain a cookie from `host` gets: "" for that host alone, None if it may not.

    No domain reaches over a public suffix; a host that is one may name itself (5.7 steps 8 to 10).
    """
    if not attribute.isascii():  # before lower(), which makes a plain k of the Kelvin sign
        return None
    domain = attribute.removeprefix(".").lower()
    if not domain or (domain == host and registrable_domain(host) is None):
        return ""
    if not domain_matches(host, domain) or registrable_domain(domain) is None:
        return None
    return domain if site_of(domain) == site_of(host) else None


def _permitted(cookie: Cookie, attributes: dict[str, str], origin: Origin) -> bool:
    """Return whether its origin may set a cookie with these flags and this name (5.7, 13 to 22)."""
    if not cookie.secure and attributes.get("samesite", "").lower() == "none":
        return False
    if cookie.secure and not origin.trusted:
        return False
    name = cookie.name.lower()
    if not name:  # a value that would be read back as such a name
        return not cookie.value.lower().startswith(_PREFIXES)
    if name.startswith(("__http-", "__host-http-")) and not cookie.http_only:
        return False
    if name.startswith("__host-"):
        return cookie.secure and cookie.host_only and "path" in attributes and cookie.path == "/"
    return cookie.secure or not name.startswith(_PREFIXES)


def site_of(host: str) -> str:
    """Return what hosts may share cookies within: the registrable domain, or the host itself."""
    return registrable_domain(host) or host


def _is_address(host: str) -> bool:
    return host.endswith("]") or _IPV4.fullmatch(host) is not None


def domain_matches(host: str, domain: str) -> bool:
    """Return whether `host` is `domain` or a name below it (5.1.3)."""
    return host == domain or (host.endswith("." + domain) and not _is_address(host))


def path_matches(path: str, cookie_path: str) -> bool:
    """Return whether `path` is `cookie_path` or lies below it (5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return cookie_path.endswith("/") or path[len(cookie_path) :][:1] in ("", "/")


def _default_path(path: str) -> str:
    """Return the directory of `path`, without its last slash (5.1.4)."""
    return path[: path.rindex("/")] or "/"


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
