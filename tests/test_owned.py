import errno
import os
from pathlib import Path

import pytest

from crawler.owned import Opener, check_own, fresh, make_folder, named, own


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_APPEND])
def test_a_planted_link_is_not_followed(tmp_path: Path, flags: int) -> None:
    (tmp_path / "victim").write_bytes(b"x")
    (tmp_path / "link").symlink_to("victim")
    (tmp_path / "dangling").symlink_to("nothing")
    for name in ("link", "dangling"):
        with pytest.raises(OSError, match="symbolic") as caught:
            own(tmp_path / name, flags)
        assert caught.value.errno == errno.ELOOP
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY])
@pytest.mark.parametrize("opener", [own, named])
def test_a_pipe_that_nobody_holds_blocks_nobody(tmp_path: Path, flags: int, opener: Opener) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe") as caught:
        opener(tmp_path / "pipe", flags)
    assert caught.value.errno == errno.ENXIO


def test_a_device_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        named("/dev/null", os.O_RDWR)


def test_a_link_that_the_user_named_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    os.close(named(tmp_path / "link", os.O_RDWR | os.O_CREAT))
    assert (tmp_path / "file").is_file()
    assert (tmp_path / "link").is_symlink()


def test_what_stands_in_the_place_of_a_fresh_file_goes_and_is_not_written_to(
    tmp_path: Path,
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    path = tmp_path / "x"
    for plant in (path.hardlink_to, path.symlink_to):
        plant(victim)
        with open(path, "x", opener=fresh) as file:
            file.write("new")
        assert (path.read_text(), victim.read_text()) == ("new", "kept")
        path.unlink()
    os.mkfifo(tmp_path / "pipe")
    with open(tmp_path / "pipe", "x", opener=fresh) as file:
        file.write("new")
    assert (tmp_path / "pipe").read_text() == "new"


def test_a_link_is_no_folder_of_ours(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "link")
    for _ in range(2):
        make_folder(tmp_path / "folder")
    assert (tmp_path / "folder").is_dir()


def test_a_file_is_looked_at_for_who_opens_it_without_us(tmp_path: Path) -> None:
    check_own(tmp_path / "missing")
    (tmp_path / "file").touch()
    check_own(tmp_path / "file")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=name):
            check_own(tmp_path / name)


def test_no_file_is_made_executable(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        os.close(own(tmp_path / "a", os.O_RDWR | os.O_CREAT))
        os.close(fresh(tmp_path / "b", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"] == [0o666] * 2
