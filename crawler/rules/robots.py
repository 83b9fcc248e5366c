"""What robots.txt lets us fetch."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from crawler.errors import InvalidUrl
from crawler.rules.robots_paths import Rules, Target
from crawler.urls import canonicalize, without_credentials

# RFC 9309 2.5 asks for at least 500 KiB; the rest is not looked at, which bounds the cost.
_MOST_BYTES: Final = 500 * 1024
_LONGEST_LINE: Final = 16 * 1024

# The misspellings Google's parser accepts as well.
_FIELDS: Final = {
    b"user-agent": "agent", b"useragent": "agent", b"user agent": "agent",
    b"allow": "allow",
    b"disallow": "disallow", b"dissallow": "disallow", b"dissalow": "disallow",
    b"disalow": "disallow", b"diasllow": "disallow", b"disallaw": "disallow",
    b"crawl-delay": "delay", b"crawldelay": "delay",
    b"sitemap": "sitemap", b"site-map": "sitemap",
}  # fmt: skip

# RFC 9309 knows letters, "-" and "_" only; MJ12bot and Mail.RU_Bot exist all the same.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._-]+")
# Who is called by several plain words is nobody that a file could name by the first of them.
_AGENT: Final = re.compile(r"[A-Za-z0-9._-]++(?![ \t]+[A-Za-z0-9._-])")
# Google skips what is there of a byte order mark.
_MARK: Final = re.compile(rb"(?:\xef(?:\xbb\xbf?)?)?")
_DELAY: Final = re.compile(rb"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}")


class Robots:
    """The rules, delays and sitemaps of one robots.txt (RFC 9309).

    Agents are given as product tokens or whole User-Agent headers, whose first token counts.
    Where the RFC is silent the behaviour is that of Google's parser.
    """

    __slots__ = ("_agents", "_rules", "sitemaps")

    def __init__(self) -> None:
        self._agents: dict[str, list[tuple[_Group, int]]] = {}
        self._rules: dict[str, Rules] = {}
        self.sitemaps: tuple[str, ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> "Robots":
        """Return the rules in `body`; anything is accepted, what is no record is skipped."""
        robots = cls()
        robots._read(_records(body))
        return robots

    @classmethod
    def allow_all(cls) -> "Robots":
        """Return rules that forbid nothing: a robots.txt that does not exist."""
        return cls()

    @classmethod
    def disallow_all(cls) -> "Robots":
        """Return rules that forbid everything: a robots.txt that cannot be reached."""
        return cls.parse(b"User-agent: *\nDisallow: /")

    def allows(self, agent: str, url: str) -> bool:
        """Return whether `agent` may fetch `url` (canonical; a path alone will do)."""
        if not self._agents:
            return True
        target = Target.of(url)
        if target.plain == "/robots.txt":
            return True
        token = self._token(agent)
        rules = self._rules.get(token)
        if rules is None:
            rules = self._rules[token] = Rules(
                rule for group, _ in self._agents.get(token, ()) for rule in group.rules
            )
        return rules.allow(target)

    def crawl_delay(self, agent: str) -> float | None:
        """Return the seconds `agent` shall wait between requests, or None; the longest counts."""
        groups = self._agents.get(self._token(agent), ())
        delays = [d for group, place in groups for seen, d in group.delays if place < seen]
        return max(delays, default=None)

    def _token(self, agent: str) -> str:
        """Return the key of the groups for `agent`: its own, or else `*` (RFC 9309 2.2.1)."""
        found = _AGENT.match(agent)
        token = found[0].lower() if found else "*"
        return token if token in self._agents else "*"

    def _read(self, records: Iterable[tuple[str, bytes]]) -> None:
        group: _Group | None = None
        sitemaps: dict[str, None] = {}
        for field, value in records:
            if field == "agent":
                # Only rules end a run of agents; empty lines, sitemaps and crawl-delays do not:
                # RFC 9309 2.2.4, other records must not interfere.
                if group is None or group.rules_seen:
                    group = _Group()
                self._enter(value, group)
            elif field == "sitemap":
                sitemaps |= dict.fromkeys(_absolute(value))
            elif group is not None:
                group.add(field, value)
        self.sitemaps = tuple(sitemaps)

    def _enter(self, value: bytes, group: "_Group") -> None:
        text = value.decode("latin-1")
        found = _TOKEN.match(text)
        if text == "*" or text.startswith(("* ", "*\t")):
            token = "*"
        elif found:
            token = found[0].lower()
        else:
            return
        groups = self._agents.setdefault(token, [])
        if not groups or groups[-1][0] is not group:  # named once more, it gets nothing more
            groups.append((group, group.agents))
        group.agents += 1


class _Group:
    """Agents and the rules they share; kept once however many agents name it."""

    __slots__ = ("agents", "delays", "rules", "rules_seen")

    def __init__(self) -> None:
        self.agents = 0
        # A delay is for the agents named before it: (how many those were, seconds).
        self.delays: list[tuple[int, float]] = []
        self.rules: list[tuple[bytes, bool]] = []
        self.rules_seen = False

    def add(self, field: str, value: bytes) -> None:
        if field == "delay":
            if _DELAY.fullmatch(value):
                self.delays.append((self.agents, float(value)))
            return
        self.rules_seen = True
        if value:
            self.rules.append((value, field == "allow"))


def _records(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each known field and its value; comments, blanks and unknown fields are dropped."""
    for line in _head(_MARK.sub(b"", body, count=1)).splitlines():
        record = line[:_LONGEST_LINE].partition(b"#")[0].strip()
        name, colon, value = record.partition(b":")
        if not colon:
            # Google takes "disallow /x" for what it means, but nothing longer than two words.
            words = record.split()
            if len(words) != 2:
                continue
            name, value = words
        field = _FIELDS.get(name.strip().lower())
        if field is not None:
            yield field, value.strip()


def _head(body: bytes) -> bytes:
    """Return the whole lines within the first 500 KiB."""
    if len(body) <= _MOST_BYTES:
        return body
    end = max(body.rfind(mark, 0, _MOST_BYTES + 1) for mark in (b"\n", b"\r"))
    return body[:end] if end >= 0 else body[:_MOST_BYTES]


def _absolute(value: bytes) -> Iterator[str]:
    try:
        yield without_credentials(canonicalize(value.decode("utf-8", "replace")))
    except InvalidUrl:
        return
