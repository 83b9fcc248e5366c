"""Would a document take far more to parse than its size?"""

import re
from collections import Counter
from typing import Final

# What makes a parser of the HTML standard quadratic, in time or in elements, whatever its making:
# each tag looks through the elements that are open, every paragraph repeats the formatting elements
# that nobody closed, and each attribute is compared with those before it.
_FEW_TAGS: Final = 1_500
_MANY_TAGS: Final = 3_000
_SHORT: Final = 20_000
_PIECE: Final = 16_384
_SURELY_FLAT: Final = 3_000
_SURELY_SEEN: Final = 500
_LARGE: Final = 100_000
_STRETCH: Final = 4_096
_SAMPLE: Final = 2_048
_SNIPPET: Final = 512
_STEP: Final = 32_768
_MANY_UNCLOSED: Final = 2_000
_MANY_STRAYS: Final = 12
_STRAYS_APART: Final = 4
# Ten million looks are 0.1 s of Lexbor's time; half a million elements are 200 MB.
_SURELY_FINE: Final = 6_000_000
_MOST_LOOKS: Final = 10_000_000
_MOST_REPEATS: Final = 500_000
_MOST_ATTRIBUTES: Final = 4_000
# Lexbor looks through a select for each of its options: 10,000 take 0.4 s.
_MOST_OPTIONS: Final = 10_000

# Without attributes no more than three of a kind are repeated (13.2.4.3), and of `a` only one is.
# Not (?i), with which every byte is looked at, not only those behind a `<`.
_FORMAT: Final = re.compile(
    rb"<(/?)([bisuBISU]|[cC][oO][dD][eE]|[eE][mM]|[fF][oO][nN][tT]|[tT]{2}|[bB][iI][gG]"
    rb"|[sS](?:[mM][aA][lL][lL]|[tT][rR][iI][kK][eE]|[tT][rR][oO][nN][gG]))([\s/>])"
)
_TAG: Final = re.compile(rb"<(/?[a-zA-Z][^\s/>]*)")
_ATTRIBUTES: Final = re.compile(
    rb"""<[a-zA-Z](?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+""", re.DOTALL
)
_SEPARATORS: Final = re.compile(rb"""[\s/]++|["'](?=[^\s/>])""")
_FORMATS: Final = frozenset(b"b big code em font i s small strike strong tt u".split())
# Between the ends of a sample formatting is open by chance; between those of blocks it is not.
_BLOCKS: Final = ((b"<p", b"</p"), (b"<li", b"</li"), (b"<d", b"</d"), (b"<t", b"</t"))
_VOID: Final = frozenset(
    b"area base br col embed frame hr img input keygen link meta param source track wbr".split()
)
# Each ends the one before: that their ends are not written is no nesting.
_ENDED: Final = frozenset(b"p li dt dd option optgroup tr td th tbody thead tfoot colgroup".split())
# The end of these leaves open what is open inside (13.2.6.4.7).
_TAKEN_OUT: Final = _FORMATS | {b"a", b"nobr", b"form"}


def is_knotted(body: bytes) -> bool:
    """True for a document whose tags are nested, left open or long beyond all use.

    Looks at samples first, which costs a twentieth of parsing, and nothing for what is neither long
    nor rich in tags. A knot of which no sample has anything goes undetected.
    """
    size = len(body)
    if size <= _SHORT and (size <= 3 * _FEW_TAGS or body.count(b"<") <= _FEW_TAGS):
        return False
    tags, unclosed = _sampled(body)
    if (unclosed > _MOST_ATTRIBUTES or _has_stretch(body)) and _has_endless_tag(body):
        return True
    if tags > _MOST_OPTIONS and _has_endless_select(body):
        return True
    if _has_strays(body):
        may_repeat = may_be_deep = True
    elif tags * unclosed > _SURELY_FINE:
        may_repeat, may_be_deep = _guessed(body, tags)
        # What opens the formatting may stand where nobody looked, what repeats it is everywhere.
        may_repeat = may_repeat or unclosed > _MANY_UNCLOSED
    else:
        return False
    tags = body.count(b"<")
    return (may_repeat and _repeats_much(body, tags)) or (
        may_be_deep and tags > _MANY_TAGS and _may_be_deep(body) and _is_deep(body)
    )


def _samples(body: bytes) -> range:
    """Return where the pieces begin that are looked at.

    Nobody can tell beforehand: bytes have another hash in each process. Or a page would have its
    knots where none is looked for.
    """
    apart = _rate(body) * _SAMPLE
    return range(hash(body[:_SNIPPET]) % apart, len(body), apart)


def _rate(body: bytes) -> int:
    """Return which part of a document is looked at, of a longer one a smaller."""
    return 8 if len(body) <= _LARGE // 2 else 16


def _sampled(body: bytes) -> tuple[int, int]:
    """Guess of some pieces how many tags there are, and how many open at once, void too."""
    tags = unclosed = most = 0
    rate = _rate(body)
    for start in _samples(body):
        here = body.count(b"<", start, start + _SAMPLE)
        tags += here
        unclosed = max(0, unclosed + here - 2 * body.count(b"</", start, start + _SAMPLE))
        most = max(most, unclosed)
    return tags * rate, most * rate


def _has_endless_select(body: bytes) -> bool:
    starts = range(0, len(body), _STEP)
    if not any(b"<option" in body[start : start + _SNIPPET].lower() for start in starts):
        return False
    _, *selects = body.lower().split(b"<select")
    return any(select.count(b"<option") > _MOST_OPTIONS for select in selects)


def _guessed(body: bytes, tags: int) -> tuple[bool, bool]:
    """Guess again, by name: is much formatting repeated, are many elements looked through?"""
    rate = _rate(body)
    deep: Counter[bytes] = Counter()
    may_repeat = may_be_deep = False
    for start in _samples(body):
        net = _net(body, start, start + _SAMPLE)
        if any(net[kind] for kind in _FORMATS & net.keys()):
            within = _net(body, *_whole(body, start))
            net.update({kind: within[kind] - net[kind] for kind in _FORMATS})
        for kind, number in net.items():
            deep[kind] = max(0, deep[kind] + number)
        repeated = rate * sum(deep[kind] for kind in _FORMATS & deep.keys())
        depth = rate * deep.total()
        may_repeat = may_repeat or repeated * tags > _MOST_REPEATS
        may_be_deep = may_be_deep or (depth > _SURELY_SEEN and depth * tags > _MOST_LOOKS)
    return may_repeat, may_be_deep


def _net(body: bytes, start: int, end: int) -> Counter[bytes]:
    """Count how many more of each kind begin there than end."""
    net: Counter[bytes] = Counter()
    for name, number in Counter(_TAG.findall(body, start, end)).items():
        kind = name.lower().removeprefix(b"/")
        if kind not in _VOID and kind not in _ENDED:
            net[kind] += -number if name.startswith(b"/") else number
    return net


def _whole(body: bytes, start: int) -> tuple[int, int]:
    """Return a sample without the blocks that its ends cut through."""
    end = start + _SAMPLE
    for opened, closed in _BLOCKS:
        first, last = body.find(opened, start, end), body.rfind(closed, start, end)
        if 0 <= first < last:
            return first, last
    return start, end


def _has_strays(body: bytes) -> bool:
    """Look for end tags that end nothing, with which anything can be balanced."""
    if len(body) <= _LARGE:
        return False
    for start in _samples(body)[1::_STRAYS_APART]:
        names = Counter(_TAG.findall(body, start, start + _SNIPPET))
        ends = {name: number for name, number in names.items() if name.startswith(b"/")}
        if sum(max(0, number - names[name[1:]]) for name, number in ends.items()) > _MANY_STRAYS:
            return True
    return False


def _has_stretch(body: bytes) -> bool:
    """Look here and there for a stretch without tags: a text, a script, or one tag without end."""
    return any(
        body.find(b">", start, start + _STRETCH) < 0
        and body.find(b"<", start, start + _STRETCH) < 0
        for start in range(0, len(body), _STRETCH)
    )


def _has_endless_tag(body: bytes) -> bool:
    for tag in _ATTRIBUTES.finditer(body):
        if tag.end() - tag.start() > 2 * _MOST_ATTRIBUTES:
            names = sum(1 for _ in _SEPARATORS.finditer(tag[0]))
            if names > _MOST_ATTRIBUTES:
                return True
    return False


def _repeats_much(body: bytes, tags: int) -> bool:
    """True if formatting that is left open makes of each paragraph a thousand elements."""
    if tags <= _FEW_TAGS:
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
            if opened[kind] and kind in _TAKEN_OUT:
                del stack[~stack[::-1].index(kind)]
                opened[kind] -= 1
            elif opened[kind]:
                while (top := stack.pop()) != kind:
                    opened[top] -= 1
                opened[kind] -= 1
        elif kind not in _VOID:
            while kind in _ENDED and stack and stack[-1] in _ENDED:
                opened[stack.pop()] -= 1
            stack.append(kind)
            opened[kind] += 1
        looks += len(stack)
        if looks > _MOST_LOOKS:
            return True
    return False
