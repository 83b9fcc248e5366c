"""Files below `media/`: whole or not there, each under its name, whoever put what in their way."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import MediaError, SpiderError, TargetError
from crawler.export.media import MediaFiles
from crawler.export.media_part import PARTS, sweep
from crawler.media import Media, Wanted, wanted
from tests.export.conftest import SizeLimit
from tests.export.test_images import picture

URL = "https://a.example/b/c%20d.pdf"
PDF = b"%PDF-1.7 one"
OTHER = b"%PDF-1.7 other"


async def save(
    store: MediaFiles, data: bytes, *, url: str = URL, mime: str = "application/pdf", **how: Any
) -> Media:
    async with store.part(url, Wanted(**how)) as part:
        await part.begin(validator='"one"', total=None)
        await part.write(data)
        return await part.finish(Wanted(**how), url=url, mime=mime)


async def saved(folder: Path, data: bytes, **how: Any) -> Media:
    async with MediaFiles(folder / "media") as store:
        return await save(store, data, **how)


def files(folder: Path) -> dict[str, bytes]:
    """What is below `media/`."""
    found = (path for path in (folder / "media").rglob("*") if path.is_file())
    return {str(path.relative_to(folder / "media")): path.read_bytes() for path in found}


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file, both to stay as they are."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim").write_text("kept")
    yield folder
    assert [path.name for path in folder.iterdir()] == ["victim"]
    assert (folder / "victim").read_text() == "kept"


@pytest.mark.parametrize("durable", [False, True])
async def test_its_digest_names_a_file(tmp_path: Path, durable: bool) -> None:
    async with MediaFiles(tmp_path / "media", durable=durable) as store:
        one = await save(store, PDF)
        assert await save(store, PDF) == one
    digest = hashlib.sha256(PDF).hexdigest()
    assert one == Media(
        url=URL,
        path=f"media/{digest[:2]}/{digest}.pdf",
        sha256=digest,
        bytes=len(PDF),
        type="application/pdf",
    )
    assert files(tmp_path) == {one.path.removeprefix("media/"): PDF}


@pytest.mark.parametrize(
    ("to", "path"),
    [
        ("plain", "plain"),
        ("docs/{name}{ext}", "docs/c_d.pdf"),
        ("{host}/{sha256}", "a.example/" + hashlib.sha256(PDF).hexdigest()),
        ("Bücher/a b{ext}", "Bücher/a b.pdf"),
    ],
)
async def test_to_names_it_otherwise(tmp_path: Path, to: str, path: str) -> None:
    assert (await saved(tmp_path, PDF, to=to)).path == f"media/{path}"
    assert files(tmp_path) == {path: PDF}


async def test_a_name_that_another_content_has_is_left_to_it(tmp_path: Path) -> None:
    paths = [(await saved(tmp_path, data, to="a.pdf")).path for data in (PDF, OTHER, PDF, OTHER)]
    other = f"a-{hashlib.sha256(OTHER).hexdigest()[:8]}.pdf"
    assert paths == ["media/a.pdf", f"media/{other}"] * 2
    assert files(tmp_path) == {"a.pdf": PDF, other: OTHER}


async def test_a_name_between_others_is_no_way_through_a_file(tmp_path: Path) -> None:
    await saved(tmp_path, PDF, to="a")
    with pytest.raises(MediaError, match="a file is in the place of a folder"):
        await saved(tmp_path, OTHER, to="a/b")
    assert (await saved(tmp_path, OTHER, to="c/d")).path == "media/c/d"
    digest = hashlib.sha256(PDF).hexdigest()[:8]
    assert (await saved(tmp_path, PDF, to="c")).path == f"media/c-{digest}"


async def test_thumbnails_lie_beside_their_image(tmp_path: Path) -> None:
    image = picture("PNG", "RGBA")
    sizes = {"small": (20, 20), "tiny": (5, 5)}
    one = await saved(tmp_path, image, mime="image/png", to="a{ext}", thumbnails=sizes)
    assert (one.width, one.height) == (60, 30)
    assert one.thumbnails == {"small": "media/a-20x20.png", "tiny": "media/a-5x5.png"}
    assert set(files(tmp_path)) == {"a.png", "a-20x20.png", "a-5x5.png"}


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"to": "../a"}, "without '..'"),
        ({"to": "a/../b"}, "without '..'"),
        ({"to": "/etc/passwd"}, "without '..'"),
        ({"to": "a//b"}, "without '..'"),
        ({"to": "a/"}, "without '..'"),
        ({"to": ".parts/a"}, "hidden names"),
        ({"to": "a\0b"}, "to must be a path"),
        ({"to": "a\\b"}, "backslashes"),
        ({"to": "\ud800"}, "to must be a path"),
        ({"to": "ü" * 80}, "150 bytes"),
        ({"to": "{sha}"}, "unknown field 'sha'; did you mean 'sha256'?"),
        ({"to": 3}, "got 3"),
        ({"types": "png"}, "must be MIME types, as image/* or a/b, got 'png'"),
        ({"media_bytes": 0}, "above 0 or None, got 0"),
        ({"thumbnails": {"small": (0, 1)}}, "names and (width, height)"),
        ({"thumbnails": {"small": 20}}, "names and (width, height)"),
        ({"thumbnails": [20]}, "names and (width, height)"),
    ],
)
def test_what_cannot_be_wanted_is_said_at_once(how: dict[str, Any], words: str) -> None:
    with pytest.raises(SpiderError) as caught:
        wanted(**how)
    assert words in str(caught.value)


@pytest.mark.parametrize("where", [".", PARTS, "docs"])
async def test_a_link_in_the_place_of_a_folder_is_not_followed(
    tmp_path: Path, outside: Path, where: str
) -> None:
    link = tmp_path / "media" / where
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    with pytest.raises((TargetError, MediaError)):
        await saved(tmp_path, PDF, to="docs/a.pdf")


async def test_a_link_in_the_place_of_a_file_is_replaced_or_left_alone(
    tmp_path: Path, outside: Path
) -> None:
    one = await saved(tmp_path, PDF)
    (tmp_path / one.path).unlink()
    (tmp_path / one.path).symlink_to(outside / "victim")
    await saved(tmp_path, PDF)
    assert not (tmp_path / one.path).is_symlink()
    (tmp_path / "media" / "a").symlink_to(outside / "victim")
    assert (await saved(tmp_path, PDF, to="a")).path != "media/a"


async def interrupted(folder: Path) -> tuple[Path, Path]:
    """Leave a part; return it and its note."""
    async with MediaFiles(folder / "media") as store, store.part(URL, Wanted()) as part:
        await part.begin(validator='"one"', total=100)
        await part.write(PDF)
    note, part_file = sorted((folder / "media" / PARTS).iterdir(), key=lambda p: p.suffix)[::-1]
    return part_file, note


async def taken_up(folder: Path) -> int:
    """How many bytes a later try has."""
    async with MediaFiles(folder / "media") as store, store.part(URL, Wanted()) as part:
        assert (part.validator == '"one"') == bool(part.size)
        return part.size


async def test_a_part_waits_for_a_later_try(tmp_path: Path) -> None:
    await interrupted(tmp_path)
    assert await taken_up(tmp_path) == len(PDF)
    async with MediaFiles(tmp_path / "media") as store, store.part(URL, Wanted()) as part:
        await part.write(b" and more")
        one = await part.finish(Wanted(), url=URL, mime="application/pdf")
    assert one.sha256 == hashlib.sha256(PDF + b" and more").hexdigest()


async def test_somebody_elses_part_is_not_taken_up(tmp_path: Path, outside: Path) -> None:
    for plant in (os.symlink, os.link):
        part, _ = await interrupted(tmp_path)
        part.unlink()
        plant(outside / "victim", part)
        assert await taken_up(tmp_path) == 0
        await saved(tmp_path, PDF)
        assert list(files(tmp_path).values()).count(PDF) == 1
        part.unlink(missing_ok=True)
    part, _ = await interrupted(tmp_path)
    part.unlink()
    os.mkfifo(part)
    assert await taken_up(tmp_path) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[", b"\xff", b"{" * 10_000,
        b'{"url":"https://a.example/b/c%20d.pdf","validator":"x","file":"../../outside/victim"}',
    ],
)  # fmt: skip
async def test_a_note_that_is_none_is_as_good_as_none(
    tmp_path: Path, outside: Path, content: bytes
) -> None:
    _, note = await interrupted(tmp_path)
    note.write_bytes(content)
    assert await taken_up(tmp_path) == 0
    note.unlink()
    note.symlink_to(outside / "victim")
    assert await taken_up(tmp_path) == 0
    note.unlink()
    os.mkfifo(note)
    assert await taken_up(tmp_path) == 0


async def test_parts_go_when_the_run_is_over_but_for_those_in_use(tmp_path: Path) -> None:
    folder = tmp_path / "media"
    await interrupted(tmp_path)
    (folder / PARTS / "thumbnail-1").write_bytes(b"x")
    async with MediaFiles(folder) as store, store.part(URL + "2", Wanted()) as part:
        await part.begin(validator='"two"', total=None)
        await part.write(PDF)
        sweep(folder)
        assert [path.read_bytes() for path in (folder / PARTS).iterdir()] == [PDF]
        one = await part.finish(Wanted(), url=URL, mime="application/pdf")
    async with MediaFiles(folder, is_over=lambda: True):
        pass
    assert files(tmp_path) == {one.path.removeprefix("media/"): PDF}
    assert not (folder / PARTS).exists()
    async with MediaFiles(tmp_path / "none", is_over=lambda: True):
        pass
    assert not (tmp_path / "none").exists()


async def test_what_nobody_can_go_on_with_goes_at_once(tmp_path: Path) -> None:
    async with MediaFiles(tmp_path / "media") as store, store.part(URL, Wanted()) as part:
        await part.begin(validator="", total=None)
        await part.write(PDF)
    assert files(tmp_path) == {}


async def test_a_full_disk_is_named_and_what_is_there_goes_on_later(
    tmp_path: Path, size_limit: SizeLimit
) -> None:
    async with MediaFiles(tmp_path / "media") as store, store.part(URL, Wanted()) as part:
        await part.begin(validator='"one"', total=None)
        await part.write(bytes(1_000))
        with size_limit(1_500):
            with pytest.raises(TargetError, match="may not grow any larger"):
                await part.write(PDF * 100)
            assert part.size == 1_000
        await part.write(PDF * 100)
        one = await part.finish(Wanted(), url=URL, mime="application/pdf")
    assert files(tmp_path) == {one.path.removeprefix("media/"): bytes(1_000) + PDF * 100}


async def test_a_full_disk_is_looked_at_once_more_after_a_pause(
    tmp_path: Path, size_limit: SizeLimit, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        MediaFiles(tmp_path / "media", pause=0.01) as store,
        store.part(URL, Wanted()) as part,
    ):
        await part.begin(validator='"one"', total=None)
        with size_limit(1_500), pytest.raises(TargetError, match="may not grow"):
            await part.write(PDF * 200)
    assert "the download pauses 0.01 s, then tries once more" in caplog.text


async def test_a_disk_keeps_its_free_bytes(tmp_path: Path) -> None:
    async with MediaFiles(tmp_path / "media", min_free_bytes=10**18) as store:
        with pytest.raises(TargetError, match="min_free_bytes keeps"):
            await save(store, PDF)
