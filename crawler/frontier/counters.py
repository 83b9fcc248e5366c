"""The run's counters, read as they change."""

from collections import Counter
from collections.abc import Mapping

from crawler.frontier.books import Books

News = tuple[int, Mapping[str, int]]
"""Counters that changed, and the number of the frontier's changes to ask from next time."""


class Counters:
    """A mirror of the table of counters, which all processes add to.

    A crawl may have very many names, of which a commit changes few. `look` is for the frontier's
    thread; `learn` for the loop, where others go through `now`. What nobody learned is told again.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._next = 0
        self.now: Counter[str] = Counter()

    def look(self) -> News:
        """Return what changed since the last news that were learned."""
        # The number first: what another process changes in between is told twice, not never.
        return self._books.sizes().change, self._books.counts(since=self._next)

    def learn(self, news: News) -> Mapping[str, int]:
        """Take news; return all counters: the same object each time."""
        self._next, changed = news
        for name, number in changed.items():
            self.now[name] = number
        return self.now
