"""What robots.txt lets us fetch."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from crawler.errors import InvalidUrl
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
_DELAY: Final = re.compile(rb"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}")
_TARGET: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?[^/?#]*([^#]*)")

_UNRESERVED: Final = r"A-Za-z0-9._~\-"
# All that may not stand in a path as it is; "'" because the URL standard escapes it in queries.
_UNSAFE_IN_RULE: Final = re.compile(rf"%[0-9A-Fa-f]{{2}}|[^{_UNRESERVED}:/?\[\]@!$&()*+,;=%]")
# In a URL "*" and "$" are plain characters, which rules can only name escaped (RFC 9309 2.2.3).
_UNSAFE_IN_URL: Final = re.compile(rf"%[0-9A-Fa-f]{{2}}|[^{_UNRESERVED}:/?\[\]@!&()+,;=%]")
_PLAIN: Final = re.compile(rf"[{_UNRESERVED}]")
_SHINGLE: Final = 8


class Robots:
    """The rules, delays and sitemaps of one robots.txt (RFC 9309).

    Agents are given as product tokens or whole User-Agent headers, whose first token counts.
    Where the RFC is silent the behaviour is that of Google's parser.
    """

    __slots__ = ("_agents", "_matchers", "sitemaps")

    def __init__(self) -> None:
        self._agents: dict[str, list[tuple[_Group, int]]] = {}
        self._matchers: dict[str, _Matcher] = {}
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
        target = _target(url)
        if target == "/robots.txt":
            return True
        token = self._token(agent)
        matcher = self._matchers.get(token)
        if matcher is None:
            matcher = self._matchers[token] = _Matcher(self._rules(token))
        return matcher.allows(target)

    def crawl_delay(self, agent: str) -> float | None:
        """Return the seconds `agent` shall wait between requests, or None; the longest counts."""
        # A group that names the agent twice is looked through once: its first place takes in all.
        groups = {id(group): (group, place) for group, place in reversed(self._groups_of(agent))}
        delays = [d for group, place in groups.values() for seen, d in group.delays if place < seen]
        return max(delays, default=None)

    def _groups_of(self, agent: str) -> "Sequence[tuple[_Group, int]]":
        return self._agents.get(self._token(agent), ())

    def _token(self, agent: str) -> str:
        """Return the key of the groups for `agent`: its own, or else `*` (RFC 9309 2.2.1)."""
        found = _TOKEN.match(agent)
        token = found[0].lower() if found else "*"
        return token if token in self._agents else "*"

    def _rules(self, token: str) -> Iterator[tuple[str, bool]]:
        for group, _ in self._agents.get(token, ()):
            yield from group.rules

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
        self._agents.setdefault(token, []).append((group, group.agents))
        group.agents += 1


class _Group:
    """Agents and the rules they share; kept once however many agents name it."""

    __slots__ = ("agents", "delays", "rules", "rules_seen")

    def __init__(self) -> None:
        self.agents = 0
        # A delay is for the agents named before it: (how many those were, seconds).
        self.delays: list[tuple[int, float]] = []
        self.rules: list[tuple[str, bool]] = []
        self.rules_seen = False

    def add(self, field: str, value: bytes) -> None:
        if field == "delay":
            if _DELAY.fullmatch(value):
                self.delays.append((self.agents, float(value)))
            return
        self.rules_seen = True
        if value:
            self.rules.append((_pattern(value), field == "allow"))


class _Wildcard(msgspec.Struct, frozen=True):
    """A pattern with `*` inside: the first piece at the start, perhaps one at the end."""

    rank: int
    pieces: tuple[str, ...]
    ends: bool

    def matches(self, target: str) -> bool:
        """Take each piece where it first fits: one walk over `target`, no backtracking."""
        first, *middle = self.pieces
        if not target.startswith(first):
            return False
        last = middle.pop() if self.ends else ""
        at = len(first)
        for piece in middle:
            at = target.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        return target.endswith(last) and len(target) - len(last) >= at


class _Matcher:
    """Finds the longest rule that fits; the time hardly depends on how many rules there are.

    A rule's rank is twice its octets, plus one for Allow: the highest rank wins, Allow wins ties.
    """

    __slots__ = ("_exact", "_lengths", "_prefixes", "_wildcards")

    def __init__(self, rules: Iterable[tuple[str, bool]]) -> None:
        self._exact: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        # Length of a shingle -> the shingle -> the wildcards that need it somewhere in the target.
        self._wildcards: dict[int, dict[str, list[_Wildcard]]] = {}
        for pattern, allow in rules:
            self._add(pattern, 2 * len(pattern) + allow)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def allows(self, target: str) -> bool:
        best = max(self._exact.get(target, 1), self._longest_prefix(target))
        for wildcard in self._candidates(target):
            if wildcard.rank > best and wildcard.matches(target):
                best = wildcard.rank
        return best % 2 == 1

    def _add(self, pattern: str, rank: int) -> None:
        ends = pattern.endswith("$")
        literal = pattern[:-1] if ends else pattern.rstrip("*")
        if "*" in literal:
            self._add_wildcard(literal, rank, ends)
            return
        table = self._exact if ends else self._prefixes
        literal = _escape_dollars(literal)
        table[literal] = max(rank, table.get(literal, 0))

    def _add_wildcard(self, pattern: str, rank: int, ends: bool) -> None:
        first, *others = _escape_dollars(pattern).split("*")
        last = [others.pop()] if ends else []
        pieces = (first, *filter(None, others), *last)
        shingle = max(pieces, key=len)[:_SHINGLE]
        table = self._wildcards.setdefault(len(shingle), {})
        table.setdefault(shingle, []).append(_Wildcard(rank, pieces, ends))

    def _longest_prefix(self, target: str) -> int:
        best = 1
        for length in self._lengths:
            if length > len(target):
                break
            best = max(best, self._prefixes.get(target[:length], 0))
        return best

    def _candidates(self, target: str) -> Iterator[_Wildcard]:
        for length, table in self._wildcards.items():
            if len(table) <= len(target):
                present = [shingle for shingle in table if shingle in target]
            else:
                starts = range(len(target) - length + 1)
                present = list(table.keys() & {target[at : at + length] for at in starts})
            for shingle in present:
                yield from table[shingle]


def _records(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each known field and its value; comments, blanks and unknown fields are dropped."""
    for line in _head(body.removeprefix(b"\xef\xbb\xbf")).splitlines():
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


def _pattern(value: bytes) -> str:
    return _UNSAFE_IN_RULE.sub(_normal, value.decode("latin-1"))


def _target(url: str) -> str:
    """Return path and query of `url`, in the octets that rules are compared with."""
    found = _TARGET.match(url)
    path = found[1] if found else ""
    if not path.startswith("/"):
        path = "/" + path
    if _UNSAFE_IN_URL.search(path):
        octets = path.encode("utf-8", "replace").decode("latin-1")
        path = _UNSAFE_IN_URL.sub(_normal, octets)
    return path


def _normal(found: re.Match[str]) -> str:
    """Decode an escaped unreserved octet, escape every other one (RFC 9309 2.2.2)."""
    text = found[0]
    if len(text) == 1:
        return f"%{ord(text):02X}"
    octet = chr(int(text[1:], 16))
    return octet if _PLAIN.fullmatch(octet) else text.upper()


def _escape_dollars(literal: str) -> str:
    """A `$` that does not end the pattern is a plain character."""
    return literal.replace("$", "%24")
