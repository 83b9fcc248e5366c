"""An image's size, and smaller ones of it, by Pillow (extra `images`)."""

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from msgspec import Struct

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

# What the web has. Others of Pillow's run programs (EPS) or read whole files to know their size.
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000")
_PREFIX_BYTES: Final = 16
# A photo's header takes 100; a PNG of 100 MB has its pixels in 37,000.
_HEADER_READS: Final = 10_000
_PIXEL_READS: Final = 200_000
# A PNG of so many pixels takes 360 MB; Pillow's own bound is the same, unless somebody moved it.
_MOST_PIXELS: Final = 89_478_485
_BROKEN: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    RuntimeWarning,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow's readers raise for files that are broken, also on purpose."""


class _Reader:
    """A file for Pillow, which reads some headers byte by byte, were there 100 MB of them.

    So it has a number of calls for the header, and another for the pixels. It has no `fileno`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.left = _HEADER_READS
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """See `io`. Raises `OSError` when there were too many calls."""
        self.left -= 1
        if self.left < 0:
            raise OSError("it is read in too many pieces")
        return self._file.read(size)


class Thumbnail(Struct, frozen=True):
    """A smaller image: its `name`, the size it was to fit in, the file, and what that ends in."""

    name: str
    width: int
    height: int
    data: bytes
    ext: str


def is_there() -> bool:
    """True if Pillow is installed."""
    try:
        import PIL  # noqa: F401
    except ImportError:
        return False
    return True


class Looked(Struct, frozen=True):
    """What an image is: width and height as stored, and thumbnails of it."""

    width: int
    height: int
    thumbnails: Sequence[Thumbnail] = ()


def looked_at(
    opened: Callable[[], BinaryIO], sizes: Mapping[str, tuple[int, int]]
) -> Looked | None:
    """Return an image's size, and thumbnails of it by name.

    Only the header is read for the size, so that no bomb goes off. None without Pillow, and for
    what Pillow does not know; thumbnails that cannot be made are logged and left out.
    """
    if not is_there():
        return None
    with opened() as file:
        reader = _Reader(file)
        image = _opened(reader)
        if image is None:
            return None
        width, height = image.size
        reader.left = _PIXEL_READS
        return Looked(width, height, _thumbnails(image, sizes) if sizes else ())


def _opened(file: _Reader) -> "Image.Image | None":
    """Return an image of which the header is read.

    By what `Image.open` calls, which itself warns of bombs where nothing but a size is asked for.
    """
    from PIL import Image

    # It warns of what is broken in files, of which there are many, and nobody's fault here.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    Image.init()
    file.seek(0)
    prefix = file.read(_PREFIX_BYTES)
    for name in _FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        if factory is None or (accept is not None and accept(prefix) is not True):
            continue
        file.seek(0)
        try:
            return factory(cast(IO[bytes], file), "")
        except (*_BROKEN, Image.DecompressionBombError) as error:
            log.info("no image that can be read: %s", error)
            return None
    return None


def _thumbnails(image: "Image.Image", sizes: Mapping[str, tuple[int, int]]) -> list[Thumbnail]:
    from PIL.Image import DecompressionBombError

    width, height = image.size
    if width * height > _MOST_PIXELS:
        log.warning("no thumbnails of an image of %d x %d pixels", width, height)
        return []
    try:
        whole = _loaded(image, max(map(max, sizes.values())))
        return [_thumbnail(whole, name, size) for name, size in sizes.items()]
    except (*_BROKEN, DecompressionBombError) as error:
        log.warning("no thumbnails of an image that cannot be read: %s", error)
        return []


def _loaded(image: "Image.Image", side: int) -> "Image.Image":
    """Return the image's pixels, upright; of a JPEG no more of them than a square needs."""
    from PIL import ImageOps

    image.draft("RGB", (side, side))
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGB", "L", "RGBA"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _thumbnail(image: "Image.Image", name: str, size: tuple[int, int]) -> Thumbnail:
    factor = min(1.0, size[0] / image.width, size[1] / image.height)
    fit = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    small = image if factor == 1.0 else image.resize(fit, reducing_gap=2.0)
    kind, ext = ("PNG", ".png") if small.mode == "RGBA" else ("JPEG", ".jpg")
    data = io.BytesIO()
    small.save(data, kind)
    return Thumbnail(name, *size, data.getvalue(), ext)
