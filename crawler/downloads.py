"""What `page.download` gives."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypedDict

from msgspec import UnsetType

from crawler.errors import CallbackError, MissingValue
from crawler.media import Media, wanted
from crawler.parse.nodes import Node
from crawler.parse.targets import Target
from crawler.request import Callback, Params, Request

_IMAGES = ("image/*",)
_HOW = ("to", "types", "thumbnails", "media_bytes")


class Wishes(TypedDict, total=False):
    """What `page.download` takes besides its target.

    `to` names the file below `media/`, `types` are the MIME types wanted, `thumbnails` sizes by
    name, `media_bytes` the most it may have; the others are those of a `Request`.
    """

    to: str
    types: str | Iterable[str]
    thumbnails: Mapping[str, tuple[int, int]]
    media_bytes: int | UnsetType | None
    callback: Callback
    data: object
    headers: Mapping[str, str] | Sequence[tuple[str, str]]
    params: Params
    priority: int
    timeout: float
    retries: int
    again: bool
    jar: str


class Brought(Protocol):
    """What a fetch of a file gives."""

    media: Media | None


class Shows(Protocol):
    """A page, as far as a request for one of its files has to know it."""

    @property
    def url(self) -> str:
        """Where it is from."""

    @property
    def depth(self) -> int:
        """Links from a seed to it."""


class Download:
    """A file to download: yield it, and it is queued; await it, and it is there.

    Yielded, it is asked for once, in its turn, and its callback gets the `Media`, if it has one.
    Awaited inside the callback, it goes ahead of its host's queue and gives the `Media`; raises
    `FetchError`.
    """

    __slots__ = ("_fetch", "request")

    def __init__(self, request: Request, fetch: Callable[[Request], Awaitable[Brought]]) -> None:
        self.request = request
        self._fetch = fetch

    def __repr__(self) -> str:
        return f"<Download {self.request.url}>"

    def __await__(self) -> Generator[Any, None, Media]:
        return self._bring().__await__()

    async def _bring(self) -> Media:
        media = (await self._fetch(self.request)).media
        assert media is not None, "what is no file is a FetchError"
        return media


def target_of(page: Node, target: Target | None, css: str) -> Target:
    """Return what is to be downloaded: `target`, or the first element that `css` selects."""
    if (target is None) == (not css):
        raise CallbackError("download() takes a URL, Link or Node, or css=…")
    if target is not None:
        return target
    node = page.css_first(css)
    if node is None:
        raise MissingValue(f"nothing to download: no element {css!r} on {page.url}")
    return node


def media_request(
    target: Target, address: Callable[[object], str], *, page: Shows, wishes: Any
) -> Request:
    """Return the request for a file; an image is expected where `target` shows one.

    A file is no step further than its page. Raises `SpiderError`.
    """
    shows = isinstance(target, Node) and target.tag in ("img", "input")
    how = {"types": _IMAGES if shows else (), **wishes}
    rest = {name: how.pop(name) for name in [*how] if name not in _HOW}
    callback = rest.pop("callback", None) or ""
    return Request(
        address(target),
        callback=callback,
        depth=page.depth,
        parent=page.url,
        kind="media",
        saving=wanted(**how),
        **rest,
    )
