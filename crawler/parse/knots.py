"""Would a document take far more to parse than its size?"""

import re
from collections import Counter
from typing import Final

# What makes a parser of the HTML standard quadratic, in time or in elements, whatever its making:
# each tag looks through the elements that are open, every paragraph repeats the formatting elements
# that nobody closed, and each attribute is compared with those before it.
_FEW_TAGS: Final = 1_500
_MANY_TAGS: Final = 10_000
_SHORT: Final = 20_000
_LARGE: Final = 100_000
_PIECE: Final = 16_384
_SURELY_FLAT: Final = 5_000
_BYTES_A_TAG: Final = 200
# 20 million looks are 0.2 s of Lexbor's time; half a million elements are 200 MB.
_MOST_LOOKS: Final = 20_000_000
_MOST_REPEATS: Final = 500_000
_MOST_ATTRIBUTES: Final = 4_000

# Without attributes no more than three of a kind are repeated (13.2.4.3), and of `a` only one is.
# Not (?i), with which every byte is looked at, not only those behind a `<`.
_FORMATTING: Final = re.compile(
    rb"<(?:[bisuBISU]|[cC][oO][dD][eE]|[eE][mM]|[fF][oO][nN][tT]|[tT]{2}|[bB][iI][gG]"
    rb"|[sS](?:[mM][aA][lL][lL]|[tT][rR][iI][kK][eE]|[tT][rR][oO][nN][gG]))[\s/]"
)
_FORMAT: Final = re.compile(rb"(?i)<(/?)(b|big|code|em|font|i|s|small|strike|strong|tt|u)([\s/>])")
_TAG: Final = re.compile(rb"<(/?[a-zA-Z][^\s/>]*)")
_ATTRIBUTES: Final = re.compile(
    rb"""<[a-zA-Z](?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+""", re.DOTALL
)
_SEPARATORS: Final = re.compile(rb"""[\s/]++|["'](?=[^\s/>])""")
_VOID: Final = frozenset(
    b"area base br col embed frame hr img input keygen link meta param source track wbr".split()
)
# Each ends the one before: that their ends are not written is no nesting.
_ENDED: Final = frozenset(b"p li dt dd option optgroup tr td th tbody thead tfoot colgroup".split())


def is_knotted(body: bytes) -> bool:
    """True for a document whose tags are nested, left open or long beyond all use.

    Costs microseconds for what is neither long nor rich in tags, else time linear in `body`.
    """
    tags = body.count(b"<")
    if tags <= _FEW_TAGS and len(body) <= _SHORT:
        return False
    if (len(body) > _LARGE or tags * _BYTES_A_TAG < len(body)) and _has_endless_tag(body):
        return True
    if _repeats_much(body, tags):
        return True
    return tags > _MANY_TAGS and _may_be_deep(body) and _is_deep(body)


def _has_endless_tag(body: bytes) -> bool:
    for tag in _ATTRIBUTES.finditer(body):
        if tag.end() - tag.start() > 2 * _MOST_ATTRIBUTES:
            names = sum(1 for _ in _SEPARATORS.finditer(tag[0]))
            if names > _MOST_ATTRIBUTES:
                return True
    return False


def _repeats_much(body: bytes, tags: int) -> bool:
    """True if formatting that is left open makes of each paragraph a thousand elements."""
    if tags <= _FEW_TAGS or len(_FORMATTING.findall(body)) * tags <= _MOST_REPEATS:
        return False
    unclosed: Counter[bytes] = Counter()
    now = most = 0
    for slash, name, behind in _FORMAT.findall(body):
        kind = name.lower()
        if slash and unclosed[kind]:
            unclosed[kind] -= 1
            now -= 1
        elif not slash and behind != b">":
            unclosed[kind] += 1
            now += 1
            most = max(now, most)
    return most * tags > _MOST_REPEATS


def _may_be_deep(body: bytes) -> bool:
    """Bound the depth from above, by counting: ten times as fast as walking.

    An end tag may only close what was open before its piece of the body.
    """
    deep: Counter[bytes] = Counter()
    for start in range(0, len(body), _PIECE):
        names = Counter(_TAG.findall(body, start, start + _PIECE))
        for name, number in names.items():
            if name.startswith(b"/"):
                kind = name[1:].lower()
                deep[kind] -= min(number, deep[kind])
        for name, number in names.items():
            kind = name.lower()
            if not (name.startswith(b"/") or kind in _VOID or kind in _ENDED):
                deep[kind] += number
        if deep.total() > _SURELY_FLAT:
            return True
    return False


def _is_deep(body: bytes) -> bool:
    """Walk through the tags as a parser would, roughly."""
    stack: list[bytes] = []
    opened: Counter[bytes] = Counter()
    looks = 0
    for name in _TAG.findall(body):
        kind = name.lower()
        if kind.startswith(b"/"):
            kind = kind[1:]
            if opened[kind]:
                while (top := stack.pop()) != kind:
                    opened[top] -= 1
                opened[kind] -= 1
        elif kind not in _VOID:
            while kind in _ENDED and stack and stack[-1] in _ENDED:
                opened[stack.pop()] -= 1
            stack.append(kind)
            opened[kind] += 1
        looks += len(stack)
    return looks > _MOST_LOOKS
