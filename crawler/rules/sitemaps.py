"""What of a sitemap is taken?"""

from collections.abc import Mapping
from datetime import datetime

from crawler import urls
from crawler.errors import SettingError
from crawler.parse.dates import span
from crawler.parse.sitemap_entries import Entry
from crawler.settings import Settings

DEEPEST = 3
"""An index may name indexes, and those once more."""

_KEPT = "sitemaps "


class SitemapRules:
    """How old entries may be, and how many sitemaps a host may name.

    A `Memory`: the whole run knows how many there were. Raises `SettingError`.
    """

    def __init__(self, settings: Settings) -> None:
        self._since = _since(settings.sitemap_since)
        self._most = settings.max_sitemaps
        self._named: dict[str, int] = {}
        self._changed: set[str] = set()

    def is_new_enough(self, entry: Entry) -> bool:
        """False if the entry was surely last changed before `sitemap_since`."""
        if self._since is None or entry.lastmod is None:
            return True
        changed = span(entry.lastmod)
        return changed is None or changed.last >= self._since

    def refusal(self, namer: str, *, depth: int) -> str | None:
        """Return why a sitemap that the file at the URL `namer` names is left out, or None.

        It is counted then. `depth` is how many files led to it.
        """
        if depth > DEEPEST:
            return "sitemaps_too_deep"
        host = urls.host_of(namer)
        named = self._named.get(host, 0)
        if named >= self._most:
            return "max_sitemaps"
        self._named[host] = named + 1
        self._changed.add(host)
        return None

    def changes(self) -> Mapping[str, bytes]:
        """Return how many sitemaps those hosts named that named more."""
        changed, self._changed = self._changed, set()
        return {_KEPT + host: b"%d" % self._named[host] for host in changed}

    def learn(self, name: str, value: bytes) -> None:
        """Hear how many sitemaps a host has named, as another process knows it."""
        if name.startswith(_KEPT):
            host = name.removeprefix(_KEPT)
            self._named[host] = max(self._named.get(host, 0), int(value))


def _since(setting: str | None) -> datetime | None:
    if setting is None:
        return None
    if (read := span(setting)) is None:
        raise SettingError(f"sitemap_since must be a date, as 2026-01-31, got {setting!r}")
    return read.first
