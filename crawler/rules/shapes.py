"""What do URLs of one template have in common?"""

import re
from functools import lru_cache

# In a folder's name: a word, which may be hyphenated once or twice, says what lies in it.
_WORD = re.compile(r"[A-Za-z_~.@+]+(?:-[A-Za-z_~.@+]+){0,2}")
_LONGEST_WORD = 30
_DIGITS = re.compile(r"\d+")
_VALUES = re.compile(r"=[^&]*")
# What is in brackets is an index, or a key of as many as there are: `filter[color]`.
_INDEX = re.compile(r"(?:\[|%5B)[^&\[\]%]*(?:\]|%5D)", re.IGNORECASE)
_LONGEST_SUFFIX = 6
_ANY = "*"
_NUMBER = "0"


def shape_of(url: str) -> str:
    """Return a canonical URL with what differs between pages of one template taken out.

    Folders stay where they are words; numbers, dates, digests and slugs are taken out, and several
    in a row are one. So is a page's own name, but for its suffix, and for words directly below the
    root: `/blog/2019/05/a-slug.html?page=2&utm=x` is `/blog/0/*.html?page&utm`. 1 µs.
    """
    path, _, query = url.partition("?")
    cut = path.rindex("/") + 1
    end = ""
    if cut == len(path):
        if path.count("/") == 3:
            return f"{path}?{names_of(query)}" if query else path
        path, end = path[:-1], "/"
        cut = path.rindex("/") + 1
    shape, is_root = _folder(path[:cut])
    if is_root:
        shape += _part(path[cut:]) + end
    elif not end and (dot := path.rfind(".", cut)) >= 0 and path[dot + 1 :].isalpha():
        shape += _ANY + path[dot : dot + _LONGEST_SUFFIX]
    else:
        shape += _ANY + end
    return f"{shape}?{names_of(query)}" if query else shape


def names_of(query: str) -> str:
    """Return the names of a query's parameters, each once, in order, without their indices."""
    return _names(_VALUES.sub("", query))


@lru_cache(maxsize=4_096)
def _folder(folder: str) -> tuple[str, bool]:
    """Return the shape of `https://host/one/two/`, and whether that is the root."""
    *origin, path = folder.split("/", 3)
    parts: list[str] = []
    for part in map(_part, path.split("/")[:-1]):
        if parts and part == parts[-1].removesuffix("+") and not _WORD.fullmatch(part):
            parts[-1] = part + "+"
        else:
            parts.append(part)
    return "/".join([*origin, *parts, ""]), not path


def _part(word: str) -> str:
    """Return a name if it is a word, else what stands for it."""
    if len(word) > _LONGEST_WORD:
        return _ANY
    if not word or _WORD.fullmatch(word):
        return word
    if not _DIGITS.sub("", word).strip("-._:"):
        return _NUMBER
    plain = _DIGITS.sub(_NUMBER, word)
    # A word with one number in it is still a word: `python3`, not `5e0f93`.
    is_word = plain.count(_NUMBER) == 1 and _WORD.fullmatch(plain.replace(_NUMBER, ""))
    return plain if is_word else _ANY


@lru_cache(maxsize=4_096)
def _names(query: str) -> str:
    """Return the names of parameters, each once, in order; `query` comes without the values."""
    query = _INDEX.sub("[]", query)
    return "&".join(sorted({_DIGITS.sub(_NUMBER, name) for name in query.split("&")}))
