"""Resolves the links of a document, once for all of its folder."""

import re
from collections.abc import Iterable
from typing import Final

from crawler.errors import InvalidUrl
from crawler.urls import QUERY, is_plainly_canonical, join, without_credentials

# Most links: from the root, or up some folders, then down; a path there is, and no ":", which may
# end a scheme. Joining these is cutting and adding text: 0.6 µs instead of 2.6.
_SEGMENT: Final = r"[\w~!$&()*+,;=@-][\w~!$&()*+,;=@.%-]*+"
_RELATIVE: Final = re.compile(
    rf"(?:(/)|((?:\.\./)++))?+((?:{_SEGMENT}(?:/{_SEGMENT})*+/?+){QUERY})", re.ASCII
)


class _Joined:
    """What the hrefs of folders lead to: no more than about 40 MB, then all is forgotten.

    A site of 1,169 pages in one folder has 2,890 different hrefs; with 1,000 kept, six of the 14 on
    a page were resolved anew, 10 µs of its 455.
    """

    MOST_FOLDERS = 4_000
    MOST_HREFS = 64_000
    LONGEST = 500
    """Characters of an href and the URL it leads to, together."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, str | None]] = {}
        self._room = self.MOST_HREFS

    def of(self, folder: str) -> dict[str, str | None]:
        """Return what is known of a folder."""
        if self._room <= 0 or len(self._folders) >= self.MOST_FOLDERS:
            self._folders.clear()
            self._room = self.MOST_HREFS
        return self._folders.setdefault(folder, {})

    def has_room(self, length: int) -> bool:
        """Return whether one more of so many characters is to be kept; it is counted then."""
        if self._room <= 0 or length > self.LONGEST:
            return False
        self._room -= 1
        return True


_joined = _Joined()


class Joiner:
    """Resolves the hrefs of one document, which is at the canonical URL `base`, as `join` does.

    But for user and password, which a link may not bring: they are left out.
    What differs only in its fragment is resolved once, and so is what documents of one folder have
    in common: most pages of a site link to the same places, in the same words.
    """

    __slots__ = ("_base", "_folders", "_known", "_own")

    def __init__(self, base: str) -> None:
        self._base = base = without_credentials(base)
        self._own: dict[str, str | None] = {}
        path, _, _ = base.partition("?")
        folder = path[: path.rindex("/") + 1]
        # The document's own folder, and those above it that were asked for.
        self._folders = [folder]
        self._known = _joined.of(folder)

    def join_all(self, hrefs: Iterable[str]) -> list[str | None]:
        """Return what each of `hrefs` leads to."""
        known = self._known
        return [known[href] if href in known else self(href) for href in hrefs]

    def __call__(self, href: str) -> str | None:
        """Return what `join` gives, None where it raises."""
        written = href
        if "#" in href:
            written = href[: href.index("#")]
            # White space at the end of an href is cut off; before its fragment it is not.
            if written and written[-1] <= " ":
                written = href
        try:
            return self._known[written]
        except KeyError:
            return self._own[written] if written in self._own else self._resolved(written)

    def _resolved(self, href: str) -> str | None:
        if plain := _RELATIVE.fullmatch(href):
            root, up, path = plain.groups()
            url = (self._root() if root else self._folder(len(up) // 3 if up else 0)) + path
        elif is_plainly_canonical(href):
            url = href
        else:
            return self._parsed(href)
        return self._keep(href, url)

    def _parsed(self, href: str) -> str | None:
        """Resolve what may go by the document's whole URL, as `?page=2` does."""
        try:
            url = self._own[href] = without_credentials(join(self._base, href))
        except InvalidUrl:
            return self._keep(href, None)  # whatever the path
        return url

    def _keep(self, href: str, url: str | None) -> str | None:
        """Keep what goes by the folder, for other documents too while that is not much."""
        length = len(href) + len(url or "")
        keeper = self._known if _joined.has_room(length) else self._own
        keeper[href] = url
        return url

    def _root(self) -> str:
        folder = self._folders[0]
        return folder[: folder.index("/", folder.index("//") + 2) + 1]

    def _folder(self, up: int) -> str:
        """Return the folder so many levels above the document's own; above the root is the root."""
        folders = self._folders
        while len(folders) <= up:
            last = folders[-1]
            is_root = last.count("/") == 3
            folders.append(last if is_root else last[: last.rindex("/", 0, -1) + 1])
        return folders[up]
