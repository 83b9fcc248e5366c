"""What an element refers to.

Source: the HTML standard, its attributes that hold URLs, and "parse a srcset attribute".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

Attributes = Mapping[str, str | None]

_SRC: Final = ("src",)
_ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "img": _SRC,
    "source": _SRC,
    "iframe": _SRC,
    "frame": _SRC,
    "embed": _SRC,
    "audio": _SRC,
    "script": _SRC,
    "track": _SRC,
    "input": _SRC,
    "video": ("src", "poster"),
    "object": ("data",),
}
_WITH_SRCSET: Final = ("img", "source")

# Those of a real image are ten; what is longer is an image itself, written as a data URL.
_MOST_CANDIDATES = 1_000
_LONGEST_SRCSET = 65_536

_CANDIDATE = re.compile(r"[\t\n\f\r ,]*+([^\t\n\f\r ]++)")
# Up to the next comma that stands in no parentheses; an open one has no end.
_DESCRIPTORS = re.compile(r"(?:[^(),]++|\([^)]*+(?:\)|\Z)|\))*+,?")
_WIDTH_OR_HEIGHT = re.compile(r"0*[1-9][0-9]*[wh]|0+h")
_DENSITY = re.compile(r"-?(?:[0-9]+|[0-9]*\.[0-9]+)(?:[eE][+-]?[0-9]+)?x")


def references(tag: str, attributes: Attributes, *, srcset: bool) -> list[str]:
    """Return what an element refers to, in the words of the page: its `href` if it has one.

    With `srcset` every candidate of an image as well.
    """
    if "href" in attributes:
        return [attributes["href"] or ""]
    found = [attributes[name] or "" for name in _ATTRIBUTES.get(tag, ()) if name in attributes]
    if srcset and tag in _WITH_SRCSET and (written := attributes.get("srcset")):
        found += candidates(written)
    return found


def candidates(srcset: str) -> Iterator[str]:
    """Yield the URLs of a srcset, but for those whose descriptors are wrong.

    Looks at a thousand in 64 KB at most.
    """
    at, end = 0, _LONGEST_SRCSET
    for _ in range(_MOST_CANDIDATES):
        if (found := _CANDIDATE.match(srcset, at, end)) is None:
            return
        url, at = found[1], found.end()
        if at == end < len(srcset):
            return  # the URL may go on
        if url.endswith(","):
            if url := url.rstrip(","):
                yield url
            continue
        rest = _DESCRIPTORS.match(srcset, at, end)
        assert rest is not None, "it matches nothing as well"
        at = rest.end()
        if _is_right(rest[0].removesuffix(",").split()):
            yield url


def _is_right(descriptors: list[str]) -> bool:
    """True for nothing, one density, or a width and perhaps a height."""
    kinds = sorted(one[-1] for one in descriptors)
    if kinds == ["x"]:
        return bool(_DENSITY.fullmatch(descriptors[0])) and not descriptors[0].startswith("-")
    whole = all(map(_WIDTH_OR_HEIGHT.fullmatch, descriptors))
    return kinds in ([], ["w"], ["h", "w"]) and whole
