"""Which URLs do `allow` and `deny` let pass?"""

import re
from collections.abc import Iterable, Sequence

from crawler.errors import CallbackError

Patterns = str | re.Pattern[str] | Iterable[str | re.Pattern[str]]


def passing(found: list[str], allow: Patterns | None, deny: Patterns) -> list[str]:
    """Return the URLs in which one of `allow` is found, and none of `deny`."""
    if allow is None and not deny:
        return found
    wanted, unwanted = _compiled(allow), _compiled(deny)
    return [
        url
        for url in found
        if (not wanted or any(pattern.search(url) for pattern in wanted))
        and not any(pattern.search(url) for pattern in unwanted)
    ]


def _compiled(patterns: Patterns | None) -> Sequence[re.Pattern[str]]:
    if patterns is None:
        return ()
    several = [patterns] if isinstance(patterns, str | re.Pattern) else patterns
    return [_pattern(pattern) for pattern in several]


def _pattern(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise CallbackError(f"not a regular expression: {pattern!r}: {error}") from None
