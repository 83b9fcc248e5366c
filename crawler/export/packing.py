"""How files are compressed: by frames that stand for themselves."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip, isal_zlib
from isal.igzip_lib import IsalError
from msgspec import Struct

from crawler.owned import named

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BROKEN: tuple[type[Exception], ...] = (
    EOFError,
    ValueError,
    IsalError,  # type: ignore[assignment]  # its stubs take the class for an instance
    zstd.ZstdError,
)
"""What reading a file raises that is not compressed as it should be, besides `OSError`."""
UNREADABLE: tuple[type[Exception], ...] = (*BROKEN, OSError)

_FRAME_BYTES = 4_000_000
_GZIP = 16 + isal_zlib.MAX_WBITS
# Of 0 to 3: as small as zlib's level 1 in a third of its time; 3 is 2 % smaller in five times.
_GZIP_LEVEL = 2
_ZSTD_OPTIONS: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}


class Packing(Struct, frozen=True):
    """How bytes become a file's, a frame at a time: frames are read one after another, as one.

    `pack` makes a frame of about `frame_bytes`, always the same one; 0: as the bytes come.
    `unpacked` reads a file from its beginning; it raises `BROKEN`.
    """

    pack: Callable[[bytes], bytes]
    unpacked: Callable[[BinaryIO], BinaryIO]
    frame_bytes: int = _FRAME_BYTES

    @contextmanager
    def reading(self, path: Path) -> Iterator[BinaryIO]:
        """Open a file to be read. Raises `OSError`, `BROKEN`."""
        with open(path, "rb", opener=named) as file:
            yield self.unpacked(file)


def _gzip(data: bytes) -> bytes:
    # Unlike a gzip file's of Python's, its header holds no time.
    return isal_zlib.compress(data, _GZIP_LEVEL, _GZIP)


def _gunzipped(file: BinaryIO) -> BinaryIO:
    opened = igzip.IGzipFile(fileobj=file, mode="rb")  # type: ignore[no-untyped-call]  # untyped
    return cast(BinaryIO, opened)


def _zstd(data: bytes) -> bytes:
    return zstd.compress(data, options=_ZSTD_OPTIONS)


def _unzstd(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, zstd.ZstdFile(file))


def _as_it_is(data: bytes) -> bytes:
    return data


PLAIN = Packing(_as_it_is, lambda file: file, frame_bytes=0)
PACKINGS = {".gz": Packing(_gzip, _gunzipped), ".zst": Packing(_zstd, _unzstd)}
