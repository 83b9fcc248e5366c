"""Sizes of real images, and thumbnails; what is broken, or a bomb, is left alone."""

import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import pytest
from PIL import Image

from crawler.export.images import Looked, looked_at

SMALL = {"small": (20, 20)}


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (60, 30), **how: object) -> bytes:
    data = io.BytesIO()
    color = (9,) * len(mode) if mode in ("RGB", "RGBA", "LA", "CMYK") else 9
    Image.new(mode, size, color).save(data, kind, **how)
    return data.getvalue()


def look(data: bytes, sizes: dict[str, tuple[int, int]] | None = None) -> Looked | None:
    def opened() -> BinaryIO:
        return io.BytesIO(data)

    return looked_at(opened, sizes or {})


@pytest.mark.parametrize(
    ("kind", "mode", "ext"),
    [
        ("PNG", "RGB", ".jpg"),
        ("PNG", "RGBA", ".png"),
        ("PNG", "LA", ".png"),
        ("PNG", "P", ".jpg"),
        ("PNG", "1", ".jpg"),
        ("PNG", "I;16", ".jpg"),
        ("JPEG", "RGB", ".jpg"),
        ("JPEG", "L", ".jpg"),
        ("JPEG", "CMYK", ".jpg"),
        ("GIF", "P", ".jpg"),
        ("WEBP", "RGBA", ".png"),
        ("AVIF", "RGB", ".jpg"),
        ("BMP", "RGB", ".jpg"),
        ("TIFF", "CMYK", ".jpg"),
        ("JPEG2000", "RGB", ".jpg"),
    ],
)
def test_images_of_the_web_have_a_size_and_thumbnails(kind: str, mode: str, ext: str) -> None:
    found = look(picture(kind, mode), SMALL)
    assert found is not None
    assert (found.width, found.height) == (60, 30)
    (small,) = found.thumbnails
    assert (small.name, small.width, small.height, small.ext) == ("small", 20, 20, ext)
    with Image.open(io.BytesIO(small.data)) as image:
        assert image.size == (20, 10)


def test_a_thumbnail_stands_upright_and_is_never_larger_than_the_image() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    found = look(picture("JPEG", exif=exif), {**SMALL, "large": (500, 500)})
    assert found is not None
    assert (found.width, found.height) == (60, 30)
    sizes = [Image.open(io.BytesIO(one.data)).size for one in found.thumbnails]
    assert sizes == [(10, 20), (30, 60)]


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and is not."""

    def chunk(name: bytes, data: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + end

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(1_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_has_a_size_and_no_thumbnails(side: int, caplog: pytest.LogCaptureFixture) -> None:
    assert look(bomb(side, side), SMALL) == Looked(side, side, [])
    assert f"no thumbnails of an image of {side} x {side} pixels" in caplog.text


def test_pixels_that_are_not_there_give_no_thumbnails(caplog: pytest.LogCaptureFixture) -> None:
    assert look(bomb(2_000, 2_000), SMALL) == Looked(2_000, 2_000, [])
    assert "cannot be read" in caplog.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000"])
def test_what_is_cut_or_changed_anywhere_breaks_nothing(kind: str) -> None:
    whole = picture(kind)
    step = max(1, len(whole) // 60)
    for at in range(0, len(whole), step):
        for data in (whole[:at], whole[:at] + b"\xff" * 8 + whole[at + 8 :]):
            found = look(data, SMALL)
            assert found is None or found.width > 0


def test_what_pillow_would_read_with_other_programs_has_no_size(tmp_path: Path) -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    assert look(eps, SMALL) is None
    assert look(b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", SMALL) is None


def test_a_header_without_end_is_given_up() -> None:
    pieces = b"\xff\xd8\xff" + b"\xff\xfe\0\2" * 1_000_000  # comments with nothing in them
    assert look(pieces) is None
