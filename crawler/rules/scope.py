"""Which URLs belong to a crawl?"""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from crawler import urls
from crawler.errors import InvalidUrl, SpiderError

_MOST_JUDGED = 100_000
_KEPT = "seed "
_NOWHERE = " "  # no URL begins so
_IS_SEED = b"1"
_NO_HOST = re.compile(
    r"[/\\?#@*]|:\d*$"
)  # what a URL's parser would cut off from the host, or keep


class Scope:
    """Judges links, redirects and sitemap entries; never what `page.fetch` asks for.

    Without `domains` and `prefixes` the scope is the seeds' hosts; `domains=["*"]` is the whole
    web. A domain includes its subdomains, and any port; a prefix is the URL's own beginning, scheme
    and all. With both, a URL must fit both. A `Memory`: the seeds' hosts are known to the whole
    run. Raises `SpiderError`.
    """

    def __init__(
        self,
        *,
        domains: Iterable[str] = (),
        prefixes: Iterable[str] = (),
        deny: Iterable[str | re.Pattern[str]] = (),
        max_depth: int | None = None,
        url_bytes: int | None = None,
    ) -> None:
        listed = _listed("allowed_domains", domains)
        self._everywhere = "*" in listed
        self._domains = frozenset(_domain(name) for name in listed if name != "*")
        self._prefixes = tuple(_prefix(text) for text in _listed("allowed_prefixes", prefixes))
        self._deny = tuple(_pattern(text) for text in _listed("deny", deny))
        self._max_depth = max_depth
        self.url_bytes = sys.maxsize if url_bytes is None else url_bytes
        """The longest URL."""
        self._by_seeds = not listed and not self._prefixes
        self._seeds: set[str] = set()
        self._new_seeds: dict[str, bytes] = {}
        self._judged: dict[str, bool] = {}
        # Most links of a page lead to where the last one led.
        self._home = _NOWHERE
        self.surely = _NOWHERE
        """A URL that begins so is in scope if it is no longer than `url_bytes`, at any depth."""

    def add_seed(self, url: str) -> None:
        """Hear of a seed; its host is in scope if nothing else defines the scope."""
        if self._by_seeds and (host := urls.host_of(url)) not in self._seeds:
            self._seeds.add(host)
            self._new_seeds[_KEPT + host] = _IS_SEED

    def changes(self) -> Mapping[str, bytes]:
        """Return the seeds' hosts that are new."""
        new, self._new_seeds = self._new_seeds, {}
        return new

    def learn(self, name: str, value: bytes) -> None:  # noqa: ARG002  # the name says it all
        """Hear of a seed's host."""
        if name.startswith(_KEPT):
            self._seeds.add(name.removeprefix(_KEPT))

    def refusal(self, url: str, *, depth: int = 0) -> str | None:
        """Return why `url` is left out: `offsite`, `too_long`, `too_deep`, `denied`; else None."""
        if not url.startswith(self._home) and not self._is_home(url):
            return "offsite"
        if len(url) > self.url_bytes:
            return "too_long"
        if self._max_depth is not None and depth > self._max_depth:
            return "too_deep"
        if self._deny and any(pattern.search(url) for pattern in self._deny):
            return "denied"
        return None

    def _is_home(self, url: str) -> bool:
        if self._prefixes and not url.startswith(self._prefixes):
            return False
        if self._by_seeds:
            is_home = urls.host_of(url) in self._seeds
        else:
            whole = self._everywhere or not self._domains
            is_home = whole or self._knows(urls.hostname_of(url))
        if is_home and not self._prefixes:
            self._home = urls.origin_of(url) + "/"
            if not self._deny and self._max_depth is None:
                self.surely = self._home
        return is_home

    def _knows(self, hostname: str) -> bool:
        """Walk up the labels, once a host."""
        known = self._judged.get(hostname)
        if known is None:
            if len(self._judged) >= _MOST_JUDGED:
                self._judged.clear()
            labels = hostname.rstrip(".").split(".")
            known = any(".".join(labels[start:]) in self._domains for start in range(len(labels)))
            self._judged[hostname] = known
        return known


def _listed(name: str, given: Any) -> list[Any]:
    """Return what a spider lists. One text would be taken for a list of its letters."""
    if given is None:
        return []
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise SpiderError(f"{name} must be a list, got {given!r}")
    return [*given]


def _domain(name: object) -> str:
    refusal = SpiderError(
        f"allowed_domains must hold host names without port, as 'example.com', got {name!r}"
    )
    if not isinstance(name, str):
        raise refusal
    host = name.removeprefix("*").removeprefix(".").removesuffix(".")
    if host.count(":") > 1 and "[" not in host:
        host = f"[{host}]"  # an IPv6 address as people write it
    if _NO_HOST.search(host):
        raise refusal
    try:
        return urls.hostname_of(urls.canonicalize(f"http://{host}/"))
    except InvalidUrl:
        raise refusal from None


def _prefix(text: str) -> str:
    try:
        return urls.without_credentials(urls.canonicalize(text))
    except (InvalidUrl, TypeError) as error:
        shown = error.url if isinstance(error, InvalidUrl) else text
        raise SpiderError(f"allowed_prefixes must hold URLs, got {shown!r}") from None


def _pattern(text: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
        pattern.search("")
    except (re.error, TypeError) as error:
        raise SpiderError(f"deny must hold regular expressions, got {text!r}: {error}") from None
    return pattern
