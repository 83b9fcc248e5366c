"""A file that is downloaded, and how it is wanted."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from crawler.errors import SpiderError
from crawler.setting_values import unknown

FIELDS: Final = ("sha256", "ext", "name", "host")
"""What stands in braces in `to`: the digest, `.jpg`, the name in the URL without that, the host."""

_FIELD = re.compile(r"\{([^{}/]*)\}")
_TYPE = re.compile(r"\*|\*/\*|[a-z0-9!#$&^_.+-]+/(?:\*|[a-z0-9!#$&^_.+-]+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
# File systems have 255 bytes for a name; a part of them is for what tells two contents apart.
_LONGEST = 150
_LONGEST_PATH = 1_000
_Side = Annotated[int, Meta(ge=1, le=10_000)]


class Media(Struct, frozen=True, kw_only=True):
    """A file that was downloaded, whole and on disk: a field of an item, or what a callback gets.

    `url` is what was asked for, `path` relative to the run's folder, `sha256` in hex, `bytes` the
    size, `type` the MIME type by the file's first bytes, or as the server says. `width` and
    `height` (pixels, as stored) are there for images, if Pillow is; `thumbnails` are paths by name.
    """

    url: str
    path: str
    sha256: str
    bytes: int
    type: str
    width: int | None = None
    height: int | None = None
    thumbnails: dict[str, str] = field(default_factory=dict)


class Wanted(Struct, frozen=True, omit_defaults=True):
    """How a file is wanted: where `to`, of which MIME `types`, how large, with what thumbnails.

    Without `to` its digest names it; without `types` any will do. `limit` (bytes) takes the place
    of the setting `media_bytes`.
    """

    to: str = ""
    types: tuple[str, ...] = ()
    thumbnails: dict[str, tuple[int, int]] = field(default_factory=dict)
    limit: int | UnsetType | None = UNSET

    def admits(self, mime: str) -> bool:
        """True if a file of this type will do."""
        whole = ("*", "*/*", mime, mime.partition("/")[0] + "/*")
        return not self.types or any(one in whole for one in self.types)


def wanted(
    *, to: Any = "", types: Any = (), thumbnails: Any = None, media_bytes: Any = UNSET
) -> Wanted:
    """Return how a file is wanted, checked. Raises `SpiderError`."""
    listed = (types,) if isinstance(types, str) else tuple(types)
    for one in listed:
        if not isinstance(one, str) or not _TYPE.fullmatch(one):
            raise SpiderError(f"download: types must be MIME types, as image/* or a/b, got {one!r}")
    is_size = isinstance(media_bytes, int) and media_bytes > 0
    if not is_size and media_bytes is not UNSET and media_bytes is not None:
        raise SpiderError(f"download: media_bytes must be above 0 or None, got {media_bytes!r}")
    _check_path(to)
    return Wanted(to, listed, _sizes(thumbnails or {}), media_bytes)


def filled(to: str, values: Mapping[str, str]) -> str:
    """Return the path that `to` says, its fields replaced by `values`."""
    return _FIELD.sub(lambda found: values[found[1]], to)


def _check_path(to: Any) -> None:
    if not isinstance(to, str):
        raise SpiderError(f"download: to must be a path below media/, got {to!r}")
    for name in _FIELD.findall(to):
        if name not in FIELDS:
            raise SpiderError(f"download: to={to!r}: {unknown('field', name, FIELDS)}")
    # What a page calls something may lead anywhere; names with a dot in front are ours.
    plain = _FIELD.sub("x", to)
    parts = plain.split("/") if to else []
    if _CONTROL.search(plain) or any(not part or part.startswith(".") for part in parts):
        raise SpiderError(
            f"download: to must be a path below media/ without '..', hidden names and "
            f"backslashes, got {to!r}"
        )
    if any(len(part.encode()) > _LONGEST for part in parts) or len(to.encode()) > _LONGEST_PATH:
        raise SpiderError(f"download: to: a name may have {_LONGEST} bytes, got {to!r:.200}")


def _sizes(thumbnails: Mapping[Any, Any]) -> dict[str, tuple[int, int]]:
    try:
        return msgspec.convert(thumbnails, dict[str, tuple[_Side, _Side]])
    except msgspec.ValidationError as error:
        raise SpiderError(
            f"download: thumbnails must be names and (width, height), got {thumbnails!r}: {error}"
        ) from None
