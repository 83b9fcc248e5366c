import errno
from pathlib import Path

import pytest

from crawler.errors import TargetError
from crawler.export.space import FreeSpace, free_bytes
from crawler.oserrors import refused


def test_the_disk_is_looked_at_once_a_second_at_most(tmp_path: Path) -> None:
    now = 0.0
    folder = tmp_path / "run"
    folder.mkdir()
    room = FreeSpace(folder, min_free_bytes=1, clock=lambda: now)
    room.check()
    folder.rmdir()
    now = 0.9
    room.check()
    now = 1.1
    with pytest.raises(TargetError, match="the folder is gone"):
        room.check()


def test_too_little_room_says_how_much_there_is_and_must_be(tmp_path: Path) -> None:
    room = FreeSpace(tmp_path, min_free_bytes=2**62)
    for _ in range(2):
        with pytest.raises(TargetError, match=r"bytes free on its disk.*4,611,686,018,427,387,904"):
            room.check()


def test_no_least_asks_nothing(tmp_path: Path) -> None:
    FreeSpace(tmp_path / "missing").check()


def test_free_bytes_are_more_than_none(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0


def test_an_unknown_error_is_said_in_the_systems_words() -> None:
    assert str(refused("x", OSError(errno.ESTALE, "Stale handle"))) == "x: stale handle"
    assert str(refused("x", OSError("odd"))) == "x: odd"
