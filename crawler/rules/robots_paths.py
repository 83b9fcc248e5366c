"""Paths and the patterns of robots.txt."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_TARGET: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?[^/?#]*([^#]*)")
_UNRESERVED: Final = r"A-Za-z0-9._~\-"
# All that may not stand in a path as it is; "'" because the URL standard escapes it in queries.
_UNSAFE_IN_RULE: Final = re.compile(rf"%[0-9A-Fa-f]{{2}}|[^{_UNRESERVED}:/?\[\]@!$&()*+,;=%]")
# In a URL "*" and "$" are plain characters, which rules can only name escaped (RFC 9309 2.2.3).
_UNSAFE_IN_URL: Final = re.compile(rf"%[0-9A-Fa-f]{{2}}|[^{_UNRESERVED}:/?\[\]@!&()+,;=%]")
_PLAIN: Final = re.compile(rf"[{_UNRESERVED}]")
_MARK: Final = re.compile(r"[._~\-]")
_SHINGLE: Final = 8


class Target(msgspec.Struct, frozen=True):
    """Path and query of a URL, in the octets that rules are compared with.

    `plain` is for Disallow: unreserved octets unescaped, all others escaped (RFC 9309 2.2.2).
    `given` is for Allow: letters and digits escaped as they were, what is not ASCII as it was. By
    the RFC these were the same; Google has them apart, and the stricter of the two holds.
    """

    plain: str
    given: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """Return that of `url`; a path alone will do."""
        found = _TARGET.match(url)
        path = found[1] if found else ""
        if not path.startswith("/"):
            path = "/" + path
        if _UNSAFE_IN_URL.search(path) is None:
            return cls(path, path)
        octets = path.encode("utf-8", "replace").decode("latin-1")
        return cls(_UNSAFE_IN_URL.sub(_unescaped, octets), _UNSAFE_IN_URL.sub(_given, path))


class Rules:
    """The rules for one agent: the longest that fits decides, Allow wins ties."""

    __slots__ = ("_allow", "_disallow")

    def __init__(self, rules: Iterable[tuple[bytes, bool]]) -> None:
        allow: set[str] = set()
        disallow: set[str] = set()
        for value, allows in rules:
            text = value.decode("latin-1")
            if not allows:
                disallow.add(_UNSAFE_IN_RULE.sub(_unescaped, text))
                continue
            pattern = _UNSAFE_IN_RULE.sub(_given, text)
            allow.add(pattern)
            folder, slash, name = pattern.rpartition("/")
            if slash and name.startswith("index.htm"):
                allow.add(f"{folder}/$")  # Google: it is the folder's own page
        self._allow, self._disallow = _Index(allow), _Index(disallow)

    def allow(self, target: Target) -> bool:
        """Return whether `target` may be asked for."""
        refused = self._disallow.longest(target.plain)
        return not refused or self._allow.longest(target.given) >= refused


class _Wildcard(msgspec.Struct, frozen=True):
    """A pattern with `*` inside: the first piece at the start, perhaps one at the end."""

    octets: int
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


class _Index:
    """Finds the longest pattern that fits; the time hardly depends on how many there are."""

    __slots__ = ("_exact", "_lengths", "_prefixes", "_wildcards")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._exact: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        # Length of a shingle -> the shingle -> the wildcards that need it somewhere in the target.
        self._wildcards: dict[int, dict[str, list[_Wildcard]]] = {}
        for pattern in patterns:
            self._add(pattern)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def longest(self, target: str) -> int:
        """Return the octets of the longest pattern that fits, 0 if none does."""
        best = self._exact.get(target, 0)
        for length in self._lengths:
            if length > len(target):
                break
            best = max(best, self._prefixes.get(target[:length], 0))
        for wildcard in self._candidates(target):
            if wildcard.octets > best and wildcard.matches(target):
                best = wildcard.octets
        return best

    def _add(self, pattern: str) -> None:
        ends = pattern.endswith("$")
        literal = pattern[:-1] if ends else pattern.rstrip("*")
        if "*" in literal:
            self._add_wildcard(literal, len(pattern), ends)
            return
        table = self._exact if ends else self._prefixes
        literal = _escape_dollars(literal)
        table[literal] = max(len(pattern), table.get(literal, 0))

    def _add_wildcard(self, pattern: str, octets: int, ends: bool) -> None:
        first, *others = _escape_dollars(pattern).split("*")
        last = [others.pop()] if ends else []
        pieces = (first, *filter(None, others), *last)
        shingle = max(pieces, key=len)[:_SHINGLE]
        table = self._wildcards.setdefault(len(shingle), {})
        table.setdefault(shingle, []).append(_Wildcard(octets, pieces, ends))

    def _candidates(self, target: str) -> Iterator[_Wildcard]:
        for length, table in self._wildcards.items():
            if len(table) <= len(target):
                present = [shingle for shingle in table if shingle in target]
            else:
                starts = range(len(target) - length + 1)
                present = list(table.keys() & {target[at : at + length] for at in starts})
            for shingle in present:
                yield from table[shingle]


def _unescaped(found: re.Match[str]) -> str:
    """Decode an escaped unreserved octet, escape every other one."""
    return _normal(found[0], _PLAIN)


def _given(found: re.Match[str]) -> str:
    """Decode an escaped mark (`%7Ejoe` is as old as `~joe`), escape every other ASCII octet."""
    text = found[0]
    return text if ord(text[0]) > 0xFF else _normal(text, _MARK)


def _normal(text: str, plain: re.Pattern[str]) -> str:
    if len(text) == 1:
        return f"%{ord(text):02X}"
    octet = chr(int(text[1:], 16))
    return octet if plain.fullmatch(octet) else text.upper()


def _escape_dollars(literal: str) -> str:
    """A `$` that does not end the pattern is a plain character."""
    return literal.replace("$", "%24")
