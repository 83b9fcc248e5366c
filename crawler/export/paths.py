"""The file name of a page in the mirror."""

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Final

from crawler.urls import canonicalize

# "+" is the only mark. "+hh" is an escaped character; every other mark goes on with something that
# is no hex digit: "+q" a query, "+u" upper case, "+x" a hash, "+z" userinfo, "+http", "+.", "+/".
# A "~" before a digit is escaped too: "PAGES~1.HTM" is how FAT and NTFS alias another file's name.
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.=&,;@()!'$%~-]|~(?=[0-9])")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_USUAL_CASE: Final = re.compile(r"(?:[^A-Z%]++|%[0-9A-F]{2}|%(?![0-9A-Fa-f]{2}))*+")
_LETTERS: Final = re.compile(r"%([0-9A-Fa-f]{2})|[A-Za-z]")
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$|clock\$)(?:\.|\Z)", re.IGNORECASE
)
# Most directories are their own names; no device's name is so long without a "$".
_PLAIN: Final = re.compile(r"[a-z0-9_-]{5,190}")

_NO_EXTENSION: Final = "+.html"
_LONGEST_NAME: Final = 200
_LONGEST_PATH: Final = 900


def path_for(url: str) -> PurePosixPath:
    """Return the relative path of the page at `url`: HOST/DIRECTORIES/NAME.EXTENSION.

    Depends on the canonical URL alone, and no two canonical URLs share a path, also where letter
    case is ignored; no path is a directory of another. Legal on every common file system: names of
    at most 200 bytes, paths of at most 900. Raises `InvalidUrl`.

    >>> path_for("https://example.com/docs/Intro.html?page=2").as_posix()
    'example.com/docs/Intro+qpage=2+u1.html'
    """
    scheme, _, rest = canonicalize(url).partition("://")
    authority, _, place = rest.partition("/")
    path, mark, query = place.partition("?")
    *directories, leaf = path.split("/")
    userinfo, _, address = authority.rpartition("@")
    # Hashed: a password has no business in a file name.
    top = _host(scheme, address, f"+z{_digest(userinfo)}" if userinfo else "")
    name = _leaf(leaf, mark + query)
    text = "/".join((top, *map(_directory, directories), name))
    if len(text) > _LONGEST_PATH:
        text = f"{top}/+x{_digest(place)}{_split(name)[1]}"
    return PurePosixPath(text)


def marked(name: str, mark: str) -> str:
    """Return the name of what was made of the page at the path `name`, `mark` being `+.md`, say.

    No page has a path like that, and still no two pages share one.

    >>> marked("example.com/Intro+.html", "+.md")
    'example.com/Intro+.md'
    """
    return name.removesuffix(_NO_EXTENSION) + mark if mark else name


@lru_cache(maxsize=1024)
def _host(scheme: str, address: str, user: str) -> str:
    """Return the first directory: `host`, `host+http`, `host+https+8443`, `host+http+8080`."""
    found = re.search(r":([0-9]+)\Z", address)
    host = _UNSAFE.sub(_escape, address[: found.start()] if found else address)
    if host.startswith("."):  # `.part-0` is what FilePages calls a file that is being written
        host = "+2e" + host[1:]
    if host.endswith("."):
        host = host[:-1] + "+2e"
    host += user
    if found:
        host += f"+{scheme}+{found[1]}"
    elif scheme == "http":
        host += "+http"
    return _legal(host, "", whole=f"{scheme}://{address}{user}")


def _directory(segment: str) -> str:
    """Return a directory's name: it has a dot only if it ends in `+`, so it is never a leaf's."""
    if _PLAIN.fullmatch(segment):
        return segment
    text = _UNSAFE.sub(_escape, segment)
    name = text + _case_mark(text)
    return _legal(name, "+" if "." in name or not name else "", whole=segment)


def _leaf(segment: str, query: str) -> str:
    """Return a file's name: it always has a dot and never ends in `+`."""
    stem, extension = _split(_UNSAFE.sub(_escape, segment) if segment else "+index.html")
    if not extension:
        extension = _NO_EXTENSION
    if query:
        stem += "+q" + _UNSAFE.sub(_escape, query[1:])
    return _legal(stem + _case_mark(stem + extension), extension, whole=segment + query)


def _split(name: str) -> tuple[str, str]:
    """Return stem and extension: what follows the last dot, if 1 to 8 letters or digits."""
    found = _EXTENSION.search(name)
    return (name[: found.start()], found[0]) if found else (name, "")


def _case_mark(text: str) -> str:
    """Return `+u` and a hex mask of the letters in unusual case, the first letter lowest; or "".

    Usual is lower case, and upper case in percent-escapes, so that %E3%81%82 needs no mark.
    """
    if len(text) > _LONGEST_NAME or _USUAL_CASE.fullmatch(text):  # long names get a hash
        return ""
    mask, bit = 0, 1
    for found in _LETTERS.finditer(text):
        usual = str.isupper if found[1] else str.islower
        for letter in filter(str.isalpha, found[0]):
            if not usual(letter):
                mask |= bit
            bit <<= 1
    return f"+u{mask:x}" if mask else ""


def _legal(name: str, end: str, *, whole: str) -> str:
    """Return `name` + `end` made legal: not too long, and not the name of a device."""
    full = name + end
    if len(full) > _LONGEST_NAME - 2:  # a device's name may grow by two below
        mark = f"+x{_digest(whole)}"
        room = _LONGEST_NAME - 2 - len(mark) - len(end)
        full = f"{name[:room]}{mark}{end}"
    if _RESERVED.match(full):
        full = f"+{ord(full[0]):02x}{full[1:]}"
    return full


def _escape(found: re.Match[str]) -> str:
    return f"+{ord(found[0]):02x}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
