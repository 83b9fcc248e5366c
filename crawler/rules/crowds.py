"""Which URLs have so many of their like that others go first?"""

from crawler.rules.shapes import shape_of

_FREE = 200
_STEP = 10
"""After so many URLs of a shape, each so many more go one level deeper."""
_MOST_SHAPES = 100
_MOST_CROWDS = 30_000


class Crowd:
    """URLs of one shape; `is_many`: of paths of any depth, or of shapes too many to tell apart."""

    __slots__ = ("is_many", "size")

    def __init__(self, *, is_many: bool = False) -> None:
        self.size = 0
        self.is_many = is_many

    @property
    def lag(self) -> int:
        """How many levels deeper than it is the next of them is queued."""
        return (self.size - _FREE) // _STEP if self.size > _FREE else 0


class Crowds:
    """Counts the URLs found of each shape, so that no shape starves the rest of its host.

    The 700th of its shape is queued fifty levels deeper than it is: what is unlike it comes first,
    and within a shape nothing changes. A tree of random folders has a new shape on each page, so of
    one folder below the root (and of one host) no more than `_MOST_SHAPES` are told apart, and the
    rest is one crowd. A process's own guess: forgotten with it, and cut when it grows large.
    """

    def __init__(self) -> None:
        self._crowds: dict[str, Crowd] = {}
        self._members: dict[str, int] = {}
        self._rests: dict[str, Crowd] = {}

    def __len__(self) -> int:
        return len(self._crowds) + len(self._members)

    def join(self, url: str) -> Crowd:
        """Return the crowd of a URL that is new, and was not found before."""
        shape = shape_of(url)
        crowd = self._crowds.get(shape)
        if crowd is None:
            crowd = self._new(shape)
        crowd.size += 1
        return crowd

    def _new(self, shape: str) -> Crowd:
        """Tell one more shape apart, or put it to the rest of its section."""
        if len(self) >= _MOST_CROWDS:
            self._forget()
        *host, section = shape.split("/", 4)[:4]
        is_below = shape.count("/") > 3
        where = "/".join(host)
        if is_below and self._is_full(where, section):
            section = ""  # all sections that are too many
        where = f"{where}/{section}" if is_below else where
        if self._members.get(where, 0) >= _MOST_SHAPES:
            return self._rests.setdefault(where, Crowd(is_many=True))
        self._members[where] = self._members.get(where, 0) + 1
        # Folders that are numbers, and go on and on, are a tree as well.
        crowd = self._crowds[shape] = Crowd(is_many="+/" in shape)
        return crowd

    def _is_full(self, host: str, section: str) -> bool:
        """True if a host has too many sections to tell one more apart."""
        if f"{host}/{section}" in self._members:
            return False
        sections = f"{host}//"
        number = self._members[sections] = self._members.get(sections, 0) + 1
        return number > _MOST_SHAPES

    def _forget(self) -> None:
        """Keep what is crowded; the rest begins anew."""
        self._crowds = {shape: crowd for shape, crowd in self._crowds.items() if crowd.lag}
        if len(self._crowds) > _MOST_CROWDS // 2:
            self._crowds.clear()
        self._members.clear()
        self._rests.clear()
