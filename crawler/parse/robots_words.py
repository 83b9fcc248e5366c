"""What robots metas and X-Robots-Tag headers say.

Source: developers.google.com/search/docs/crawling-indexing/robots-meta-tag, which others follow.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from crawler.parse.dates import span

NOT_FOLLOWED: Final = frozenset(("nofollow", "none"))
NOT_KEPT: Final = frozenset(("noindex", "none", "noarchive"))
MOST_ROBOTS: Final = 100

_LONGEST_META = 1_000
# Directives with a value; any other name before a colon is that of an agent.
_VALUED = ("max-", "unavailable_after")
_SEPARATORS = re.compile(r"[,;|]")
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?")
_NONE: Final[frozenset[str]] = frozenset()


def robots_of(
    metas: Sequence[str], headers: Sequence[str], *, agent: str, date: str | None
) -> frozenset[str]:
    """Return the directives of robots metas and X-Robots-Tag headers that are for `agent`.

    In lower case, with their values (`max-snippet:20`), a hundred at most. `date` is the answer's:
    what was `unavailable_after` an earlier one is `noindex`.
    """
    if not metas and not headers:
        return _NONE
    found: set[str] = set()
    for said in (
        *(_meta_directives(content[:_LONGEST_META]) for content in metas),
        *(_header_directives(header, agent) for header in headers),
    ):
        found.update(islice(said, MOST_ROBOTS - len(found)))
    for one in [one for one in found if one.startswith("unavailable_after:")]:
        if _is_past(one.partition(":")[2], date):
            found.add("noindex")
    return frozenset(found)


def _meta_directives(content: str) -> Iterator[str]:
    return (word for part in _parts(content.lower()) for word in _words(part))


def _header_directives(header: str, agent: str) -> Iterator[str]:
    """`noindex, ourbot: nofollow, noarchive`: an agent's name holds until the next one."""
    is_ours = True
    for part in _parts(header.lower()):
        for word in _words(part):
            directive = word
            name, colon, value = word.partition(":")
            if colon and not name.startswith(_VALUED):
                is_ours = name in ("*", "robots", agent)
                directive = value
            if is_ours and directive.strip(":"):
                yield directive


def _parts(text: str) -> Iterator[str]:
    """Cut at commas and the like, but for the one behind the weekday of a date."""
    begun = ""
    for part in _SEPARATORS.split(text):
        if begun:
            yield f"{begun},{part}"
            begun = ""
        elif ":" in part and _WEEKDAY.fullmatch(part.rpartition(":")[2].strip()):
            begun = part
        else:
            yield part
    if begun:
        yield begun


def _words(part: str) -> Sequence[str]:
    """Cut at white space, for many leave the commas out; a value stays with its name."""
    if ":" not in part:
        return part.split()
    words = ":".join(map(str.strip, part.split(":"))).split()
    for at, word in enumerate(words):
        if "unavailable_after" in word.split(":"):
            return [*words[:at], " ".join(words[at:])]  # a date has white space of its own
    return words


def _is_past(text: str, date: str | None) -> bool:
    end, now = span(text), span(date or "")
    return end is not None and now is not None and end.last < now.first
